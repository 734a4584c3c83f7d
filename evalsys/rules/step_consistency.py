"""Faults of sense in the sections that switch a step of the method on."""

from __future__ import annotations

import math
from collections.abc import Iterator

from evalsys.rules.draft import Draft
from evalsys.rules.faults import Finding, KeyPath, found, listed, quoted
from evalsys.rules.model import Coefficient, Source

SAMPLED = "recipient"
"""The party that is asked as a sample of many, as the scoring core knows it."""
ALONE = "purchaser"
"""The party whose raters each rate contracts of their own, so that severity and quality cannot be told apart."""
BEYOND = 5  # draws that must lie beyond a limit before it is worth printing


def step_findings(draft: Draft) -> Iterator[Finding]:
    yield from _without_recipients(draft)
    yield from _coefficients(draft)
    yield from _means(draft)
    yield from _severity(draft)
    yield from _draws(draft)


def _without_recipients(draft: Draft) -> Iterator[Finding]:
    if not draft.parties.names or SAMPLED in draft.parties.names:
        return
    for section, present in (("weighting", draft.weighted), ("adjustment", draft.adjustment is not None)):
        if present:
            yield found(
                (section,),
                zh=(
                    f"这一节只用于服务对象，而评价主体中没有 {quoted(SAMPLED)}",
                    f"删去这一节，或把服务对象的代号写成 {quoted(SAMPLED)}",
                ),
                en=(
                    f"this is about recipients, and there is no party {quoted(SAMPLED)}",
                    f"delete the section, or give recipients the code {quoted(SAMPLED)}",
                ),
            )


def _coefficients(draft: Draft) -> Iterator[Finding]:
    cells = {(row.dimension, party) for row in draft.weights.entries.values() for party in row.parties}
    meant = {party for _, party in cells} <= set(draft.parties.names)  # a misspelt party is told by itself
    seen: set[tuple[str, str | None, str | None]] = set()
    for place, entry in draft.coefficients.entries.items():
        path: KeyPath = ("adjustment", "coefficients", place)
        if (entry.mode is None) == (entry.criterion is None):
            yield found(
                path,
                zh=("mode（答题方式）和 criterion（指标）要写且只写一个", "留下其中一个"),
                en=("it must name either a mode or a criterion, and one of them only", "keep exactly one of the two"),
            )
            continue
        yield from _about_mode(path, entry, draft) if entry.mode else _about_criterion(path, entry, draft)
        known = draft.weights.whole and meant and entry.dimension in draft.weights.names
        if known and (entry.dimension, SAMPLED) not in cells:
            yield found(
                (*path, "dimension"),
                zh=(f"服务对象在 {quoted(entry.dimension)} 维度没有比重，没有什么可调整", "换维度，或删去这一项"),
                en=(
                    f"recipients have no weight on {quoted(entry.dimension)}, so nothing is adjusted there",
                    "name another dimension, or delete this entry",
                ),
            )
        what = (entry.dimension, entry.mode, entry.criterion)
        if what in seen:
            yield found(
                path,
                zh=(f"{quoted(entry.mode or entry.criterion or '')} 在这个维度前面已经有了", "删去其中一项"),
                en=(
                    f"{quoted(entry.mode or entry.criterion or '')} is there already for this dimension",
                    "delete one of the two",
                ),
            )
        seen.add(what)


def _about_mode(path: KeyPath, entry: Coefficient, draft: Draft) -> Iterator[Finding]:
    if draft.adjustment is not None and entry.mode == draft.adjustment.reference_mode:
        yield found(
            (*path, "mode"),
            zh=(f"{quoted(entry.mode)} 就是参照方式（reference_mode），不用调整", "删去这一项，或换参照方式"),
            en=(
                f"{quoted(entry.mode)} is the reference mode, which needs no coefficient",
                "delete this entry, or name another reference_mode",
            ),
        )


def _about_criterion(path: KeyPath, entry: Coefficient, draft: Draft) -> Iterator[Finding]:
    criterion = next((c for c in draft.criteria.entries.values() if c.code == entry.criterion), None)
    if criterion is None:  # faulty itself, or unknown: told there
        return
    if criterion.source is not Source.ADJUSTER or criterion.party != SAMPLED:
        fit = [c.code for c in draft.criteria.entries.values() if c.source is Source.ADJUSTER and c.party == SAMPLED]
        yield found(
            (*path, "criterion"),
            zh=(
                f"{quoted(criterion.code)} 不是由服务对象回答、只说明答题情况的指标",
                f"换成这样的指标：{listed(fit, 'zh')}" if fit else '先写一个 source = "adjuster" 的指标，或删去这一项',
            ),
            en=(
                f"{quoted(criterion.code)} is not an adjuster that recipients answer",
                f"write one of {listed(fit, 'en')}"
                if fit
                else 'add a criterion with source = "adjuster", or delete this entry',
            ),
        )


def _means(draft: Draft) -> Iterator[Finding]:
    """Shares of modes are parts of one whole."""
    together: dict[str, float] = {}
    for place, entry in draft.coefficients.entries.items():
        if entry.mode is None or entry.mean is None:
            continue
        before = together.get(entry.dimension, 0.0)
        together[entry.dimension] = before + entry.mean
        if before <= 1 < together[entry.dimension]:
            yield found(
                ("adjustment", "coefficients", place, "mean"),
                zh=(f"各答题方式所占比重合计为 {together[entry.dimension]:.9g}，超过 1", "改到合计不超过 1"),
                en=(
                    f"the shares of the modes sum to {together[entry.dimension]:.9g}",
                    "change them so that they sum to at most 1",
                ),
            )


def _severity(draft: Draft) -> Iterator[Finding]:
    if draft.severity is None or draft.severity.party not in (SAMPLED, ALONE):
        return
    name = quoted(draft.severity.party)
    reason_zh, reason_en = {
        SAMPLED: ("每人只评一个项目，没有宽严可言", "each of them rates one contract, so there is no severity"),
        ALONE: (
            "各评各的项目，宽严与好坏分不开",
            "each rates contracts of its own, so severity and quality cannot be told apart",
        ),
    }[draft.severity.party]
    yield found(
        ("severity", "party"),
        zh=(f"{name} {reason_zh}", "换成几名评价员同评一个项目的一方，或删去这一节"),
        en=(f"{name}: {reason_en}", "name a party whose raters share contracts, or delete the section"),
    )


def _draws(draft: Draft) -> Iterator[Finding]:
    """A limit read off random draws needs some of them beyond it."""
    for section, step, tails in (("rank_sets", draft.rank_sets, 1), ("sensitivity", draft.sensitivity, 2)):
        if step is not None:
            yield from _too_few(section, step.draws, step.level, tails)
    if draft.reliability is not None and draft.interval is not None:
        yield from _too_few("reliability", draft.reliability.draws, draft.interval.level, 2)


def _too_few(section: str, draws: int, level: float, tails: int) -> Iterator[Finding]:
    least = math.ceil(round(BEYOND * tails / (1 - level), 6))
    if draws < least:
        yield found(
            (section, "draws"),
            zh=(f"{draws} 次抽取不足以得出 {level:g} 的界限", f"至少写 {least}"),
            en=(f"{draws} draws are too few for limits of level {level:g}", f"write at least {least}"),
        )
