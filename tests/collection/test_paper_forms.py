"""Forms on paper: who gets one, so that each still counts once, and what becomes of the codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, NotAllowed, NotFound
from evalsys.base.listing import Wanted
from evalsys.collection.codes import code_hash, code_key
from evalsys.collection.counting import figures
from evalsys.collection.interview_cases import count_open, open_cases
from evalsys.collection.interview_marks import Interviewer, interview_key, interviewers
from evalsys.collection.invitations import invite, withdraw_unused
from evalsys.collection.models import Invitation, Outcome
from evalsys.collection.outcomes import record_outcome
from evalsys.collection.paper_forms import part_of, parts, stratum_called, withdraw
from evalsys.collection.paper_models import PaperForm
from evalsys.registry.models import Cycle, CycleState, RosterMember
from tests.collection.paper import KEYS, keyed_batch, make_office, printed
from tests.collection.surveys import SECRET, make_invitation
from tests.factories import NOW, actor, make_county, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
KEY = code_key(SECRET)


def test_each_form_takes_the_place_of_a_code(session: Session) -> None:
    office = make_office(session, size=8)
    forms = printed(session, office, 5)
    assert len({form.serial for form in forms} | {form.receipt for form in forms}) == 10
    kept = session.scalars(select(PaperForm)).all()
    assert {row.serial_hmac for row in kept} == {KEYS.hashed(form.serial) for form in forms}
    found = figures(session, office.cycle, actor=office.admin)
    assert (found.invited, found.used, found.paper, found.unused, found.missing) == (5, 0, 5, 0, 3)
    assert len(invite(session, office.cycle, key=KEY, actor=COMMAND_LINE, now=NOW)) == 3
    with pytest.raises(Conflict) as caught:
        printed(session, office, 1)
    assert "Only 0 recipients" in caught.value.message
    assert "exchanged for a form" in caught.value.remedy


def test_a_code_that_is_given_back_makes_room_for_a_form_and_opens_nothing_any_more(session: Session) -> None:
    office = make_office(session, size=2)
    codes = [one.code for one in invite(session, office.cycle, key=KEY, actor=COMMAND_LINE, now=NOW)]
    record_outcome(session, office.cycle, codes[0], Outcome.PAPER, key=KEY, actor=office.admin, now=NOW)
    known = set(session.scalars(select(Invitation.code_hmac)))
    assert code_hash(codes[0], KEY) not in known
    assert code_hash(codes[1], KEY) in known
    with pytest.raises(Conflict):
        printed(session, office, 2)
    assert len(printed(session, office, 1)) == 1
    assert session.scalar(select(func.count()).select_from(Invitation)) == 2
    assert withdraw_unused(session, office.cycle, actor=office.admin, now=NOW) == 2
    assert part_of(session, office.stratum.id, actor=office.admin).given == 1  # who has a form is asked once


def test_recipients_with_a_form_are_not_asked_by_interviewers(session: Session) -> None:
    office = make_office(session, size=2)
    for name in ("陈伯", "李婶"):
        session.add(RosterMember(stratum_id=office.stratum.id, name=name))
    session.flush()
    clerk = office.clerk.as_actor()
    printed(session, office, 1)
    assert count_open(session, actor=clerk) == 0
    invite(session, office.cycle, key=KEY, actor=COMMAND_LINE, now=NOW)
    assert [row.name for row in open_cases(session, Wanted(), actor=clerk).rows] == ["李婶"]
    named = session.scalars(select(Invitation.roster_member_id).order_by(Invitation.id)).all()
    assert None not in named


def test_forms_that_nobody_keyed_can_be_withdrawn_and_printed_anew(session: Session) -> None:
    office = make_office(session, size=5)
    forms = printed(session, office, 5)
    keyed_batch(session, office, forms[:2])
    assert withdraw(session, office.stratum.id, actor=office.admin, now=NOW) == 3
    assert withdraw(session, office.stratum.id, actor=office.admin, now=NOW) == 0
    with pytest.raises(Conflict):
        printed(session, office, 4)
    assert len(printed(session, office, 3)) == 3
    part = part_of(session, office.stratum.id, actor=office.admin)
    assert (part.given, part.printed, part.keyed, part.released) == (5, 5, 2, 0)
    told = session.scalars(select(AuditEntry).where(AuditEntry.act == "collection.withdraw_paper")).one()
    assert told.detail == {"contract": office.entry.contract.reference, "township": "山塘镇", "forms": 3}


def test_only_the_own_branch_is_printed_for_while_it_collects(session: Session) -> None:
    office = make_office(session)
    stranger = actor(region=make_county(session))
    assert parts(session, office.cycle, Wanted(), actor=stranger).rows == []
    with pytest.raises(NotAllowed):
        part_of(session, office.stratum.id, actor=stranger)
    with pytest.raises(NotFound):
        part_of(session, 999_999, actor=office.admin)
    office.cycle.state = CycleState.REVIEW.value
    for act in (
        lambda: printed(session, office, 1),
        lambda: withdraw(session, office.stratum.id, actor=office.admin, now=NOW),
    ):
        with pytest.raises(Conflict) as caught:
            act()
        assert "while a cycle collects" in caught.value.remedy


def test_a_part_is_called_by_its_names(session: Session) -> None:
    office = make_office(session)
    reference = office.entry.contract.reference
    assert stratum_called(session, office.cycle, reference, "", "") == office.stratum.id
    other = make_stratum(session, entry=office.entry, township="三坑镇")
    assert stratum_called(session, office.cycle, reference, "三坑镇", "") == other.id
    with pytest.raises(NotFound) as caught:
        stratum_called(session, office.cycle, reference, "", "")
    assert "山塘镇、三坑镇" in caught.value.remedy
    with pytest.raises(NotFound) as caught:
        stratum_called(session, office.cycle, "HT-none", "", "")
    assert "Import the contract" in caught.value.remedy


def test_an_interviewer_gives_a_form_instead_of_asking(write: Write, sign_in: SignIn) -> None:
    office = write(make_office)

    def named(session: Session) -> int:
        member = RosterMember(stratum_id=office.stratum.id, name="陈伯")
        session.add(member)
        session.flush()
        code = make_invitation(session, entry=office.entry, stratum_id=office.stratum.id, roster_member_id=member.id)
        return session.scalars(select(Invitation.id).where(Invitation.code_hmac == code_hash(code, KEY))).one()

    case = write(named)
    browser = sign_in(office.clerk)
    page = browser.get(f"/collection/interviews/{case}/assisted")
    token = page.text.split('name="form-token" value="')[1].split('"')[0]
    done = browser.post(f"/collection/interviews/{case}/outcome", data={"outcome": "paper"}, follow_redirects=True)
    assert "请把纸质问卷交给对方" in done.text
    gone = browser.get(f"/collection/interviews/{case}/assisted")
    assert gone.status_code == 410
    assert "已改用纸质问卷" in gone.text
    key = interview_key(SECRET)

    def told(session: Session) -> Interviewer:
        (line,) = interviewers(session, session.get_one(Cycle, office.cycle.id), key=key, actor=office.admin)
        return line

    line = write(told)
    assert (line.worked, line.answered, line.refused + line.unreachable + line.gone) == (1, 0, 0)
    write(lambda session: session.execute(update(Invitation).values(used=True)))  # drawn by lot at a release
    assert write(told).answered == 0
    late = browser.post(f"/collection/interviews/{case}/assisted", data={"satisfied": "5", "form-token": token})
    assert late.status_code == 410
