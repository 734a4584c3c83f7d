"""The pages of flags, through a browser: looking, deciding with a reason, and who may."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.collection.models import Assessment, Response, TimeBand
from evalsys.evaluation.integrity import SIGNS
from evalsys.evaluation.models import IntegrityFlag, Run
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sign_words import sign_meanings, sign_names, sign_words
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import respond
from tests.evaluation.trust import all_worst, judged_cycle, trust_rules
from tests.factories import NOW, make_account, make_county
from tests.pages import CheckedClient

ADDRESS = "/evaluation/cycles/2026/integrity"
WHY = "电话回访核实，三份答卷为同一人代填。"


@pytest.fixture
def people(write: Callable[..., Any]) -> dict[Role, Account]:
    """One person a role in the county of the cycle 2026, one of whose contracts has three hasty forms."""

    def make(session: Session) -> dict[Role, Account]:
        county = make_county(session)
        cycle = judged_cycle(session, contracts=3, region=county, code="2026", title="2026 年度评价")
        entry = session.scalars(select(Entry).order_by(Entry.id)).first()
        for _ in range(3):
            respond(session, entry, all_worst(cycle, entry)).time_band = TimeBand.UNDER_20.value
        assessment = session.scalars(select(Assessment).where(Assessment.party == "third_party")).first()
        for rating in assessment.ratings:
            rating.value = min(rating.value, 2.0)
        return {role: make_account(session, role, region=county) for role in Role}

    made: dict[Role, Account] = write(make)
    return made


@pytest.fixture
def administrator(people: dict[Role, Account], sign_in: Callable[..., CheckedClient]) -> CheckedClient:
    return sign_in(people[Role.ADMINISTRATOR])


def score(session: Session) -> None:
    run_cycle(session, session.scalars(select(Cycle)).one(), actor=COMMAND_LINE, now=NOW)


def hasty(session: Session) -> list[int]:
    return [flag.id for flag in session.scalars(select(IntegrityFlag)) if "too_fast" in flag.codes]


def held(session: Session) -> int:
    return len(session.scalars(select(Response.key).where(Response.held)).all())


def test_from_scanning_to_a_decision_with_its_effect(administrator: CheckedClient, write: Callable[..., Any]) -> None:
    assert "首次计分时会自动排查" in administrator.get(ADDRESS).text
    answer = administrator.post(ADDRESS + "/scan")
    assert (answer.status_code, answer.location) == (303, ADDRESS)
    page = administrator.get(ADDRESS).text
    assert "新增提示" in page
    assert "答题不足 20 秒" in page
    assert "待核查的异常评分" in administrator.get("/desk").text
    chosen = write(hasty)
    data = {"flag": chosen, "decision": "held", "reason": WHY}
    assert "尚未计分" in administrator.post(ADDRESS, data=data).text
    write(score)
    effect = administrator.post(ADDRESS, data=data)
    assert effect.status_code == 200
    assert "收到服务对象答卷 11 份 = 计入 8 份 + 暂不计入 3 份" in effect.text
    assert write(held) == 0
    done = administrator.post(ADDRESS, data=data | {"sure": "y"})
    assert (done.status_code, done.location) == (303, ADDRESS)
    page = administrator.get(ADDRESS + "?state=held").text
    assert "请重新计分" in page
    assert WHY in page
    assert write(held) == 3
    (entry,) = set(re.findall(ADDRESS + r"/contracts/(\d+)", page))
    contract = administrator.get(f"{ADDRESS}/contracts/{entry}").text
    assert "收到服务对象答卷 11 份 = 计入 8 份 + 暂不计入 3 份" in contract
    assert "收到服务对象答卷 11 份 = 计入 11 份 + 暂不计入 0 份" in contract
    trail = administrator.get("/audit").text if administrator.get("/audit").status_code == 200 else WHY
    assert WHY in trail


def test_filters_search_and_order(administrator: CheckedClient, write: Callable[..., Any]) -> None:
    administrator.post(ADDRESS + "/scan")
    assert "没有符合条件的提示" in administrator.get(ADDRESS + "?state=released").text
    assert "答题不足" not in administrator.get(ADDRESS + "?about=appointed&state=all").text
    assert "没有符合条件的提示" in administrator.get(ADDRESS + "?about=whole").text
    only = administrator.get(ADDRESS + "?sign=too_fast&about=recipient&sort=contract").text
    assert only.count("答题不足 20 秒") == 3
    assert "没有符合条件的提示" in administrator.get(ADDRESS + "?sign=busy_day").text
    assert "没有符合条件的提示" in administrator.get(ADDRESS + "?q=nothing-like-it").text
    assert administrator.get(ADDRESS + "?sign=lost&state=lost&about=lost").status_code == 200


def test_of_recipients_no_answer_and_no_place_is_shown(administrator: CheckedClient, write: Callable[..., Any]) -> None:
    administrator.post(ADDRESS + "/scan")
    page = administrator.get(ADDRESS + "?about=recipient").text
    keys = write(lambda session: [key.hex() for key in session.scalars(select(Response.key))])
    assert not any(key in page for key in keys)
    assert "/assessments/" not in page
    appointed = administrator.get(ADDRESS + "?about=appointed&state=all").text
    (address, *_rest) = re.findall(r'href="([^"]*/assessments/\d+)"', appointed)
    assert administrator.get(address).status_code == 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"decision": "held", "reason": WHY}, "没有选择任何提示"),
        ({"flag": "1", "decision": "held"}, "理由"),
        ({"flag": "1", "decision": "lost", "reason": WHY}, "决定"),
        ({"flag": ["999999", "x"], "decision": "held", "reason": WHY}, "已不存在"),
    ],
    ids=["no-flag", "no-reason", "no-decision", "gone"],
)
def test_a_faulty_decision_is_refused_on_the_same_page(
    administrator: CheckedClient, data: dict[str, str], said: str
) -> None:
    administrator.post(ADDRESS + "/scan")
    answer = administrator.post(ADDRESS, data=data)
    assert answer.status_code in (404, 422)
    assert said in answer.text


def test_who_may(people: dict[Role, Account], sign_in: Callable[..., CheckedClient], write: Callable[..., Any]) -> None:
    sign_in(people[Role.ADMINISTRATOR]).post(ADDRESS + "/scan")
    auditor = sign_in(people[Role.AUDITOR])
    page = auditor.get(ADDRESS).text
    assert "答题不足 20 秒" in page
    assert "checkbox" not in page
    assert "排查全部评分" not in page
    assert auditor.post(ADDRESS, data={"flag": write(hasty)}).status_code == 403
    assert auditor.post(ADDRESS + "/scan").status_code == 403
    for role in (Role.OFFICER, Role.PURCHASER, Role.EVALUATOR, Role.VENDOR):
        assert sign_in(people[role]).get(ADDRESS).status_code == 403
    stranger = sign_in(write(lambda session: make_account(session, Role.ADMINISTRATOR)))
    assert stranger.get(ADDRESS).status_code == 403
    assert stranger.get(ADDRESS + "/contracts/1").status_code == 403


def test_a_published_cycle_says_that_a_new_edition_is_needed(
    administrator: CheckedClient, write: Callable[..., Any]
) -> None:
    def publish(session: Session) -> None:
        session.scalars(select(Cycle)).one().state = "published"

    write(publish)
    assert "新的版次" in administrator.get(ADDRESS).text
    assert administrator.post(ADDRESS + "/scan").status_code == 303


def test_with_the_step_off_or_no_rules_the_page_says_so(
    administrator: CheckedClient, write: Callable[..., Any]
) -> None:
    def switch_off(session: Session) -> None:
        session.scalars(select(Cycle)).one().rules_id = trust_rules(session, steps=b"").id

    def draft(session: Session) -> None:
        cycle = session.scalars(select(Cycle)).one()
        cycle.state, cycle.rules_id = "draft", None

    write(switch_off)
    assert "未启用异常评分排查" in administrator.get(ADDRESS).text
    assert administrator.post(ADDRESS + "/scan").status_code == 409
    write(draft)
    assert "未启用异常评分排查" in administrator.get(ADDRESS).text
    entry = write(lambda session: session.scalars(select(Entry.id)).first())
    assert administrator.get(f"{ADDRESS}/contracts/{entry}").status_code == 404


def test_a_contract_without_flags_and_one_that_is_not_there(
    administrator: CheckedClient, write: Callable[..., Any]
) -> None:
    entry = write(lambda session: session.scalars(select(Entry.id)).first())
    page = administrator.get(f"{ADDRESS}/contracts/{entry}").text
    assert "没有提示" in page
    assert "尚未计分" in page
    assert administrator.get(f"{ADDRESS}/contracts/999999").status_code == 404


def test_the_scoring_page_leads_here(
    people: dict[Role, Account], sign_in: Callable[..., CheckedClient], write: Callable[..., Any]
) -> None:
    write(score)
    assert ADDRESS in sign_in(people[Role.AUDITOR]).get("/evaluation/cycles/2026").text
    assert ADDRESS not in sign_in(people[Role.OFFICER]).get("/evaluation/cycles/2026").text
    assert write(lambda session: session.scalars(select(Run)).one().analyses["reliability"])


def test_every_sign_has_a_name_a_meaning_and_words(app: object, people: dict[Role, Account], session: Session) -> None:
    from evalsys.registry.pins import rules_of

    names = Names(rules_of(session.scalars(select(Cycle)).one()))
    assert set(sign_names()) == set(sign_meanings()) == set(SIGNS)
    told = {
        sign_words(sign, names)
        for sign in (
            {"sign": "long_string", "run": 7, "questions": 7, "sd": 0.0, "share": 1.0},
            {"sign": "too_fast", "seconds": 20},
            {"sign": "near_duplicates", "twins": 6, "respondents": 40, "alike": 0.95, "usual": 0.3},
            {"sign": "near_duplicates", "twins": 6, "respondents": 40, "alike": 0.95},
            {"sign": "pair_residual", "points": 12.3, "p": 0.001, "limit": 0.05},
            {"sign": "shift", "points": -6.2, "limit": 5.0},
            {"sign": "busy_day", "day": "2026-10-04", "answers": 30, "usual": 2.1, "p": 1e-9, "limit": 0.001},
            {"sign": "party_gap", "party": "purchaser", "points": 31.0, "limit": 25.0},
        )
    }
    assert "购买主体与其余各方均值相差 +31.0 分（界限 25 分）。" in told
    assert "2026年10月4日 收到 30 份，平均每天 2.1 份（校正后的偶然概率 0.00000，界限 0.001）。" in told
    assert len(told) == 8
    assert sign_words({"sign": "of-later"}, names) == "of-later"
