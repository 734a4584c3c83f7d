"""Acts of the registry that no page reaches, or that change nothing."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from evalsys.base.errors import Conflict, NotAllowed
from evalsys.registry import bodies, regions
from evalsys.registry.imports import KINDS, Scope
from evalsys.registry.models import Region
from evalsys.registry.pins import rules_of
from tests import factories as f
from tests.registry.importing import faults, table


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


def test_a_vendor_keeps_its_code_when_only_its_name_changes(session: Session) -> None:
    vendor = f.make_vendor(session)
    facts = bodies.VendorFacts(vendor.credit_code, "新名")
    bodies.edit_vendor(session, vendor, facts, actor=f.actor(), now=f.NOW)
    assert vendor.name == "新名"


def test_a_body_of_evaluators_keeps_its_code_when_only_its_name_changes(session: Session) -> None:
    body = f.make_evaluator_body(session)
    bodies.edit_evaluator_body(
        session, body, code=body.credit_code, name="新名", region=body.region, actor=f.actor(), now=f.NOW
    )
    assert body.name == "新名"


def test_only_who_acts_for_the_whole_tree_adds_a_city(session: Session) -> None:
    county = f.make_county(session)
    with pytest.raises(NotAllowed) as refused:
        regions.add_region(session, code="45", name="某市", parent=None, actor=f.actor(region=county), now=f.NOW)
    assert "import regions" in refused.value.remedy
    city = regions.add_region(session, code="45", name="某市", parent=None, actor=f.actor(), now=f.NOW)
    assert (city.level, city.path) == ("city", "45/")
    assert session.get_one(Region, city.id).parent_id is None


def test_a_cycle_without_rules_says_so(session: Session) -> None:
    with pytest.raises(Conflict):
        rules_of(f.make_cycle(session, state="draft"))


def test_an_empty_region_is_told(session: Session) -> None:
    assert set(faults(session, "purchasers", table(["购买主体", "地区"], ["民政局", ""]))) == {(2, "B")}


def test_frames_are_never_read_without_a_cycle(session: Session) -> None:
    from evalsys.base.tables import read_table

    read = read_table(table(["合同编号", "人数"], ["HT-1", 1]), KINDS["frames"].columns)
    with pytest.raises(ValueError, match="cycle"):
        KINDS["frames"].read(read, Scope(session, f.actor()))
