"""Formulas as pages set them, and what their letters stand for."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from markupsafe import Markup, escape

_LOWERED = re.compile(r"_\{([^}]+)\}|_(\w+)")
_RAISED = re.compile(r"\^(\w+(?:<sub>\w+</sub>)?)")


def typeset(formula: str) -> Markup:
    """A formula with its indices lowered and its powers raised: `x_i`, `V_{p|d}`, `δ^age`."""
    lowered = _LOWERED.sub(lambda found: f"<sub>{found[1] or found[2]}</sub>", str(escape(formula)))
    return Markup(_RAISED.sub(r"<sup>\1</sup>", lowered))  # noqa: S704 - escaped above


def symbols() -> list[tuple[Markup, str]]:
    """The letters of the formulas with their meaning, in the order in which the steps use them."""
    meanings = {
        "l, L": _("the level chosen, and how many levels the scale has"),
        "y, y_d": _("points of one answer; of one rater on a dimension"),
        "w, wₖ, w_h": _("a weight; of a criterion; of an answer from part h of the frame"),
        "F, F_h, n, n_h": _("recipients in the frame, in its part h; answers, those from part h"),
        "n_eff": _("answers of equal weight that would be as precise"),
        "x, x̄, b": _("a circumstance of answering, its mean over all, and the points it adds"),
        "μ, α_c, s_i, e": _("the mean of all, what contract c is above it, how mild rater i is, chance"),
        "θ̂, l, u": _("a party's view of a dimension, and the ends of its interval"),
        "m": _("the same as a share, from 0 to 1"),
        "s², φ, φ_pool": _("the variance of the answers; their spread against that of yes and no; the same of all"),
        "n′, z": _("answers to count with; 1.96 for a confidence of 95%"),
        "σ²_rater, σ²_e, σ²_c": _("the variance between raters, of one rater's answers, between contracts"),
        "T": _("the score"),
        "W_d, V_{p|d}": _("the weight of dimension d, and of party p within it"),
        "a, b, R": _("by how much T moves with a cell; how far a party's errors go together"),
        "V, τ², μ": _("the variance of T; that between the contracts of a peer group; their mean"),
        "B, θ̃": _("how far T is drawn towards its peers, and where it comes to lie"),
        "P(g), Φ, σ": _("the probability of grade g; the normal curve; the arm of the interval divided by z"),
        "Δ_jk, c": _("how far contract j lies above k, in standard errors; the bound that holds for all at once"),
        "κ, w₀": _("how close to the published weights w₀ others are drawn"),
        "D_o, D_e": _("disagreement seen, and expected by chance"),
        "ρ, R, k": _("the reliability of one rater, the one aimed at, and how many raters reach it"),
        "p₍ᵢ₎, α, i, m": _("the i-th smallest of m probabilities, and the share of false alarms allowed"),
        "s, δ": _("the size of a contract, and what a year of age leaves of its weight"),
    }
    return [(typeset(letters), meaning) for letters, meaning in meanings.items()]
