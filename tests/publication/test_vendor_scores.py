"""A vendor's own score from published lines; laws against the scoring core."""

from __future__ import annotations

import random

import numpy as np
import pytest

from evalsys.publication.models import EditionScore
from evalsys.publication.vendor_scores import vendor_score
from evalsys.scoring import engine
from tests.scoring.made import full, make_cycle, make_rules


@pytest.mark.parametrize("weighed_by", ["recipients", "amount", "equal"])
def test_a_vendors_score_is_the_scoring_cores(weighed_by: str) -> None:
    luck = random.Random(11)
    codes = [f"c{n}" for n in range(6)]
    served = {code: float(luck.randint(10, 300)) for code in codes}
    amount = {code: float(luck.randint(1000, 9000)) for code in codes}
    rules = make_rules(vendor_weight=weighed_by)
    answers = {code: full([luck.choice([25.0, 50, 75, 100]) for _ in range(12)]) for code in codes}
    answers["c5"] = {"recipient": [[50.0] * 3]}
    inputs = make_cycle(answers, vendors=dict.fromkeys(codes, "one"), served=served, amount=amount)
    result = engine.score(inputs, rules, seed=1)
    lines = [
        EditionScore(
            score=None if np.isnan(result.score[n]) else float(result.score[n]),
            low=float(result.low[n]),
            high=float(result.high[n]),
            amount_fen=int(amount[code]),
            recipients_served=int(served[code]),
        )
        for n, code in enumerate(codes)
    ]
    told = vendor_score(lines, rules)
    assert told is not None
    assert (told.scored, told.weighed_by) == (5, weighed_by)
    expected = [float(values[0]) for values in (result.vendors.score, result.vendors.low, result.vendors.high)]
    assert [told.score, told.low, told.high] == pytest.approx(expected)


def test_contracts_of_unknown_size_count_the_same() -> None:
    lines = [
        EditionScore(score=score, low=score, high=score, amount_fen=0, recipients_served=served)
        for score, served in ((60.0, 0), (90.0, 500))
    ]
    told = vendor_score(lines, make_rules(vendor_weight="recipients"))
    assert told is not None
    assert (told.score, told.weighed_by) == (75.0, "equal")
