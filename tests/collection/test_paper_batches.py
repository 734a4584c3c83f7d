"""Batches of forms: keyed, partly keyed again by somebody else, settled, released, and then nothing is left."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from evalsys.base.mixing import mix
from evalsys.collection import paper_forms
from evalsys.collection.codes import new_code
from evalsys.collection.counting import figures
from evalsys.collection.models import Invitation, ReceiptLeaf, Response, ResponseDay, ResponseRating
from evalsys.collection.paper_batches import (
    batch_of,
    batches,
    cancel,
    count_to_key,
    finish_keying,
    open_batch,
    pile_of,
)
from evalsys.collection.paper_forms import has_arrived
from evalsys.collection.paper_keying import KeysFaulty, form_to_key, key_form, settle, take_out
from evalsys.collection.paper_models import PaperBatch, PaperForm, PaperKeying, PaperSheet
from evalsys.collection.paper_release import release
from evalsys.collection.rated import rated_criteria
from evalsys.evaluation.arrays import inputs_of
from evalsys.registry.models import Cycle, CycleState
from evalsys.registry.pins import rules_of
from tests.collection.paper import KEYS, TYPED, checked_batch, keyed_batch, make_office, printed, sheet_of, staged
from tests.factories import NOW, actor, make_county, make_entry, make_stratum


def test_a_batch_belongs_to_the_branch_that_opened_it(session: Session) -> None:
    office = make_office(session)
    batch = open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW)
    assert batch.region.path == office.admin.region_path
    everything = open_batch(session, office.cycle, 1, actor=COMMAND_LINE, now=NOW)
    assert everything.region == office.cycle.region
    for who in (office.admin, office.township.as_actor(), COMMAND_LINE):
        assert batches(session, actor=who) == [everything, batch]
        assert count_to_key(session, actor=who) == 2
        assert batch_of(session, batch.id, actor=who) is batch
    stranger = office.elsewhere.as_actor()
    assert batches(session, actor=stranger) == []
    with pytest.raises(NotAllowed):
        batch_of(session, batch.id, actor=stranger)
    with pytest.raises(NotFound):
        batch_of(session, 999_999, actor=office.admin)
    with pytest.raises(NotAllowed):
        open_batch(session, office.cycle, 0.1, actor=actor(region=make_county(session)), now=NOW)


@pytest.mark.parametrize("share", [0.09, 1.01])
def test_a_batch_keys_at_least_a_tenth_twice(session: Session, share: float) -> None:
    with pytest.raises(Invalid):
        open_batch(session, make_office(session).cycle, share, actor=COMMAND_LINE, now=NOW)


def refused(session: Session, batch: PaperBatch, serial: str, who: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        form_to_key(session, batch.id, serial, keys=KEYS, actor=who.as_actor())
    assert caught.value.remedy
    return caught.value


def test_only_forms_of_the_cycle_are_keyed_by_those_in_whose_reach_they_are(session: Session) -> None:
    office, other = make_office(session), make_office(session)
    (form, second), (foreign,) = printed(session, office, 2), printed(session, other, 1)
    batch = keyed_batch(session, office, [form])
    wrong = form.serial[:-1] + ("2" if form.serial[-1] != "2" else "3")
    assert "no serial" in refused(session, batch, wrong, office.clerk).message
    assert "No form of the cycle" in refused(session, batch, new_code(), office.clerk).message
    assert "No form of the cycle" in refused(session, batch, foreign.serial, office.clerk).message
    assert "another region" in refused(session, batch, second.serial, office.township).message
    assert "employer" in refused(session, batch, second.serial, office.employed).message
    assert "keyed already" in refused(session, batch, form.serial, office.colleague).message
    elsewhere = open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW)
    assert f"batch no. {batch.id}" in refused(session, elsewhere, form.serial, office.clerk).message
    city = open_batch(session, office.cycle, 0.1, actor=COMMAND_LINE, now=NOW)
    near = printed_in_township(session, office)
    key_form(session, city.id, near, TYPED, keys=KEYS, actor=office.township.as_actor())
    assert sheet_count(session, city) == 1


def printed_in_township(session: Session, office: Any) -> str:
    part = make_stratum(session, entry=office.entry, township="三坑镇", size=3)
    (form,) = paper_forms.give(session, part.id, 1, keys=KEYS, actor=office.admin, now=NOW)
    return form.serial


def sheet_count(session: Session, batch: PaperBatch) -> int:
    return session.scalar(select(func.count()).where(PaperSheet.batch_id == batch.id)) or 0


def test_the_clerk_puts_an_own_form_right_or_takes_it_out(session: Session) -> None:
    office = make_office(session)
    forms = printed(session, office, 3)
    batch, clerk = keyed_batch(session, office, forms[:2]), office.clerk.as_actor()
    found = form_to_key(session, batch.id, forms[1].serial.lower(), keys=KEYS, actor=clerk)
    assert found.sheet is not None
    assert (found.sheet.number, found.answers) == (2, read_off(session, forms[1], 1))
    with pytest.raises(KeysFaulty) as caught:
        key_form(session, batch.id, forms[1].serial, TYPED | {"recipient_help": "7"}, keys=KEYS, actor=clerk)
    assert list(caught.value.faults) == ["recipient_help"]
    key_form(session, batch.id, forms[1].serial, TYPED | {"recipient_help": "1"}, keys=KEYS, actor=clerk)
    assert read_off(session, forms[1], 1)["recipient_help"] == 1
    with pytest.raises(Conflict):
        take_out(session, batch.id, forms[2].serial, keys=KEYS, actor=clerk)
    take_out(session, batch.id, forms[0].serial, keys=KEYS, actor=clerk)
    assert sheet_count(session, batch) == 1
    key_form(session, batch.id, forms[2].serial, TYPED, keys=KEYS, actor=clerk)
    assert sheet_of(session, forms[2]).number == 3
    assert session.scalar(select(func.count()).where(AuditEntry.act.like("collection.key%"))) == 0


def read_off(session: Session, form: Any, turn: int) -> dict[str, Any]:
    return session.get_one(PaperKeying, (KEYS.hashed(form.serial), turn)).answers


def test_the_second_time_is_another_persons_and_blind(session: Session) -> None:
    office = make_office(session)
    forms = printed(session, office, 7)
    batch = keyed_batch(session, office, forms[:6])
    finish_keying(session, batch.id, actor=office.admin, now=NOW)
    assert sum(sheet_of(session, form).twice for form in forms[:6]) == 5
    drawn = next(form for form in forms[:6] if sheet_of(session, form).twice)
    (spared,) = (form for form in forms[:6] if not sheet_of(session, form).twice)
    assert "You keyed" in refused(session, batch, drawn.serial, office.clerk).message
    assert "not drawn" in refused(session, batch, spared.serial, office.colleague).message
    assert "not in it" in refused(session, batch, forms[6].serial, office.colleague).message
    colleague = office.colleague.as_actor()
    assert form_to_key(session, batch.id, drawn.serial, keys=KEYS, actor=colleague).answers is None
    key_form(session, batch.id, drawn.serial, TYPED, keys=KEYS, actor=colleague)
    again = form_to_key(session, batch.id, drawn.serial, keys=KEYS, actor=colleague)
    assert again.answers == read_off(session, drawn, 2)
    assert "keyed already" in refused(session, batch, drawn.serial, office.administrator).message
    with pytest.raises(Conflict):
        take_out(session, batch.id, drawn.serial, keys=KEYS, actor=colleague)


def test_where_much_differs_all_forms_are_keyed_twice(session: Session) -> None:
    office = make_office(session)
    batch, forms = checked_batch(session, office, 7, recipient_help="1")
    pile = pile_of(session, batch)
    assert (pile.compared, pile.differing, pile.rate) == (40, 1, 1 / 40)
    assert pile.twice == 7
    assert len(pile.waiting) == 2
    question, compared, differed = pile.by_question()[0]
    assert (question.code, compared, differed) == ("recipient_help", 5, 1)
    (unsettled,) = pile.unsettled
    for form in forms:
        sheet = sheet_of(session, form)
        if sheet.number in pile.waiting:
            key_form(session, batch.id, form.serial, TYPED, keys=KEYS, actor=office.colleague.as_actor())
    with pytest.raises(Conflict) as caught:
        release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    assert caught.value.details == ("1 form with differences is not settled.",)
    number = unsettled.row.number
    with pytest.raises(KeysFaulty):
        settle(session, batch.id, number, {}, actor=office.admin)
    settle(session, batch.id, number, {"recipient_help": "-"}, actor=office.admin)
    settle(session, batch.id, number, {"recipient_help": "2"}, actor=office.admin)  # thought better of
    serial = next(form.serial for form in forms if sheet_of(session, form).number == number)
    assert "keyed already" in refused(session, batch, serial, office.colleague).message
    assert pile_of(session, batch).unsettled == []
    with pytest.raises(NotFound):
        settle(session, batch.id, 99, {}, actor=office.admin)
    with pytest.raises(Conflict):
        settle(session, batch.id, number % 7 + 1, {}, actor=office.admin)
    done = release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    assert (done.forms, done.twice, done.compared, done.differing) == (7, 7, 56, 1)
    helped = select(ResponseRating.value).where(ResponseRating.criterion == "recipient_help")
    assert Counter(session.scalars(helped)) == {4.0: 6, 2.0: 1}


def test_few_differences_leave_the_rest_keyed_once(session: Session) -> None:
    office = make_office(session, size=130)
    batch, _forms = checked_batch(session, office, 130, recipient_help="1")
    pile = pile_of(session, batch)
    assert (pile.twice, pile.compared, pile.differing) == (13, 104, 1)
    assert not pile.needs_all
    assert pile.waiting == []


def test_the_release_erases_the_staging_and_the_answers_count(session: Session) -> None:
    office = make_office(session)
    batch, forms = checked_batch(session, office, 6)
    assert rated_criteria(session, office.cycle.id) == set(TYPED) - {"recipient_proxy"}
    assert not has_arrived(session, office.cycle, forms[0].receipt)
    release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    for table in (PaperSheet, PaperKeying, ResponseDay):
        assert session.scalar(select(func.count()).select_from(table)) == 0
    assert session.scalar(select(func.count()).where(PaperForm.released)) == 6
    kept = session.execute(select(Response.entry_id, Response.stratum_id, Response.mode, Response.time_band)).all()
    assert set(kept) == {(office.entry.id, office.stratum.id, "paper", "unknown")}
    assert len(kept) == 6
    values = session.execute(select(ResponseRating.criterion, ResponseRating.value).distinct()).all()
    assert dict(values) == {  # type: ignore[arg-type]  # rows are pairs
        "recipient_satisfied": 5,
        "recipient_help": 4,
        "recipient_respect": 5,
        "recipient_safe": 3,
        "recipient_on_time": 2,
        "recipient_reachable": None,
        "recipient_life": 1,
    }
    found = figures(session, office.cycle, actor=office.admin)
    assert (found.invited, found.used, found.received, found.counted, found.paper) == (6, 6, 6, 6, 0)
    assert all(has_arrived(session, office.cycle, form.receipt) for form in forms)
    assert session.scalar(select(func.count()).select_from(ReceiptLeaf)) == 6
    assert "paper" in inputs_of(session, office.cycle, rules_of(office.cycle)).modes
    assert "counted already" in refused(session, batch, forms[0].serial, office.clerk).message
    later = open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW)
    assert "counted already" in refused(session, later, forms[0].serial, office.clerk).message


def test_the_trail_holds_counts_only(session: Session) -> None:
    office = make_office(session)
    batch, _forms = checked_batch(session, office, 6)
    release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    trail = {entry.act.removeprefix("collection."): entry.detail for entry in session.scalars(select(AuditEntry))}
    contract = {"contract": office.entry.contract.reference, "township": "山塘镇"}
    assert trail == {
        "print_paper": contract | {"forms": 6},
        "open_paper_batch": {"batch": batch.id, "share": 0.1},
        "finish_paper_keying": {"batch": batch.id, "forms": 6, "twice": 5},
        "release_paper_batch": {"batch": batch.id, "forms": 6, "twice": 5, "compared": 40, "differing": 0},
    }


def test_a_part_with_few_forms_is_not_told(session: Session) -> None:
    office = make_office(session)
    batch, _forms = checked_batch(session, office, 4)
    release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    assert set(session.scalars(select(Response.stratum_id))) == {None}


def test_more_forms_than_recipients_are_never_counted(session: Session) -> None:
    office = make_office(session)
    batch, _forms = checked_batch(session, office, 2)
    session.execute(delete(Invitation))
    with pytest.raises(Conflict) as caught:
        release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    assert "More forms" in caught.value.message


def test_after_the_end_of_collecting_only_cancelling_is_left(session: Session) -> None:
    office = make_office(session)
    batch, forms = checked_batch(session, office, 6, recipient_help="1")
    session.execute(update(Cycle).values(state=CycleState.REVIEW.value, collected_until=NOW))
    acts: list[Any] = [
        lambda: open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW),
        lambda: form_to_key(session, batch.id, forms[0].serial, keys=KEYS, actor=office.colleague.as_actor()),
        lambda: settle(session, batch.id, 1, {}, actor=office.admin),
        lambda: release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW),
    ]
    for act in acts:
        with pytest.raises(Conflict) as caught:
            act()
        assert "cancel the batch" in caught.value.remedy
    cancel(session, batch.id, actor=office.admin, now=NOW)
    for table in (PaperBatch, PaperSheet, PaperKeying, Response):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_cancelled_batch_gives_its_forms_back(session: Session) -> None:
    office = make_office(session)
    forms = printed(session, office, 2)
    batch = keyed_batch(session, office, forms)
    cancel(session, batch.id, actor=office.admin, now=NOW)
    assert sheet_count(session, keyed_batch(session, office, forms)) == 2
    told = session.scalars(select(AuditEntry).where(AuditEntry.act == "collection.cancel_paper_batch")).one()
    assert told.detail == {"batch": batch.id, "forms": 2}


def test_steps_are_taken_in_their_order_by_the_branchs_administrator(session: Session) -> None:
    office = make_office(session)
    batch = open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW)
    with pytest.raises(Conflict) as caught:
        finish_keying(session, batch.id, actor=office.admin, now=NOW)
    assert "is empty" in caught.value.message
    with pytest.raises(Conflict):
        release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    with pytest.raises(NotAllowed):  # a township's administrator has a part in it, but it is the county's
        cancel(session, batch.id, actor=office.township.as_actor(), now=NOW)
    whole, _forms = checked_batch(session, office, 1)
    with pytest.raises(Conflict):
        finish_keying(session, whole.id, actor=office.admin, now=NOW)
    release(session, whole.id, keys=KEYS, actor=office.admin, now=NOW)
    with pytest.raises(Conflict):
        cancel(session, whole.id, actor=office.admin, now=NOW)


def test_an_unchecked_batch_is_not_released(session: Session) -> None:
    office = make_office(session)
    batch = keyed_batch(session, office, printed(session, office, 2))
    finish_keying(session, batch.id, actor=office.admin, now=NOW)
    with pytest.raises(Conflict) as caught:
        release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    assert caught.value.details == ("2 forms are to be keyed a second time.",)


def test_forms_of_several_contracts_lie_in_one_batch(session: Session) -> None:
    office = make_office(session)
    other = make_entry(session, cycle=office.cycle)
    part = make_stratum(session, entry=other, size=90)
    many = paper_forms.give(session, part.id, 70, keys=KEYS, actor=office.admin, now=NOW)
    batch = keyed_batch(session, office, [*printed(session, office, 5), *many], share=1)
    batch.state = "checking"
    release(session, batch.id, keys=KEYS, actor=office.admin, now=NOW)
    counted = session.execute(select(Response.entry_id, func.count()).group_by(Response.entry_id)).all()
    assert dict(counted) == {office.entry.id: 5, other.id: 70}  # type: ignore[arg-type]  # rows are pairs


def test_mixing_rewrites_the_staging_too(database: Database, write: Any) -> None:
    write(lambda session: checked_batch(session, make_office(session), 6))
    assert mix(database)
    assert staged(database) == {"paper_sheet": 6, "paper_keying": 11, "released": 0}
