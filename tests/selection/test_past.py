"""Past performance comes from the editions in force, and from nowhere else."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.registry.models import Vendor
from evalsys.rules.loading import load
from evalsys.selection.past import Past, past_of
from tests.factories import make_cycle, make_vendor
from tests.selection.makers import make_edition, publish

RULES = load(config.SHIPPED_RULES)  # weighed by recipients, 0.7 a year, 3 years back


def past(session: Session, *vendors: Vendor, year: int = 2027, service_type: str = "care") -> list[Past]:
    codes = [vendor.credit_code for vendor in vendors]
    return past_of(session, codes, rules=RULES, service_type=service_type, year=year)


def test_scores_are_weighed_by_size_and_fade_with_age(session: Session) -> None:
    vendor = make_vendor(session)
    publish(session, vendor, 90.0, year=2026, recipients_served=100)
    publish(session, vendor, 60.0, year=2025, recipients_served=300)
    (found,) = past(session, vendor)
    assert found.value == pytest.approx((90 * 100 * 0.7 + 60 * 300 * 0.49) / (100 * 0.7 + 300 * 0.49))
    assert not found.neutral
    assert [record.year for record in found.records] == [2026, 2025]
    assert sum(record.share for record in found.records) == pytest.approx(1)


def test_what_counts_is_the_score_drawn_towards_its_peers(session: Session) -> None:
    """With its own uncertainty; where an edition has none, the plain score with that of its interval."""
    vendor = make_vendor(session)
    publish(session, vendor, 95.0, year=2026, shrunk=88.0, shrunk_sd=3.0)
    publish(session, vendor, 60.0, year=2025)
    (found,) = past(session, vendor)
    new, old = 0.7 / (0.7 + 0.49), 0.49 / (0.7 + 0.49)
    plain_sd = 5 / 1.959963984540054
    assert found.value == pytest.approx(88 * new + 60 * old)
    assert found.sd == pytest.approx(((new * 3) ** 2 + (old * plain_sd) ** 2) ** 0.5)
    assert [(record.score, record.shrunken) for record in found.records] == [(95, 88), (60, None)]
    assert [record.sd for record in found.records] == pytest.approx([3, plain_sd])


def test_a_plain_score_without_an_interval_is_taken_as_it_is(session: Session) -> None:
    vendor = make_vendor(session)
    publish(session, vendor, 80.0, low=None)
    (found,) = past(session, vendor)
    assert (found.value, found.sd) == (80, 0)


def test_only_the_years_that_count_are_read(session: Session) -> None:
    vendor = make_vendor(session)
    for year in (2027, 2023):
        publish(session, vendor, 10.0, year=year)
    publish(session, vendor, 80.0, year=2024)
    (found,) = past(session, vendor)
    assert found.value == pytest.approx(80)
    assert [record.year for record in found.records] == [2024]


def test_a_correction_takes_the_place_of_what_it_corrects(session: Session) -> None:
    vendor = make_vendor(session)
    cycle = make_cycle(session, state="published", year=2026)
    publish(session, vendor, 40.0, edition=make_edition(session, cycle))
    second = make_edition(session, cycle)
    publish(session, vendor, 85.0, edition=second)
    (found,) = past(session, vendor)
    assert found.value == pytest.approx(85)
    assert [(r.edition_id, r.edition_number, r.cycle_code) for r in found.records] == [(second.id, 2, cycle.code)]


def test_without_a_record_the_peer_mean_stands(session: Session) -> None:
    """The mean of the peer group's vendors, whether candidates or not; other groups do not matter."""
    fresh, good, poor, other = (make_vendor(session) for _ in range(4))
    publish(session, good, 90.0)
    publish(session, poor, 70.0)
    publish(session, other, 10.0, peer_group="transactional", service_type="training")
    mine, _good = past(session, fresh, good)
    assert mine.neutral
    assert mine.value == pytest.approx(80)
    assert mine.sd == pytest.approx((10**2 + (5 / 1.959963984540054) ** 2) ** 0.5), "as unsure as any peer"
    assert mine.records == ()
    (training,) = past(session, fresh, service_type="training")
    assert training.value == pytest.approx(10)


def test_without_peers_all_who_have_a_record_stand_in(session: Session) -> None:
    fresh, other = make_vendor(session), make_vendor(session)
    publish(session, other, 66.0, peer_group="transactional")
    (mine,) = past(session, fresh)
    assert mine.value == pytest.approx(66)


def test_where_nobody_has_a_record_there_is_no_value(session: Session) -> None:
    publish(session, make_vendor(session), None)
    (mine,) = past(session, make_vendor(session))
    assert (mine.value, mine.neutral, mine.records) == (None, True, ())


def test_a_withheld_score_is_no_record(session: Session) -> None:
    vendor = make_vendor(session)
    publish(session, vendor, None)
    publish(session, make_vendor(session), 75.0)
    (mine,) = past(session, vendor)
    assert mine.neutral
    assert mine.value == pytest.approx(75)


def test_the_lowest_grade_counts_in_the_latest_year_on_record(session: Session) -> None:
    now_poor, once_poor = make_vendor(session), make_vendor(session)
    publish(session, now_poor, 50.0, year=2025, grade="poor")
    publish(session, now_poor, 95.0, year=2024, grade="excellent")
    publish(session, once_poor, 50.0, year=2024, grade="poor")
    publish(session, once_poor, 95.0, year=2026, grade="excellent")
    assert [found.lowest_grade for found in past(session, now_poor, once_poor)] == [True, False]


def test_nobody_asked_is_nobody_answered(session: Session) -> None:
    assert past(session) == []
