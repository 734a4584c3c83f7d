"""The rules as tables that a reader without knowledge of the file can follow, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator

from evalsys.rules.model import (
    BandScale,
    Criterion,
    GoalpostScale,
    LevelScale,
    Rules,
    SelectionUse,
    Source,
    YesNoScale,
)
from evalsys.rules.steps import steps
from evalsys.rules.text_table import table
from evalsys.rules.values import Text


def explained(rules: Rules, language: str) -> str:
    """The whole explanation, ending in a newline."""
    return "\n".join(_Explanation(rules, language).lines()) + "\n"


def shares_of_score(rules: Rules, criterion: Criterion) -> tuple[float, float] | None:
    """The least and the greatest share of the final score over the service types it is asked for.

    They differ where service types have different numbers of criteria. Holds when every criterion is answered.
    None for an adjuster, which is never scored.
    """
    if criterion.dimension is None:
        return None
    types: tuple[str | None, ...] = criterion.service_types or tuple(t.code for t in rules.service_types) or (None,)
    cell = rules.weight(criterion.dimension, criterion.party)
    shares = []
    for service_type in types:
        rivals = [c for c in rules.criteria_for(criterion.party, service_type) if c.dimension == criterion.dimension]
        shares.append(cell * criterion.weight / sum(c.weight for c in rivals))
    return min(shares), max(shares)


class _Explanation:
    def __init__(self, rules: Rules, language: str) -> None:
        self.rules = rules
        self.language = language

    def say(self, zh: str, en: str) -> str:
        return zh if self.language.startswith("zh") else en

    def name(self, words: Text) -> str:
        return words.in_language(self.language)

    def lines(self) -> Iterator[str]:
        yield f"{self.name(self.rules.title)}  {self.rules.version}"
        sections = (
            (self.say("评价主体", "Parties"), self.parties()),
            (self.say("权重（占总分的百分比）", "Weights (percent of the score)"), self.weights()),
            (self.say("评价指标", "Criteria"), self.criteria()),
            (self.say("各级的标准", "What each level means"), self.anchors()),
            (self.say("量表", "Scales"), self.scales()),
            (self.say("等级", "Grades"), self.grades()),
            (self.say("评级条件", "When a score is rated"), self.status()),
            (self.say("计算步骤", "Steps of the method"), self.steps()),
            (self.say("比较组", "Peer groups"), self.peer_groups()),
            (self.say("公示、异议与整改", "Notice, objections and rectification"), self.appeals()),
            (self.say("下一年度选择承接主体", "Choosing next year's vendor"), self.selection()),
        )
        for heading, lines in sections:
            if lines:
                yield from ("", f"## {heading}", "", *lines)

    def parties(self) -> list[str]:
        header = (
            self.say("主体", "Party"),
            self.say("至少几份", "At least"),
            self.say("代号", "Code"),
            self.say("提交要求", "Needed to submit"),
        )
        acceptance, cosign = self.say("附检查验收材料", "acceptance evidence"), self.say("会签", "co-signature")
        rows = [
            (
                self.name(party.name),
                str(party.minimum),
                party.code,
                ", ".join(word for word, asked in ((acceptance, party.acceptance), (cosign, party.cosign)) if asked)
                or "-",
            )
            for party in self.rules.parties
        ]
        return table(header, rows, right=frozenset({1}))

    def weights(self) -> list[str]:
        rules = self.rules
        header = (
            self.say("维度", "Dimension"),
            *(self.name(party.name) for party in rules.parties),
            self.say("合计", "Total"),
        )
        cells = [[rules.weight(d.code, p.code) for p in rules.parties] for d in rules.dimensions]
        rows = [
            (self.name(dimension.name), *map(_percent, row), _percent(sum(row)))
            for dimension, row in zip(rules.dimensions, cells, strict=True)
        ]
        totals = [sum(column) for column in zip(*cells, strict=True)]
        rows.append((self.say("合计", "Total"), *map(_percent, totals), _percent(sum(totals))))
        lines = table(header, rows, right=frozenset(range(1, len(header))))
        combined = {
            "arithmetic": self.say("总分是加权平均。", "The score is the weighted mean."),
            "geometric": self.say("总分是加权几何平均。", "The score is the weighted geometric mean."),
        }
        return [*lines, "", combined[rules.aggregation]]

    def criteria(self) -> list[str]:
        header = (
            self.say("占总分", "Of score"),
            self.say("维度", "Dimension"),
            self.say("作答", "Answer"),
            self.say("量表", "Scale"),
            self.say("代号", "Code"),
            self.say("题目", "Question"),
        )
        dimensions = {d.code: self.name(d.name) for d in self.rules.dimensions}
        lines: list[str] = []
        for party in self.rules.parties:
            rows = [
                (
                    self.share(c),
                    dimensions.get(c.dimension or "", self.say("不计分", "not scored")),
                    self.answer(c),
                    c.scale,
                    c.code,
                    self.name(c.text) + self.only_for(c),
                )
                for c in self.rules.criteria_for(party.code)
            ]
            lines += ["", self.name(party.name), *table(header, rows, right=frozenset({0}))]
        return lines[1:]

    def share(self, criterion: Criterion) -> str:
        shares = shares_of_score(self.rules, criterion)
        if shares is None:
            return "-"
        least, greatest = (_percent(share) for share in shares)
        return least if least == greatest else f"{least}~{greatest}"

    def answer(self, criterion: Criterion) -> str:
        if criterion.source is Source.MEASURED:
            return self.say("由台账算出", "from records")
        required = self.say("必答", "required") if criterion.required else self.say("选答", "optional")
        return required + (self.say("，可不适用", ", may not apply") if criterion.not_applicable else "")

    def only_for(self, criterion: Criterion) -> str:
        names = [self.name(t.name) for t in self.rules.service_types if t.code in criterion.service_types]
        if not names:
            return ""
        return self.say(f"（仅：{'、'.join(names)}）", f" (only: {', '.join(names)})")

    def anchors(self) -> list[str]:
        header = (self.say("代号", "Code"), self.say("等级", "Level"), self.say("标准", "Meaning"))
        rows = [
            (criterion.code, level, self.name(anchor))
            for criterion in self.rules.criteria
            if criterion.anchors
            for level, anchor in zip(self.levels(self.rules.scale_of(criterion)), criterion.anchors, strict=True)
        ]
        return table(header, rows) if rows else []

    def levels(self, scale: LevelScale | YesNoScale | BandScale | GoalpostScale) -> list[str]:
        if isinstance(scale, LevelScale):
            return [self.name(level) for level in scale.levels]
        return [self.say("否", "no"), self.say("是", "yes")]

    def scales(self) -> list[str]:
        header = (self.say("量表", "Scale"), self.say("怎样得分", "Points"))
        unscored = {c.scale for c in self.rules.criteria if c.source is Source.ADJUSTER}
        unscored -= {c.scale for c in self.rules.criteria if c.source is not Source.ADJUSTER}
        not_scored = self.say("不计分", "not scored")
        rows = [(s.code, not_scored if s.code in unscored else self.points(s)) for s in self.rules.scales]
        return table(header, rows)

    def points(self, scale: LevelScale | YesNoScale | BandScale | GoalpostScale) -> str:
        match scale:
            case LevelScale(levels=levels):
                steps = len(levels) - 1
                return ", ".join(f"{self.name(words)} {100 * at / steps:.4g}" for at, words in enumerate(levels))
            case YesNoScale():
                return self.say("否 0, 是 100", "no 0, yes 100")
            case BandScale(bands=bands):
                entries = ", ".join(f"≥ {band.at:g}: {band.points:g}" for band in bands)
                return f"{self.name(scale.unit)}: {entries}"
        return f"{self.name(scale.unit)}: {scale.worst:g} → 0, {scale.best:g} → 100"

    def grades(self) -> list[str]:
        header = (self.say("等级", "Grade"), self.say("分数段", "Score"))
        top = max(grade.stop for grade in self.rules.grades)
        return table(
            header,
            [
                (self.name(g.name), f"[{g.start:g}, {g.stop:g}{']' if g.stop == top else ')'}")
                for g in self.rules.grades
            ],
        )

    def status(self) -> list[str]:
        rules, status = self.rules, self.rules.status
        lines = []
        if status.rated_half_width is not None:
            lines.append(
                self.say(
                    f"误差范围不超过 ±{status.rated_half_width:g} 分：正式评级",
                    f"half-width of the interval at most {status.rated_half_width:g} points: rated",
                )
            )
        if status.provisional_half_width is not None:
            lines.append(
                self.say(
                    f"误差范围不超过 ±{status.provisional_half_width:g} 分：暂定；更大：暂不评级",
                    f"at most {status.provisional_half_width:g} points: provisional; wider: not rated",
                )
            )
        missing = {
            "withhold": self.say("缺一方评价：暂不评级", "a party is missing: not rated"),
            "reproportion": self.say(
                "缺一方评价：由其余各方按比例分担，并注明",
                "a party is missing: the others share its weight, and it is said",
            ),
        }
        lines.append(missing[status.missing_party])
        if rules.cap is not None:
            grade = next(self.name(g.name) for g in rules.grades if g.code == rules.cap.grade)
            lines.append(
                self.say(
                    f"任一维度低于 {rules.cap.dimension_below:g} 分：等级最高为“{grade}”",
                    f"any dimension below {rules.cap.dimension_below:g}: the grade is at most “{grade}”",
                )
            )
        lines.append(
            self.say(
                f"误差范围的把握程度：{rules.interval.level:.0%}", f"level of the interval: {rules.interval.level:.0%}"
            )
        )
        return lines

    def steps(self) -> list[str]:
        header = (
            self.say("步骤", "Step"),
            self.say("启用", "On"),
            self.say("名称", "Name"),
            self.say("做什么", "What it does"),
        )
        yes, no = self.say("是", "on"), self.say("否", "off")
        rows = [
            (str(step.number), yes if step.on else no, self.name(step.name), self.name(step.says))
            for step in steps(self.rules)
        ]
        return table(header, rows, right=frozenset({0}))

    def peer_groups(self) -> list[str]:
        if not self.rules.peer_groups:
            return []
        header = (self.say("比较组", "Peer group"), self.say("上级组", "Parent"), self.say("服务类别", "Service types"))
        groups = {group.code: self.name(group.name) for group in self.rules.peer_groups}
        types = {t.code: self.name(t.name) for t in self.rules.service_types}
        rest = next((group for group in self.rules.peer_groups if not group.service_types), None)
        others = self.say("其余全部", "all others")
        return table(
            header,
            [
                (
                    self.name(group.name),
                    groups.get(group.parent or "", "-"),
                    ", ".join(types[code] for code in group.service_types) or (others if group is rest else "-"),
                )
                for group in self.rules.peer_groups
            ],
        )

    def appeals(self) -> list[str]:
        days = self.rules.appeals
        asked = ", ".join(self.name(grade.name) for grade in self.rules.grades if grade.rectify)
        return [
            self.say(
                f"公示 {days.notice_working_days} 个工作日；收到异议后 {days.acceptance_working_days} 个工作日内"
                f"决定是否受理，受理后 {days.decision_days} 日内决定，可延长一次 {days.extension_days} 日；"
                f"不服的 {days.second_level_days} 日内可向上一级申请再复核。",
                f"Notice of {days.notice_working_days} working days; an objection is taken up or rejected within "
                f"{days.acceptance_working_days} working days and decided within {days.decision_days} days, prolonged "
                f"once by at most {days.extension_days}; within {days.second_level_days} days the region above may be "
                "asked.",
            ),
            self.say(
                f"须整改的等级：{asked or '无'}；{days.rectification_days} 日内完成。",
                f"Grades that ask for rectification: {asked or 'none'}; within {days.rectification_days} days.",
            ),
        ]

    def selection(self) -> list[str]:
        selection = self.rules.selection
        if not selection.uses:
            return []
        header = (
            self.say("方式", "Use"),
            self.say("往年评价", "Past performance"),
            self.say("价格分", "Price"),
            self.say("依据", "Ground"),
        )
        rows = [
            (self.name(use.name), self.past_performance(use), self.price(use), self.name(use.ground))
            for use in selection.uses
        ]
        return [
            self.say(
                f"往年评价：看最近 {selection.look_back} 年，每早一年乘以 {selection.decay:g}。",
                f"Past performance: the last {selection.look_back} years, each earlier one times {selection.decay:g}.",
            ),
            "",
            *table(header, rows),
        ]

    def past_performance(self, use: SelectionUse) -> str:
        if use.past_performance == "beside":
            return self.say("只并列参考", "stands beside")
        return self.say("由方案定权重", "plan sets weight")

    def price(self, use: SelectionUse) -> str:
        if (use.price_minimum, use.price_maximum) == (0, 1):
            return self.say("不限", "any")
        if use.price_minimum == use.price_maximum:
            return _percent(use.price_minimum)
        return f"{_percent(use.price_minimum)}~{_percent(use.price_maximum)}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
