"""Faults of sense: parts that are well formed and do not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from evalsys.rules.draft import Draft
from evalsys.rules.faults import Finding, KeyPath, found, listed, quoted
from evalsys.rules.model import BandScale, Criterion, GoalpostScale, LevelScale, Source
from evalsys.rules.step_consistency import step_findings

TOLERANCE = 1e-6  # a third written as 0.3333333 is a third
MEASURING = {"bands", "goalposts"}
NAMELESS = "recipient"  # the party that answers the survey


def consistency_findings(draft: Draft) -> Iterator[Finding]:
    yield from _parties(draft)
    yield from _criteria(draft)
    yield from _anchors(draft)
    yield from _scales(draft)
    yield from _sums(draft)
    yield from _unweighted(draft)
    yield from _unserved_cells(draft)
    yield from _grades(draft)
    yield from _status(draft)
    yield from _circles(draft)
    yield from _price_ranges(draft)
    yield from step_findings(draft)


def _parties(draft: Draft) -> Iterator[Finding]:
    """Recipients answer without a name: they sign nothing and attach nothing."""
    for place, party in draft.parties.entries.items():
        for key, asked in (("acceptance", party.acceptance), ("cosign", party.cosign)):
            if asked and party.code == NAMELESS:
                yield found(
                    ("parties", place, key),
                    zh=("服务对象匿名作答，不附材料，也不会签", "删去这一行"),
                    en=("recipients answer without a name, attach nothing and sign nothing", "delete this line"),
                )


def _criteria(draft: Draft) -> Iterator[Finding]:
    kinds = {scale.code: scale.kind for scale in draft.scales.entries.values()}
    for place, criterion in draft.criteria.entries.items():
        path: KeyPath = ("criteria", place)
        if criterion.source is Source.ADJUSTER:
            for key in ("dimension", "weight"):
                if key in draft.criteria.tables[place]:
                    yield found(
                        (*path, key),
                        zh=("source 是 adjuster（不计分），不能写这一项", "删去这一行"),
                        en=("an adjuster is never scored and has none", "delete this line"),
                    )
        elif criterion.dimension is None:
            yield found(
                (*path, "dimension"),
                zh=("计分的指标没有维度", f"写 dimension = …，可写：{listed(draft.dimensions.names, 'zh')}"),
                en=(
                    "a scored criterion has no dimension",
                    f"write dimension = …, one of {listed(draft.dimensions.names, 'en')}",
                ),
            )
        measured = criterion.source is Source.MEASURED
        if criterion.scale in kinds and (kinds[criterion.scale] in MEASURING) != measured:
            yield _wrong_scale((*path, "scale"), criterion, kinds[criterion.scale], measured=measured)


def _wrong_scale(path: KeyPath, criterion: Criterion, kind: str, *, measured: bool) -> Finding:
    if measured:
        return found(
            path,
            zh=(f"由台账算出的指标不能用 {kind} 量表", "换成 bands 或 goalposts 量表"),
            en=(f"a measured criterion cannot use a {kind} scale", "name a scale of kind bands or goalposts"),
        )
    return found(
        path,
        zh=(
            f"由人回答的指标（source 是 {criterion.source}）不能用 {kind} 量表",
            '换成 levels 或 yes_no 量表，或写 source = "measured"',
        ),
        en=(
            f"a criterion that people answer (source {criterion.source}) cannot use a {kind} scale",
            'name a scale of kind levels or yes_no, or write source = "measured"',
        ),
    )


def _anchors(draft: Draft) -> Iterator[Finding]:
    """All levels are explained, or none is."""
    scales = {scale.code: scale for scale in draft.scales.entries.values()}
    for place, criterion in draft.criteria.entries.items():
        scale = scales.get(criterion.scale)
        if not criterion.anchors or scale is None:
            continue
        levels = 0 if isinstance(scale, BandScale | GoalpostScale) else 2
        if isinstance(scale, LevelScale):
            levels = len(scale.levels)
        given = len(criterion.anchors)
        if given != levels:
            yield found(
                ("criteria", place, "anchors"),
                zh=(f"写了 {given} 级的标准，量表 {quoted(scale.code)} 有 {levels} 级", "每级写一条，或整段删去"),
                en=(
                    f"{given} levels are explained, but the scale {quoted(scale.code)} has {levels}",
                    "explain each level, or delete all of it",
                ),
            )


def _scales(draft: Draft) -> Iterator[Finding]:
    for place, scale in draft.scales.entries.items():
        path: KeyPath = ("scales", place)
        match scale:
            case GoalpostScale(worst=worst, best=best) if worst == best:
                yield found(
                    (*path, "best"),
                    zh=(f"best 与 worst 都是 {best:g}", "写两个不同的数；越少越好时 worst 大于 best"),
                    en=(
                        f"best and worst are both {best:g}",
                        "write two numbers; worst is the larger where less is better",
                    ),
                )
            case BandScale(bands=bands):
                for at in range(1, len(bands)):
                    if bands[at].at <= bands[at - 1].at:
                        yield found(
                            (*path, "bands", at, "at"),
                            zh=(f"{bands[at].at:g} 不大于前一段的 {bands[at - 1].at:g}", "从小到大写，不重复"),
                            en=(
                                f"{bands[at].at:g} is not above the {bands[at - 1].at:g} before it",
                                "write them ascending",
                            ),
                        )
            case LevelScale(levels=levels):
                yield from _repeated_levels((*path, "levels"), [(level.zh, level.en) for level in levels])


def _repeated_levels(path: KeyPath, levels: list[tuple[str, str]]) -> Iterator[Finding]:
    for at, (zh, en) in enumerate(levels):
        before = levels[:at]
        for key, words, earlier in (("zh", zh, [z for z, _ in before]), ("en", en, [e for _, e in before])):
            if words in earlier:
                yield found(
                    (*path, at, key),
                    zh=(f"{quoted(words)} 前面已经有了", "每一级写不同的文字"),
                    en=(f"{quoted(words)} is there already", "give each level its own words"),
                )


def _sums(draft: Draft) -> Iterator[Finding]:
    rows = draft.weights.entries
    for place, row in rows.items():
        total = sum(row.parties.values())
        if abs(total - 1) > TOLERANCE:
            yield found(
                ("weights", place, "parties"),
                zh=(f"各方比重合计为 {total:.9g}", "改到合计为 1"),
                en=(f"the parties' shares sum to {total:.9g}", "change them so that they sum to 1"),
            )
    total = sum(row.share for row in rows.values())
    if draft.weights.whole and rows and abs(total - 1) > TOLERANCE:
        yield found(
            ("weights",),
            zh=(f"各维度的比重（share）合计为 {total:.9g}", "改到合计为 1"),
            en=(f"the dimensions' shares sum to {total:.9g}", "change them so that they sum to 1"),
        )


def _unweighted(draft: Draft) -> Iterator[Finding]:
    """Dimensions, parties and criteria that no weight would ever count."""
    if not draft.weights.whole or not draft.weights.entries:
        return
    cells = {(row.dimension, party) for row in draft.weights.entries.values() for party in row.parties}
    # a misspelt name is told by itself; what it seems to leave without a weight is not told as well
    dimensions_meant = set(draft.weights.names) <= set(draft.dimensions.names)
    parties_meant = {party for _, party in cells} <= set(draft.parties.names)
    for place, code in draft.dimensions.codes:
        if dimensions_meant and code not in draft.weights.names:
            yield found(
                ("dimensions", place),
                zh=(f"维度 {quoted(code)} 没有权重", f'加一节 [[weights]]，写 dimension = "{code}"，或删去这个维度'),
                en=(
                    f"dimension {quoted(code)} has no weight",
                    f'add a [[weights]] with dimension = "{code}", or delete the dimension',
                ),
            )
    for place, code in draft.parties.codes:
        if parties_meant and not any(party == code for _, party in cells):
            yield found(
                ("parties", place),
                zh=(f"评价主体 {quoted(code)} 在各维度都没有比重", "在 [[weights]] 的 parties 里写上，或删去这一方"),
                en=(
                    f"party {quoted(code)} has no weight on any dimension",
                    "name it in parties of [[weights]], or delete it",
                ),
            )
    for place, criterion in draft.criteria.entries.items():
        cell = (criterion.dimension, criterion.party)
        known = criterion.dimension in draft.weights.names and criterion.party in draft.parties.names
        if known and parties_meant and criterion.source is not Source.ADJUSTER and cell not in cells:
            yield found(
                ("criteria", place, "dimension"),
                zh=(
                    f"{quoted(criterion.party)} 在 {quoted(cell[0] or '')} 维度没有比重，这一题不会计分",
                    "在 [[weights]] 里给它比重，或换维度，或删去这一题",
                ),
                en=(
                    f"{quoted(criterion.party)} has no weight on {quoted(cell[0] or '')}, so this never counts",
                    "give it a weight in [[weights]], name another dimension, or delete the criterion",
                ),
            )


def _unserved_cells(draft: Draft) -> Iterator[Finding]:
    """A weight must have a required criterion to stand on, for every service type."""
    if not (draft.criteria.whole and draft.criteria.entries and draft.service_types.whole):
        return
    scored = [c for c in draft.criteria.entries.values() if c.required and c.source is not Source.ADJUSTER]
    types = draft.service_types.names
    for place, row in draft.weights.entries.items():
        if row.dimension not in draft.dimensions.names:
            continue
        for party in row.parties:
            if any(_may_mean(c, row.dimension, party, draft) for c in scored):
                continue
            serving = [c for c in scored if (c.dimension, c.party) == (row.dimension, party)]
            general = any(not c.service_types for c in serving)
            named = {name for c in serving for name in c.service_types}
            lacking = [] if general else [name for name in types if name not in named]
            if not serving or lacking:
                yield found(
                    ("weights", place, "parties", party),
                    zh=(
                        f"{quoted(party)} 在 {quoted(row.dimension)} 维度有比重，却没有必答的计分指标"
                        + (f"（服务类别：{listed(lacking, 'zh')}）" if serving else ""),
                        "为它写一个必答的 [[criteria]]，或删去这个比重",
                    ),
                    en=(
                        f"{quoted(party)} weighs on {quoted(row.dimension)}, but no required scored criterion serves it"
                        + (f" for {listed(lacking, 'en')}" if serving else ""),
                        "add a required one to [[criteria]], or delete the weight",
                    ),
                )


def _may_mean(criterion: Criterion, dimension: str, party: str, draft: Draft) -> bool:
    """Has it a misspelt name behind which it may serve this cell? Then only the name is told."""
    strange_dimension = criterion.dimension not in draft.dimensions.names
    strange_party = criterion.party not in draft.parties.names
    strange_type = not set(criterion.service_types) <= set(draft.service_types.names)
    return (
        (strange_dimension or strange_party or strange_type)
        and (strange_dimension or criterion.dimension == dimension)
        and (strange_party or criterion.party == party)
    )


def _grades(draft: Draft) -> Iterator[Finding]:
    """The best first; together they cover 0 to 100 once."""
    if not draft.grades.whole or not draft.grades.entries:
        return
    written = list(draft.grades.entries.items())
    for place, grade in written:
        if grade.start >= grade.stop:
            yield found(
                ("grades", place, "from"),
                zh=(f"from（{grade.start:g}）不小于 to（{grade.stop:g}）", "from 写下限，to 写上限"),
                en=(f"from ({grade.start:g}) is not below to ({grade.stop:g})", "write the lower bound in from"),
            )
    ordered = sorted(written, key=lambda entry: -entry[1].start)
    for (place, grade), (_, expected) in zip(written, ordered, strict=True):
        if grade.start != expected.start:
            yield found(
                ("grades", place),
                zh=("等级没有从高到低写", f"这里应当是 from = {expected.start:g} 的等级"),
                en=("grades are not in order, the best first", f"here belongs the one with from = {expected.start:g}"),
            )
            break
    for (place, upper), (below, lower) in pairwise(ordered):
        if lower.stop != upper.start:
            overlap = lower.stop > upper.start
            yield found(
                ("grades", below, "to"),
                zh=(
                    f"与上一等级{'重叠' if overlap else '之间有空档'}（{lower.stop:g} 与 {upper.start:g}）",
                    f"写 to = {upper.start:g}，或改第 {place + 1} 个等级的 from",
                ),
                en=(
                    f"{'overlaps' if overlap else 'leaves a gap to'} the grade above ({lower.stop:g}, {upper.start:g})",
                    f"write to = {upper.start:g}, or change from of grades[{place}]",
                ),
            )
    yield from _uncovered(("grades", ordered[0][0], "to"), ordered[0][1].stop, 100)
    yield from _uncovered(("grades", ordered[-1][0], "from"), ordered[-1][1].start, 0)


def _uncovered(path: KeyPath, bound: float, end: int) -> Iterator[Finding]:
    if bound != end:
        yield found(
            path,
            zh=(f"等级没有覆盖 0 到 100 分，到 {bound:g} 为止", f"写 {path[-1]} = {end}"),
            en=(f"the grades do not cover 0 to 100: they end at {bound:g}", f"write {path[-1]} = {end}"),
        )


def _status(draft: Draft) -> Iterator[Finding]:
    if draft.status is None or draft.status.provisional_half_width is None:
        return
    rated, provisional = draft.status.rated_half_width, draft.status.provisional_half_width
    path: KeyPath = ("status", "provisional_half_width")
    if rated is None:
        yield found(
            path,
            zh=("写了暂定的范围，没有写正式评级的范围", "加上 rated_half_width，或删去这一行"),
            en=("there is no rated_half_width", "add it, or delete this line"),
        )
    elif provisional < rated:
        yield found(
            path,
            zh=(f"{provisional:g} 小于 rated_half_width 的 {rated:g}", "暂定的范围应当更宽"),
            en=(f"{provisional:g} is below rated_half_width, {rated:g}", "write a larger number"),
        )


def _circles(draft: Draft) -> Iterator[Finding]:
    parents = {group.code: group.parent for group in draft.peer_groups.entries.values()}
    for place, group in draft.peer_groups.entries.items():
        line = [group.code]
        above = group.parent
        while above is not None and above not in line:
            line.append(above)
            above = parents.get(above)
        if above == group.code:
            yield found(
                ("peer_groups", place, "parent"),
                zh=(f"上级组绕成了圈：{' → '.join([*line, above])}", "改写或删去 parent"),
                en=(f"the parents run in a circle: {' → '.join([*line, above])}", "change or delete parent"),
            )


def _price_ranges(draft: Draft) -> Iterator[Finding]:
    for place, use in draft.uses.entries.items():
        if use.price_minimum > use.price_maximum:
            yield found(
                ("selection", "uses", place, "price_maximum"),
                zh=(f"{use.price_maximum:g} 小于 price_minimum 的 {use.price_minimum:g}", "上限不能小于下限"),
                en=(
                    f"{use.price_maximum:g} is below price_minimum, {use.price_minimum:g}",
                    "write the upper bound in price_maximum",
                ),
            )
