"""How a score stands among its peers, told in sentences: drawn towards them, its ranks, and under other weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _

from evalsys.base.language import number, percent, points
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import Line


def comparisons_told(line: Line, names: Names, *, title_of: Callable[[str], str] = str) -> list[str]:
    """Sentences of the steps in use; `title_of`: what a contract is called, by its reference."""
    kept = line.breakdown
    told: list[str] = []
    if kept.get("shrunken"):
        told += _shrunken(kept["shrunken"])
    if kept.get("rank_set"):
        told += _rank_set(kept["rank_set"])
    if kept.get("weight_space"):
        told += _weight_space(kept["weight_space"], names, title_of)
    return told


def _shrunken(kept: dict[str, Any]) -> list[str]:
    told = [
        _(
            "Drawn towards the mean of its peers, %(mean)s, the score is %(value)s (%(low)s–%(high)s). Past performance"
            " in a later selection reads this number.",
            mean=points(kept["peer_mean"]),
            value=points(kept["value"]),
            low=points(kept["low"]),
            high=points(kept["high"]),
        )
    ]
    if kept["reliability"] is not None:
        told.append(
            _(
                "Its reliability is %(share)s: so much of the difference between it and its peers is thought to be"
                " real, the rest chance. Where peers are alike, this is low for everybody.",
                share=percent(kept["reliability"]),
            )
        )
    return told


def _rank_set(kept: dict[str, Any]) -> list[str]:
    told = [
        _(
            "It stands in band %(band)s: the ranks of everybody in a band overlap with those of the band's best.",
            band=number(kept["band"]),
        )
    ]
    if kept["conservative"]:
        told.append(
            _("The group is so large that its sets of ranks were computed in one step and are wider than they need be.")
        )
    return told


def _weight_space(kept: dict[str, Any], names: Names, title_of: Callable[[str], str]) -> list[str]:
    level = names.rules.sensitivity.level if names.rules.sensitivity else 0.95
    values = {"level": percent(level), "first": percent(kept["first"])}
    if kept["low"] == kept["high"]:
        told = [
            _(
                "Under weights chosen a little differently its rank would stay %(rank)s (%(level)s of the weights drawn"
                " around the published ones), and it would lead its group in %(first)s of them.",
                rank=number(kept["low"]),
                **values,
            )
        ]
    else:
        told = [
            _(
                "Under weights chosen a little differently its rank would lie between %(low)s and %(high)s (%(level)s"
                " of the weights drawn around the published ones), and it would lead its group in %(first)s of them.",
                low=number(kept["low"]),
                high=number(kept["high"]),
                **values,
            )
        ]
    if kept["next"]:
        told.append(
            _(
                "It stands above the next one, “%(next)s”, in %(leads)s of these weights.",
                next=title_of(kept["next"]),
                leads=percent(kept["leads"]),
            )
        )
    return told
