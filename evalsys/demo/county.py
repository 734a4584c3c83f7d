"""Who and what the simulated county is made of: names are invented, sizes are plausible."""

from __future__ import annotations

from dataclasses import dataclass

from stdnum.cn import uscc

CITY = ("4499", "岭川市")
COUNTY = ("449921", "青河县")
TOWNSHIPS = (
    "城关镇",
    "东岭镇",
    "河口镇",
    "石桥镇",
    "龙塘镇",
    "大湾镇",
    "白沙镇",
    "新圩镇",
    "松林乡",
    "云溪乡",
    "古田乡",
    "湖滨街道",
)
BUREAU = "青河县民政局"
BUYING_TOWNSHIPS = ("东岭镇", "龙塘镇", "湖滨街道")  # townships may purchase too: 三(四) of the source
EVALUATOR_BODIES = ("岭川公共服务评估中心", "明鉴第三方评价研究所")
EVALUATORS = ("陈思远", "林晓岚", "黄志明", "吴佳怡", "郑文博", "周雨桐")
INTERVIEWERS = ("黄秀兰", "刘志强", "彭春燕")


@dataclass(frozen=True)
class SimulatedVendor:
    """A vendor and how good its work truly is, in logits; the ratings only hint at it."""

    name: str
    quality: float
    serves: tuple[str, ...]


VENDORS = (
    SimulatedVendor("青河县春晖社会工作服务中心", 2.4, ("care", "elderly_care", "counselling", "social_inclusion")),
    SimulatedVendor("岭川市同心社会服务促进会", 2.0, ("home_visit_survey", "screening", "publicity")),
    SimulatedVendor("青河县安康康复护理院", 2.2, ("rehabilitation", "care", "hospital_escort")),
    SimulatedVendor("岭川市惠民家政服务有限公司", 1.0, ("care", "elderly_care", "hospital_escort")),
    SimulatedVendor("青河县阳光心理咨询服务部", 1.8, ("counselling", "left_behind_children")),
    SimulatedVendor("岭川市众成人力资源有限公司", 0.7, ("screening", "home_visit_survey", "training")),
    SimulatedVendor("青河县蒲公英儿童关爱中心", 2.3, ("left_behind_children", "social_inclusion")),
    SimulatedVendor("岭川市和邻社区发展中心", 1.6, ("community_building", "publicity", "social_inclusion")),
    SimulatedVendor("青河县银龄养老服务有限公司", 1.4, ("elderly_care", "care")),
    SimulatedVendor("岭川市博众职业培训学校", 1.5, ("training", "publicity")),
    SimulatedVendor("青河县平安医疗陪护服务队", 1.9, ("hospital_escort", "care", "rehabilitation")),
    SimulatedVendor("岭川市远景社会事务服务有限公司", 0.1, ("screening", "home_visit_survey", "publicity")),
)

YEARS = (2024, 2025, 2026)
CONTRACTS_A_YEAR = 36
METHODS = ("open_tender", "open_tender", "competitive_consultation", "competitive_negotiation", "single_source")


def credit_code(number: int) -> str:
    """A 统一社会信用代码 with a true check digit, in a district that no register uses."""
    body = f"52449921MJ{number:07d}"
    return body + uscc.calc_check_digit(body)
