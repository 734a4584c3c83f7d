"""Totals, places with ties, missing points, and the frozen sheet."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from evalsys.selection.models import Decision
from evalsys.selection.sheet import sheet_of
from tests.factories import NOW, make_vendor
from tests.selection.makers import make_candidate, make_plan, publish


def test_a_total_is_the_weighted_sum(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    publish(session, vendor, 90.0)
    make_candidate(session, plan, vendor, technical=80.0, offer_fen=6_000_000)
    sheet = sheet_of(session, plan)
    assert sheet.line(vendor.credit_code).total == pytest.approx(0.5 * 80 + 0.3 * 70 + 0.2 * 90)
    assert sheet.complete
    with pytest.raises(KeyError):
        sheet.line("nobody")


def test_beside_the_points_past_performance_moves_nothing(session: Session) -> None:
    plan = make_plan(session, use="open_tender", weight_technical=0.7, weight_price=0.3, weight_past=0.0)
    good, poor = make_vendor(session), make_vendor(session)
    publish(session, good, 100.0)
    publish(session, poor, 0.0)
    for vendor in (good, poor):
        make_candidate(session, plan, vendor, technical=80.0, offer_fen=6_000_000)
    sheet = sheet_of(session, plan)
    assert sheet.beside
    assert [line.place for line in sheet.lines] == [1, 1]
    assert {line.past.value for line in sheet.lines} == {0.0, 100.0}


def test_equal_totals_share_a_place_and_the_next_is_skipped(session: Session) -> None:
    plan = make_plan(session, weight_technical=1.0, weight_price=0.0, weight_past=0.0)
    for technical in (70.0, 90.0, 90.0, 80.0):
        make_candidate(session, plan, make_vendor(session), technical=technical)
    sheet = sheet_of(session, plan)
    assert [(line.place, line.technical) for line in sheet.lines] == [(1, 90.0), (1, 90.0), (3, 80.0), (4, 70.0)]
    codes = [line.credit_code for line in sheet.lines if line.place == 1]
    assert codes == sorted(codes)


def test_missing_points_leave_no_total_and_no_place(session: Session) -> None:
    plan = make_plan(session)
    publish(session, make_vendor(session), 75.0)
    ready, waiting = make_vendor(session), make_vendor(session)
    make_candidate(session, plan, waiting, technical=99.0)
    make_candidate(session, plan, ready, technical=10.0, offer_fen=42_000_000)
    sheet = sheet_of(session, plan)
    assert [(line.credit_code, line.place) for line in sheet.lines] == [
        (ready.credit_code, 1),
        (waiting.credit_code, None),
    ]
    assert sheet.lines[1].total is None
    assert not sheet.complete


def test_points_without_weight_are_not_asked_for(session: Session) -> None:
    plan = make_plan(session, use="competitive_negotiation", weight_technical=0.0, weight_price=1.0, weight_past=0.0)
    make_candidate(session, plan, make_vendor(session), offer_fen=9_900_000)
    (line,) = sheet_of(session, plan).lines
    assert (line.total, line.best) == (100, 1)


def test_where_nobody_has_a_record_the_other_parts_share_the_weight(session: Session) -> None:
    plan = make_plan(session)
    make_candidate(session, plan, make_vendor(session), technical=80.0, offer_fen=7_000_000)
    sheet = sheet_of(session, plan)
    assert sheet.left_out
    assert sheet.lines[0].total == pytest.approx((0.5 * 80 + 0.3 * 60) / 0.8)
    assert sheet.past_weight == 0.2


def test_with_nothing_left_to_weigh_there_is_no_total(session: Session) -> None:
    plan = make_plan(session, weight_technical=0.0, weight_price=0.0, weight_past=1.0)
    make_candidate(session, plan, make_vendor(session))
    sheet = sheet_of(session, plan)
    assert sheet.lines[0].total is None


def test_an_empty_plan_has_an_empty_sheet(session: Session) -> None:
    sheet = sheet_of(session, make_plan(session))
    assert (sheet.lines, sheet.complete, sheet.left_out) == ((), False, False)


def test_the_fingerprint_follows_the_sheet(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    candidate = make_candidate(session, plan, vendor, technical=80.0, offer_fen=7_000_000)
    first = sheet_of(session, plan).fingerprint
    assert sheet_of(session, plan).fingerprint == first
    candidate.offer_fen = 6_900_000
    assert sheet_of(session, plan).fingerprint != first
    candidate.offer_fen = 7_000_000
    publish(session, vendor, 50.0)
    assert sheet_of(session, plan).fingerprint != first


def test_a_decided_sheet_stays_whatever_is_published_later(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    publish(session, vendor, 90.0, year=2025)
    make_candidate(session, plan, vendor, technical=80.0, offer_fen=7_000_000)
    sheet = sheet_of(session, plan)
    session.add(
        Decision(
            plan=plan,
            vendor=vendor,
            ground="服务能力和以往评价均好",
            decided_at=NOW,
            decided_by="测试员",
            sheet=sheet.as_json(),
        )
    )
    session.flush()
    session.expire_all()
    publish(session, vendor, 10.0, year=2026)
    assert sheet_of(session, plan) == sheet


def test_a_tender_rates_prices_against_the_lowest_offer(session: Session) -> None:
    """As the law prescribes; the sheet says what the basis is."""
    plan = make_plan(
        session, use="open_tender", weight_technical=0.7, weight_price=0.3, weight_past=0.0, reference_fen=None
    )
    for offer in (2_000_000, 4_000_000, None):
        make_candidate(session, plan, make_vendor(session), technical=80.0, offer_fen=offer)
    sheet = sheet_of(session, plan)
    assert [line.price for line in sheet.lines] == [100, 50, None]
    assert (sheet.price_basis, sheet.basis_fen, sheet.draws) == ("lowest", 2_000_000, None)


def test_a_renewal_rates_prices_against_the_reference(session: Session) -> None:
    plan = make_plan(session)
    for offer in (2_000_000, 4_200_000, 8_400_000):
        make_candidate(session, plan, make_vendor(session), technical=80.0, offer_fen=offer)
    sheet = sheet_of(session, plan)
    assert [line.price for line in sheet.lines] == [100, 100, 50]
    assert (sheet.price_basis, sheet.basis_fen) == ("reference", 4_200_000)


def test_who_cannot_win_moves_nobody_against_a_reference(session: Session) -> None:
    plan = make_plan(session)
    for technical, offer in ((80.0, 5_000_000), (70.0, 4_500_000)):
        make_candidate(session, plan, make_vendor(session), technical=technical, offer_fen=offer)
    before = {line.credit_code: line.total for line in sheet_of(session, plan).lines}
    make_candidate(session, plan, make_vendor(session), technical=0.0, offer_fen=100)
    after = {line.credit_code: line.total for line in sheet_of(session, plan).lines}
    assert {code: after[code] for code in before} == before


def test_without_an_offer_no_basis_is_known(session: Session) -> None:
    plan = make_plan(session, use="open_tender", weight_technical=0.7, weight_price=0.3, weight_past=0.0)
    make_candidate(session, plan, make_vendor(session), technical=80.0)
    sheet = sheet_of(session, plan)
    assert (sheet.basis_fen, sheet.lines[0].price, sheet.lines[0].total) == (None, None, None)


def test_the_chance_to_come_first_follows_the_uncertainty_of_the_results(session: Session) -> None:
    """Equal but for past results: the closer and the less certain these are, the more open it is who comes first."""
    chances = []
    for mean, sd in ((90.0, 1.0), (82.0, 1.0), (82.0, 30.0)):
        plan, strong, weak = make_plan(session), make_vendor(session), make_vendor(session)
        publish(session, strong, 92.0, shrunk=mean, shrunk_sd=sd)
        publish(session, weak, 78.0, shrunk=80.0, shrunk_sd=sd)
        for vendor in (strong, weak):
            make_candidate(session, plan, vendor, technical=80.0, offer_fen=4_200_000)
        sheet = sheet_of(session, plan)
        best = sheet.line(strong.credit_code).best
        assert best is not None
        assert sum(line.best or 0 for line in sheet.lines) == pytest.approx(1)
        chances.append(best)
        assert (sheet.concentration, sheet.draws, sheet.seed) == (50, 10_000, 0)
    assert chances[0] > 0.999 > chances[1] > 0.8 > chances[2] > 0.5


def test_sheets_decided_when_price_points_were_typed_in_are_shown_as_they_were(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    publish(session, vendor, 90.0)
    make_candidate(session, plan, vendor, technical=80.0, offer_fen=6_000_000)
    kept = sheet_of(session, plan).as_json()
    for name in ("price_basis", "basis_fen", "concentration", "draws", "seed"):
        del kept[name]
    for line in kept["lines"]:
        for name in ("offer_fen", "best"):
            del line[name]
        del line["past"]["sd"]
        for record in line["past"]["records"]:
            del record["shrunken"], record["sd"]
    decision = Decision(
        plan=plan, vendor=vendor, ground="服务能力和以往评价均好", decided_at=NOW, decided_by="测试员", sheet=kept
    )
    session.add(decision)
    session.flush()
    sheet = sheet_of(session, plan)
    assert (sheet.price_basis, sheet.draws, sheet.lines[0].best) == ("entered", None, None)
    assert sheet.lines[0].price == pytest.approx(70)
