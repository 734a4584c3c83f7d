"""A result told in sentences, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flask_babel import gettext as _

from evalsys.base.language import number, percent, points
from evalsys.collection.counting import rr1
from evalsys.collection.models import Outcome
from evalsys.collection.ways import MODES
from evalsys.evaluation.disclosure import OTHER_WAYS, ways_told
from evalsys.evaluation.naming import Names
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.status import Why


class Line(Protocol):
    """A score of a run, or a line of an edition."""

    @property
    def peer_group(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def grade(self) -> str | None: ...
    @property
    def rank(self) -> int | None: ...
    @property
    def breakdown(self) -> dict[str, Any]: ...


def reasons(line: Line, names: Names) -> list[str]:
    """Why a contract has its status, and what else a reader must know."""
    return [_reason(reason, names) for reason in line.breakdown["reasons"]]


def _reason(reason: dict[str, Any], names: Names) -> str:
    party, dimension = names.party(reason["party"]), names.dimension(reason["dimension"])
    have, need = reason["have"], reason["need"]
    told = str(reason["code"])
    match reason["code"]:
        case Why.TOO_FEW_ANSWERS:
            told = _(
                "%(party)s: %(have)s valid ratings; at least %(need)s are needed.",
                party=party,
                have=number(have),
                need=number(need),
            )
        case Why.PARTY_LEFT_OUT:
            told = _(
                "%(party)s: %(have)s valid ratings where %(need)s are needed; the other parties carry its weight.",
                party=party,
                have=number(have),
                need=number(need),
            )
        case Why.NO_PARTY_LEFT:
            told = _("No party has enough ratings on “%(dimension)s”.", dimension=dimension)
        case Why.WIDE_INTERVAL:
            told = _(
                "The margin of error is ±%(have)s points, more than ±%(need)s.", have=points(have), need=points(need)
            )
        case Why.FRAME_TOO_SMALL:
            told = _(
                "%(have)s recipients answered, more than the %(need)s on record; the number on record was not used.",
                have=number(have),
                need=number(need),
            )
    return told


def story(line: Line, names: Names) -> list[str]:
    """The score in sentences: what it is, how sure, from whom."""
    return [*_score(line, names), *_raters(line, names), *_asked(line)]


def _score(line: Line, names: Names) -> list[str]:
    kept = line.breakdown
    if line.score is None:
        return [_("There is no score, grade or rank for now.")]
    told = [
        _(
            "The score is %(score)s of 100; with %(level)s confidence it lies between %(low)s and %(high)s.",
            score=points(line.score),
            level=percent(names.rules.interval.level),
            low=points(line.low),
            high=points(line.high),
        ),
        _rank(line, names),
    ]
    chance = kept["chances"][line.grade]
    if kept["near_boundary"]:
        told.append(
            _(
                "The grade is “%(grade)s”, but close to a boundary: its probability is %(chance)s.",
                grade=names.grade(line.grade),
                chance=percent(chance),
            )
        )
    else:
        told.append(
            _(
                "The grade is “%(grade)s”; its probability is %(chance)s.",
                grade=names.grade(line.grade),
                chance=percent(chance),
            )
        )
    if kept["capped"]:
        told.append(_("A weak dimension holds the grade down: the rules cap it."))
    return told


def _rank(line: Line, names: Names) -> str:
    kept = line.breakdown
    among = {"ranked": number(kept["ranked"]), "group": names.group(line.peer_group)}
    ranks = kept.get("rank_set")
    if ranks is None or names.rules.rank_sets is None:
        told: str = _(
            "It ranks %(rank)s among %(ranked)s scored contracts of the group “%(group)s”.",
            rank=number(line.rank),
            **among,
        )
    elif ranks["low"] == ranks["high"]:
        told = _(
            "Among the %(ranked)s scored contracts of the group “%(group)s” it ranks %(rank)s, with %(level)s"
            " confidence.",
            rank=number(ranks["low"]),
            level=percent(names.rules.rank_sets.level),
            **among,
        )
    else:
        told = _(
            "Among the %(ranked)s scored contracts of the group “%(group)s” its rank lies between %(low)s and %(high)s,"
            " with %(level)s confidence; the data cannot tell it apart from the others in between.",
            low=number(ranks["low"]),
            high=number(ranks["high"]),
            level=percent(names.rules.rank_sets.level),
            **among,
        )
    return told


def _raters(line: Line, names: Names) -> list[str]:
    separator: str = _(", ")
    counted = [
        _("%(party)s: %(count)s", party=names.party(code), count=number(count))
        for code, count in line.breakdown["respondents"].items()
    ]
    return [_("Ratings counted – %(list)s.", list=separator.join(counted))]


def response_rate(sent: Mapping[str, int]) -> float | None:
    """AAPOR RR1 of what a breakdown says was collected; None where nobody was invited."""
    return rr1(_answers(sent), sent["invited"], gone=_gone(sent))


def _answers(sent: Mapping[str, int]) -> int:
    """Runs made before outcomes were recorded say only how many were invited and received."""
    return sent.get("answered", sent["received"])


def _gone(sent: Mapping[str, int]) -> int:
    return sent.get("moved", 0) + sent.get("died", 0)


def _response_rate(sent: Mapping[str, int]) -> list[str]:
    rate, gone = response_rate(sent), _gone(sent)
    if rate is None:
        return []
    told = [
        _(
            "%(invited)s were invited and %(received)s answered: a response rate (AAPOR RR1) of %(rate)s.",
            invited=number(sent["invited"]),
            received=number(_answers(sent)),
            rate=percent(rate, 1),
        )
    ]
    if any(sent.get(why) for why in Outcome):
        told.append(
            _(
                "Refused: %(refused)s; not reached: %(unreachable)s; left out of the rate, because they had moved away"
                " or died before being asked: %(gone)s.",
                refused=number(sent["refused"]),
                unreachable=number(sent["unreachable"]),
                gone=number(gone),
            )
        )
    return told


def _ways(ways: Mapping[str, int]) -> list[str]:
    """How the answers came, as far as it may be told; empty where it may not, or is not known."""
    separator: str = _(", ")
    names = {mode.value: str(name) for mode, name in MODES.items()} | {OTHER_WAYS: _("other ways together")}
    told = ways_told(ways)
    counted = [
        _("%(mode)s: %(count)s", mode=name, count=number(told[way])) for way, name in names.items() if way in told
    ]
    return [_("How recipients answered – %(list)s.", list=separator.join(counted))] if counted else []


def _asked(line: Line) -> list[str]:
    kept = line.breakdown
    sent, answered = kept["collected"], kept["respondents"].get(SAMPLED)
    if answered is None:
        return []
    told = []
    if kept["frame"]:
        told.append(
            _(
                "Of the %(frame)s recipients whom the contract serves, %(answered)s answered: %(share)s.",
                frame=number(kept["frame"]),
                answered=number(answered),
                share=percent(min(1, answered / kept["frame"]), 1),
            )
        )
    told += _response_rate(sent)
    told += _ways(sent.get("ways") or kept.get("modes") or {})
    if sent["held"]:
        told.append(
            _(
                "%(received)s answers received = %(counted)s not held + %(held)s held back for examination.",
                received=number(sent["received"]),
                counted=number(sent["received"] - sent["held"]),
                held=number(sent["held"]),
            )
        )
    return told
