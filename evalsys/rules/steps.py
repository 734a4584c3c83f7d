"""The thirteen steps of the method as one rules file has them: what each does, with its numbers, and which are on."""

from __future__ import annotations

from dataclasses import dataclass

from evalsys.rules.model import Rules
from evalsys.rules.values import Text

MODES = {
    "self": Text(zh="本人填写", en="by oneself"),
    "assisted": Text(zh="协助填写", en="with help"),
    "telephone": Text(zh="电话访问", en="by telephone"),
    "paper": Text(zh="纸质问卷", en="on paper"),
}


@dataclass(frozen=True)
class Step:
    """One step of the method.

    Attributes:
        number: as the method counts them, from 1.
        name: what it asks.
        on: whether these rules take it; a step that is off leaves no trace in any number.
        says: what it does with the rules' own numbers, or what is not done where it is off.
        formulas: for who wants them, a line each.
        frozen: what is learned once when the cycle closes and stands fixed from then on; None where nothing is.
    """

    number: int
    name: Text
    on: bool
    says: Text
    formulas: tuple[str, ...]
    frozen: Text | None = None


def steps(rules: Rules) -> tuple[Step, ...]:
    """All thirteen, in their order."""
    makers = (
        _points,
        _weighting,
        _adjustment,
        _severity,
        _cell,
        _score,
        _shrinkage,
        _grades,
        _ranks,
        _sensitivity,
        _reliability,
        _integrity,
        _past,
    )
    return tuple(make(rules) for make in makers)


def _off(number: int, name: Text, *, zh: str, en: str) -> Step:
    return Step(number, name, on=False, says=Text(zh=zh, en=en), formulas=())


def _points(rules: Rules) -> Step:
    share = f"{rules.answered_share:.0%}"
    return Step(
        1,
        Text(zh="怎样计分", en="Points"),
        on=True,
        says=Text(
            zh="每道题按所选等级换算成 0 到 100 分；“不适用”不计入分母。一份评价在某一维度的得分，"
            f"是已答各题的加权平均；已答题的权重不足 {share} 的，视为没有评这一维度。",
            en="Every answer earns 0 to 100 points by its place on its scale; “not applicable” leaves the "
            "denominator. A rater's points on a dimension are the weighted mean of the answered criteria, if they "
            f"carry at least {share} of the weight.",
        ),
        formulas=("y = 100·(l − 1)/(L − 1)", "y_d = Σ wₖyₖ / Σ wₖ"),
    )


def _weighting(rules: Rules) -> Step:
    name = Text(zh="谁作了答", en="Who answered")
    if rules.weighting is None:
        return _off(
            2,
            name,
            zh="未启用：服务对象的每份答卷分量相同，不管哪个乡镇（街道）答得多、哪个答得少。",
            en="Off: every recipient's answer counts the same, whichever township answered more.",
        )
    least, trim = rules.weighting.stratum_minimum, f"{rules.weighting.trim:g}"
    return Step(
        2,
        name,
        on=True,
        says=Text(
            zh=f"服务对象的答卷按乡镇（街道）和服务项目对照名册加权，答得多的地方不多占分量。不足 {least} "
            f"份答卷的一层并入相近的层；权重最多是中位数的 {trim} 倍；只知道各项合计时，用迭代比例法。",
            en="Recipients' answers are weighted to the frame by township and service item, so that a place which "
            f"answered more does not count for more. A stratum with fewer than {least} answers joins another; a "
            f"weight is cut at {trim} times the median; where only totals are known, weights are raked to them.",
        ),
        formulas=("w_h = F_h / n_h", "n_eff = (Σw)² / Σw²"),
    )


def _adjustment(rules: Rules) -> Step:
    name = Text(zh="怎样作答", en="How they answered")
    if rules.adjustment is None:
        return _off(
            3,
            name,
            zh="未启用：电话、代填等不同答题方式的答卷一视同仁，不作加减。系数只能用以前年度的数据估计。",
            en="Off: answers count alike however they came. Coefficients could only come from an earlier cycle.",
        )
    adjustment = rules.adjustment
    entries = [
        (rules.dimension(c.dimension).name, MODES[c.mode] if c.mode else rules.criterion(c.criterion or "").text, c)
        for c in adjustment.coefficients
    ]
    zh = "；".join(f"{dimension.zh}：{what.zh} {c.points:+g} 分" for dimension, what, c in entries)
    en = "; ".join(f"{dimension.en}: {what.en} {c.points:+g}" for dimension, what, c in entries)
    return Step(
        3,
        name,
        on=True,
        says=Text(
            zh=f"服务对象怎样作答、由谁作答会影响答案；按事先公布的系数扣除（{zh}）。系数依据："
            f"{adjustment.ground.zh}。",
            en="How and by whom a recipient's survey was answered moves the answers; that is taken off with "
            f"coefficients published beforehand ({en} points). They rest on: {adjustment.ground.en}.",
        ),
        formulas=("ỹ = y − Σ b·(x − x̄)",),
        frozen=Text(zh="平均答题情况 x̄", en="x̄, the average circumstances"),
    )


def _severity(rules: Rules) -> Step:
    name = Text(zh="谁来评判", en="Who judged")
    if rules.severity is None:
        return _off(
            4,
            name,
            zh="未启用：评价员宽严不同，不作校正，其影响计入误差。",
            en="Off: evaluators count as they are; that some are more severe is part of the margin of error.",
        )
    party = rules.party(rules.severity.party).name
    least, sd = rules.interval.pool_minimum, f"{rules.interval.assumed_rater_sd:g}"
    return Step(
        4,
        name,
        on=True,
        says=Text(
            zh=f"{party.zh}的评价员同评一些项目，由此估出各人宽严（{rules.severity.method}）并扣除；"
            f"互不相连的评价员之间不作比较。两人以上同评的项目不足 {least} 个时不校正，按标准差 {sd} 分计入误差，"
            "并注明是假定。",
            en=f"{party.en}: raters share contracts, from which the severity of each is estimated "
            f"({rules.severity.method}) and taken off; raters that no shared contracts connect are not compared. "
            f"With fewer than {least} contracts of two raters nothing is taken off, and a standard deviation of {sd} "
            "points is assumed, and said.",
        ),
        formulas=("y = μ + α_c + s_i + e", "ỹ = y − ŝ_i"),
        frozen=Text(zh="各评价员的宽严 ŝ", en="each rater's severity ŝ"),
    )


def _cell(rules: Rules) -> Step:
    strength, level = rules.interval.prior_strength, f"{rules.interval.level:.0%}"
    return Step(
        5,
        Text(zh="一方对一个维度的评价", en="One party on one dimension"),
        on=True,
        says=Text(
            zh="取平均并截到 0 至 100 分。服务对象的误差按答案的分散程度计算；答卷少时，"
            f"借用全部项目的分散程度（相当于 {strength:g} 份答卷）；服务的人大多答了，误差相应缩小。"
            f"购买主体和评价员不是全体，误差按评价员之间的差异计算。把握程度 {level}。",
            en="The mean, cut to 0 to 100. Recipients: Wilson limits for the spread of their answers; few answers "
            f"borrow the spread seen over all contracts, worth {strength:g} answers; where most of those served "
            "answered, the margin shrinks. Purchasers and evaluators: the margin of raters who differ. Confidence "
            f"{level}.",
        ),
        formulas=(
            "θ̂ = Σwy / Σw,  m = θ̂/100",
            f"φ = ({strength:g}·φ_pool + (n − 1)·s²/(m(1 − m))) / (n − 1 + {strength:g})",
            "n′ = n_eff / (φ·(1 − n/F))",
            "(l, u) = (m + z²/2n′ ± z·√(m(1 − m)/n′ + z²/4n′²)) / (1 + z²/n′)",
            "σ² = (σ²_rater + σ²_e) / n",
        ),
        frozen=Text(zh="φ_pool、评价员方差", en="φ_pool, the raters' variance"),
    )


def _score(rules: Rules) -> Step:
    geometric = rules.aggregation == "geometric"
    missing = rules.status.missing_party == "withhold"
    zh_missing, en_missing = (
        ("缺一方评价的，暂不评级。", "Where a party is missing, the score is withheld.")
        if missing
        else (
            "缺一方评价的，由其余各方分担其比重，误差加大，并注明。",
            "Where a party is missing, the others carry its weight and the margin grows; it is said.",
        )
    )
    zh_mean = "各维度得分的加权几何平均" if geometric else "各方对各维度评价的加权平均"
    en_mean = "the weighted geometric mean of the dimensions" if geometric else "the weighted mean of all cells"
    return Step(
        6,
        Text(zh="总分", en="The score"),
        on=True,
        says=Text(
            zh=f"总分是{zh_mean}；误差由各部分的误差合成，同一方各维度之间的相关计算在内。{zh_missing}",
            en=f"The score is {en_mean}; its margin is put together from those of its parts, with the correlation "
            f"between one party's dimensions. {en_missing}",
        ),
        formulas=(
            "T = Π_d (Σ_p V_{p|d}·θ̂_pd)^W_d" if geometric else "T = Σ_d W_d Σ_p V_{p|d}·θ̂_pd",
            "low = T − √(aᵀRa),  a = W_d·V_{p|d}·(θ̂ − l)",
            "high = T + √(bᵀRb),  b = W_d·V_{p|d}·(u − θ̂)",
        ),
        frozen=Text(zh="相关系数 R、缺一方时的差距", en="the correlations R, the gaps between parties"),
    )


def _shrinkage(rules: Rules) -> Step:
    name = Text(zh="与同组比较后的估计", en="Beside its peers")
    if rules.shrinkage is None:
        return _off(
            7,
            name,
            zh="未启用：不计算收缩后的分数；下一年度选择时看原分数。",
            en="Off: no score is drawn towards its peers; past performance reads the plain score.",
        )
    return Step(
        7,
        name,
        on=True,
        says=Text(
            zh="误差越大的分数，越向同组平均靠拢；列在总分旁边，供下一年度选择参考。公告的总分、"
            f"等级和名次不因此改变。组内差异按 {rules.shrinkage.method} 每次计算时重新估计。",
            en="The less certain a score, the further it is drawn towards its peers' mean; printed beside the score "
            "for next year's choice. The score, its grade and its rank stay. The differences between peers are "
            f"estimated by {rules.shrinkage.method}, anew in each run.",
        ),
        formulas=("T_c ~ N(θ_c, V_c),  θ_c ~ N(μ, τ²)", "B = V/(V + τ²)", "θ̃ = (1 − B)·T + B·μ"),
    )


def _grades(rules: Rules) -> Step:
    near = f"{rules.status.near_boundary:.0%}"
    return Step(
        8,
        Text(zh="等级", en="Grade"),
        on=True,
        says=Text(
            zh=f"用未四舍五入的总分定级，含下限、不含上限；同时给出属于各等级的可能，最可能的等级不到 {near} 的，"
            "注明临近界限。不按名次比例定级：那样别人变动，自己也会跟着变。",
            en="From the score that is not rounded, lower bounds included; each grade's probability stands beside "
            f"it, and a likeliest grade below {near} is marked as near a boundary. Never by quotas of ranks: these "
            "would move when somebody else moves.",
        ),
        formulas=("P(g) = Φ((upper − T)/σ) − Φ((lower − T)/σ)",),
    )


def _ranks(rules: Rules) -> Step:
    name = Text(zh="名次", en="Ranks")
    minimum = rules.peer_group_minimum
    if rules.rank_sets is None:
        return _off(
            9,
            name,
            zh=f"未启用名次范围：只有名次，在同组内排，同分同名次；不足 {minimum} 个项目的组并入上级组。",
            en=f"Rank sets are off: plain ranks inside a peer group stand alone; fewer than {minimum} join the group "
            "above.",
        )
    sets = rules.rank_sets
    zh_joint, en_joint = ("同时成立", "all at once") if sets.simultaneous else ("逐个成立", "each for itself")
    return Step(
        9,
        name,
        on=True,
        says=Text(
            zh=f"名次在同组内排，不足 {minimum} 个项目的组并入上级组；每个名次附可能的范围，把握程度 "
            f"{sets.level:.0%}，{zh_joint}；分不出高下的归入同一档。",
            en=f"Inside a peer group; fewer than {minimum} join the group above. Beside each rank stands the set of "
            f"ranks it may have, with {sets.level:.0%} confidence, {en_joint}; those that cannot be told apart share "
            "a band.",
        ),
        formulas=(
            "Δ_jk = (T_j − T_k)/√(V_j + V_k)",
            "rank_j ∈ [1 + #{k: Δ_kj > c},  n − #{k: Δ_jk > c}]",
        ),
    )


def _sensitivity(rules: Rules) -> Step:
    name = Text(zh="权重的影响", en="What the weights do")
    if rules.sensitivity is None:
        return _off(
            10,
            name,
            zh="未启用：不计算改变权重时名次怎样变化。",
            en="Off: how ranks would move under other weights is not reckoned.",
        )
    step = rules.sensitivity
    return Step(
        10,
        name,
        on=True,
        says=Text(
            zh=f"在公布的权重附近随机取 {step.draws} 组权重，看名次在其中 {step.level:.0%} 的范围，"
            "以及相邻两个项目中谁领先的比例。",
            en=f"{step.draws} sets of weights are drawn around the published ones: the ranks over the middle "
            f"{step.level:.0%} of them, and for neighbours the share in which each leads.",
        ),
        formulas=(f"w ~ Dirichlet({step.concentration:g}·w₀)", "Var T = (Σ w₀x² − (Σ w₀x)²)/(κ + 1)"),
    )


def _reliability(rules: Rules) -> Step:
    name = Text(zh="评价是否可靠", en="Are the raters reliable?")
    if rules.reliability is None:
        return _off(
            11, name, zh="未启用：不计算评价员之间的一致程度。", en="Off: agreement between raters is not reckoned."
        )
    target = f"{rules.reliability.target:g}"
    return Step(
        11,
        name,
        on=True,
        says=Text(
            zh="计算评价员之间的一致程度（组内相关、Krippendorff α）和问卷的内部一致性（Cronbach α），以及达到 "
            f"{target} 需要几名评价员。可靠程度不影响任何分数和评级：承接主体彼此相近时，它对谁都低。",
            en="Agreement between raters (intraclass correlation, Krippendorff's α), each questionnaire's "
            f"consistency (Cronbach's α), and how many raters reach {target}. It decides no score and no status: "
            "where vendors are alike it is low for everybody.",
        ),
        formulas=("ICC(2,1) = σ²_c/(σ²_c + σ²_s + σ²_e)", "α = 1 − D_o/D_e", "k = R(1 − ρ)/(ρ(1 − R))"),
    )


def _integrity(rules: Rules) -> Step:
    name = Text(zh="异常评分", en="Integrity")
    if rules.integrity is None:
        return _off(12, name, zh="未启用：不自动查找异常评分。", en="Off: nothing looks for suspicious ratings.")
    return Step(
        12,
        name,
        on=True,
        says=Text(
            zh="查找答题过快、全选同一级、答卷雷同、一天内答卷过多、评价员对某一承接主体偏离、各方相差过大、"
            "一名评价员左右总分等迹象。发现后由人核查、写明理由再决定是否暂不计入；不删除任何评分，"
            "计入与不计入的分数都公布。",
            en="Signs are looked for: answers too quick, all alike, or near duplicates of others, too many in a day, "
            "an evaluator off for one vendor, parties far apart, one rater who moves the score. A person decides, "
            "with a reason; nothing is deleted, and the score with and without what is held is shown.",
        ),
        formulas=("p₍ᵢ₎ ≤ α·i/m  (Benjamini–Hochberg)",),
    )


def _past(rules: Rules) -> Step:
    selection = rules.selection
    return Step(
        13,
        Text(zh="下一年度", en="Next year"),
        on=True,
        says=Text(
            zh=f"承接主体的往年评价，是最近 {selection.look_back} 年公告分数按规模加权的平均，每早一年乘以 "
            f"{selection.decay:g}；没有记录的按同组平均计，并注明中性。它只是重要参考，由人决定并写明理由。",
            en="Past performance is the size-weighted mean of a vendor's published scores of the last "
            f"{selection.look_back} years, each year of age times {selection.decay:g}; no record counts as the peer "
            "mean and is labelled neutral. It is a reference: a person decides, with the ground in writing.",
        ),
        formulas=("P = Σ s·δ^age·θ̃ / Σ s·δ^age",),
    )
