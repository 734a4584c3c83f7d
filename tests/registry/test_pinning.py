from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.collection.models import Assessment, AssessmentRating, Response, ResponseRating
from evalsys.registry.models import Cycle, RulesPin, RulesVersion
from evalsys.registry.pinning import pin_rules
from evalsys.registry.pins import rules_of
from evalsys.rules.loading import loads
from tests import factories as f

SHIPPED = config.SHIPPED_RULES.read_bytes()
VERSION = loads(SHIPPED, "scoring_rules.toml").version


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


def changed(*swaps: tuple[str, str], version: str = f"{VERSION}-changed") -> bytes:
    """The shipped rules under another version, with texts swapped."""
    text = SHIPPED.decode()
    for old, new in ((f'version = "{VERSION}"', f'version = "{version}"'), *swaps):
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def pin(session: Session, cycle: Cycle, data: bytes, reason: str = "") -> RulesVersion:
    return pin_rules(session, cycle, data, reason=reason, actor=f.actor(), now=f.NOW)


def pins_of(session: Session, cycle: Cycle) -> list[str]:
    return list(session.scalars(select(RulesPin.reason).where(RulesPin.cycle_id == cycle.id).order_by(RulesPin.id)))


def test_a_draft_takes_and_changes_rules_freely(session: Session) -> None:
    cycle = f.make_cycle(session, state="draft")
    first = pin(session, cycle, SHIPPED)
    second = pin(session, cycle, changed())
    assert first.id != second.id
    assert rules_of(cycle).version == f"{VERSION}-changed"
    assert len(pins_of(session, cycle)) == 2


def test_the_same_content_again_changes_nothing(session: Session) -> None:
    cycle = f.make_cycle(session, state="draft")
    first = pin(session, cycle, SHIPPED)
    windows = b"\xef\xbb\xbf" + SHIPPED.replace(b"\n", b"\r\n")
    assert pin(session, cycle, windows) is first
    assert len(pins_of(session, cycle)) == 1
    assert len(session.scalars(select(RulesVersion)).all()) == 1


def test_a_faulty_file_is_refused_with_every_fault(session: Session) -> None:
    cycle = f.make_cycle(session, state="draft")
    with pytest.raises(Invalid) as refused:
        pin(session, cycle, changed(("minimum = 5", "minimum = 0"), ("share = 0.5", "share = 1.5")))
    assert len(refused.value.details) >= 2
    assert cycle.rules_id is None


def test_a_change_while_collecting_needs_a_version_and_a_reason(session: Session) -> None:
    cycle = f.make_cycle(session)
    with pytest.raises(Conflict, match=re.escape(VERSION)):
        pin(session, cycle, SHIPPED + b"# other\n", reason="订正")
    with pytest.raises(Invalid, match="理由"):
        pin(session, cycle, changed(), reason="  ")
    pin(session, cycle, changed(), reason="市民政局来函调整权重")
    assert pins_of(session, cycle) == ["市民政局来函调整权重"]


@pytest.mark.parametrize("state", ["published", "closed"])
def test_published_rules_stay(session: Session, state: str) -> None:
    with pytest.raises(Conflict) as refused:
        pin(session, f.make_cycle(session, state=state), changed(), reason="订正")
    assert "更正" in refused.value.remedy


def test_another_regions_cycle_is_refused(session: Session) -> None:
    cycle = f.make_cycle(session)
    with pytest.raises(NotAllowed):
        pin_rules(session, cycle, SHIPPED, reason="", actor=f.actor(region=f.make_county(session)), now=f.NOW)


def rate_as_recipient(session: Session, cycle: Cycle, criterion: str) -> None:
    entry = f.make_entry(session, cycle=cycle)
    key = entry.id.to_bytes(16, "big")
    session.add(Response(key=key, entry_id=entry.id, mode="self", time_band="unknown"))
    session.flush()
    session.add(ResponseRating(response_key=key, criterion=criterion, value=3))
    session.flush()


def rate_as_evaluator(session: Session, cycle: Cycle, criterion: str) -> None:
    entry = f.make_entry(session, cycle=cycle)
    account = f.make_account(session)
    rated = Assessment(entry_id=entry.id, party="third_party", account_id=account.id, saved_at=f.NOW)
    rated.ratings.append(AssessmentRating(criterion=criterion, value=3))
    session.add(rated)
    session.flush()


@pytest.mark.parametrize(("rate", "party"), [(rate_as_recipient, "recipient"), (rate_as_evaluator, "third_party")])
def test_what_was_rated_keeps_its_question(session: Session, rate: Callable[..., None], party: str) -> None:
    cycle = f.make_cycle(session)
    code = next(c.code for c in rules_of(cycle).criteria_for(party) if c.source == "asked")
    rate(session, f.make_cycle(session), "elsewhere")  # another cycle's ratings do not matter
    pin(session, cycle, changed(version=f"{VERSION}-other"), reason="订正")
    rate(session, cycle, code)
    with pytest.raises(Conflict, match=code):
        pin(session, cycle, changed((f'code = "{code}"', f'code = "{code}_x"')), reason="改题")
    pin(session, cycle, changed(), reason="只改版本")


def test_a_rated_scale_keeps_its_number_of_levels_and_its_party(session: Session) -> None:
    cycle = f.make_cycle(session)
    rules = rules_of(cycle)
    asked = next(c for c in rules.criteria_for("recipient") if rules.scale_of(c).kind == "levels")
    rate_as_recipient(session, cycle, asked.code)
    text = changed().decode()
    first = text.index(f'code = "{asked.code}"')
    other_party = text[:first] + text[first:].replace('party = "recipient"', 'party = "purchaser"', 1)
    for replaced in (other_party, _with_a_level_more(text, asked.scale)):
        with pytest.raises(Conflict, match=asked.code):
            pin(session, cycle, replaced.encode(), reason="改题")


def _with_a_level_more(text: str, scale: str) -> str:
    start = text.index(f'code = "{scale}"\nkind = "levels"')
    place = text.index("levels = [", start) + len("levels = [")
    return text[:place] + '{ zh = "说不清", en = "Cannot say" }, ' + text[place:]
