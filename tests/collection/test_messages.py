"""Invitations and reminders: whom they reach, what they say, and when nobody needs them any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, NotAllowed, NotFound
from evalsys.base.outbox import Channel, Message, MessageState
from evalsys.base.post import Letter
from evalsys.collection.codes import code_hash, code_key
from evalsys.collection.invitations import withdraw_unused
from evalsys.collection.messages import mailings, words
from evalsys.collection.messages.contacts import Contact, read_contact
from evalsys.collection.messages.history import Why
from evalsys.collection.messages.keeping import be_quiet, code_box, is_kept, tidy, unlocked
from evalsys.collection.messages.mailings import plan, progress
from evalsys.collection.messages.models import KeptCode, Mailing, MailingKind
from evalsys.collection.messages.policy import POLICY
from evalsys.collection.models import Assignment, Invitation
from evalsys.config import Settings
from evalsys.registry.models import Cycle, RosterMember
from tests.collection.messaged import NIGHT, NOON, case, enrol, give, messaged_world, send_all, start_now
from tests.collection.surveys import SECRET
from tests.collection.world import World, make_world
from tests.factories import NOW, actor, make_contract, make_county, make_cycle, make_entry, make_region, make_stratum

Write = Callable[..., Any]
Send = Callable[..., list[Letter]]
INVITATION, REMINDER, OVERDUE = MailingKind
DAY = timedelta(days=1)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # where the engine makes no difference


@pytest.fixture
def send(app: Flask, database: Database, settings: Settings) -> Send:
    """Let a worker send what is due."""
    return partial(send_all, database, settings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("13800138000", (Channel.SMS, "13800138000")),
        (" +86 138-0013-8000 ", (Channel.SMS, "13800138000")),
        ("００８６１３８００１３８０００", (Channel.SMS, "13800138000")),
        ("li.ming@example.cn", (Channel.EMAIL, "li.ming@example.cn")),
        ("0763-8731234", None),
        ("12800138000", None),
        ("13800138000 / 13900139000", None),
        ("138001380001", None),
        ("li@example", None),
        ("a@b.cn\nBcc: x@y.cn", None),
        ("李明@例子.cn", None),
        ("", None),
    ],
)
def test_a_contact_is_one_number_or_one_address(text: str, found: tuple[Channel, str] | None) -> None:
    assert read_contact(text) == (Contact(*found) if found else None)


@pytest.mark.parametrize(
    ("hour", "minute", "day", "then"),
    [(7, 59, 2, 8), (8, 0, 2, 8), (19, 59, 2, 19), (20, 0, 3, 8), (23, 30, 3, 8), (0, 0, 2, 8)],
)
def test_nothing_is_sent_at_night(hour: int, minute: int, day: int, then: int) -> None:
    china = timedelta(hours=8)
    at = datetime(2026, 11, 2, hour, minute, tzinfo=UTC) - china
    moment = POLICY.next_moment(at)
    assert moment == (at if 8 <= hour < 20 else datetime(2026, 11, day, then, tzinfo=UTC) - china)


@ON_SQLITE
def test_codes_are_kept_locked_and_only_where_a_message_can_go(database: Database, write: Write) -> None:
    write(messaged_world)
    with database.reading() as session:
        rows = session.scalars(select(KeptCode)).all()
        assert len(rows) == 2
        for kept in rows:
            code = unlocked(code_box(SECRET), kept)
            assert code is not None
            invitation = session.get_one(Invitation, kept.invitation_id)
            assert invitation.code_hmac == code_hash(code, code_key(SECRET))
            assert code.encode() not in (kept.locked or b"")
            assert unlocked(code_box("another secret"), kept) is None


def test_codes_are_not_kept_unasked(session: Session) -> None:
    messaged_world(session, keep=False)
    assert session.scalar(select(func.count()).select_from(KeptCode)) == 0


def reaches(session: Session, world: World, kind: MailingKind, at: datetime = NOON) -> tuple[dict[Any, int], set[Why]]:
    found = plan(session, world.cycle, kind, actor=COMMAND_LINE, now=at)
    return dict(found.by_channel), set(found.skipped)


def test_invitations_reach_each_once(send: Send, database: Database, write: Write) -> None:
    world = write(messaged_world)
    with database.reading() as session:
        assert reaches(session, world, INVITATION) == ({Channel.SMS: 1, Channel.EMAIL: 1}, {Why.NO_CONTACT})
        assert reaches(session, world, REMINDER) == ({}, {Why.NOT_INVITED, Why.NO_CONTACT})
    mailing = write(start_now, world.cycle, INVITATION)
    with database.reading() as session:
        assert reaches(session, world, INVITATION) == ({}, {Why.WAITS, Why.NO_CONTACT})
    sms, email = sorted(send(), key=lambda letter: "@" in letter.to)
    assert (sms.to, sms.template, email.to) == ("13800138000", "invitation", "li.ming@example.cn")
    for letter in (sms, email):
        assert f"http://localhost/s/{letter.fields['code']}" in letter.text
        for private in (world.contract.title, world.contract.vendor.name, "对象"):
            assert private not in letter.subject + letter.text
        assert not letter.simulated
    assert sms.fields["day"] == "11月30日"
    assert len(sms.text.replace("http://localhost", "x" * 26)) <= 70
    assert f"{email.fields['code']}/quiet" in email.text
    assert email.subject == "请您评价公共服务"
    with database.reading() as session:
        assert reaches(session, world, INVITATION) == ({}, {Why.BEFORE, Why.NO_CONTACT})
        assert progress(session, mailing).count(MessageState.SENT) == 2
        codes = {letter.fields["code"] for letter in (sms, email)}
        assert {code_hash(code, code_key(SECRET)) for code in codes} <= set(
            session.scalars(select(Invitation.code_hmac))
        )
    with pytest.raises(Conflict, match="没有可发送的对象"):
        write(start_now, world.cycle, INVITATION)


def test_a_code_stands_nowhere_in_clear(send: Send, database: Database, write: Write) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, INVITATION)
    codes = [letter.fields["code"] for letter in send()]
    with database.engine.connect() as connection:
        for table in ("message", "mailing", "kept_code", "invitation", "audit_entry"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            for hidden in (*codes, "13800138000", "li.ming"):
                assert hidden not in text


def test_reminders_are_few_and_far_between(send: Send, database: Database, write: Write) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, INVITATION)
    send()
    sent = []
    for days, expected in ((1, Why.TOO_SOON), (3, None), (5, Why.TOO_SOON), (6, None), (9, Why.ENOUGH)):
        at = NOON + days * DAY
        with database.reading() as session:
            reached, skipped = reaches(session, world, REMINDER, at)
        assert (expected in skipped) is (expected is not None)
        assert bool(reached) is (expected is None)
        if reached:
            write(start_now, world.cycle, REMINDER, at=at)
            sent += send(at=at)
    assert Counter(letter.to for letter in sent) == {"13800138000": 2, "li.ming@example.cn": 2}
    assert {letter.template for letter in sent} == {"reminder"}
    assert {letter.subject for letter in sent} == {"", "提醒：请您评价公共服务"}


@ON_SQLITE
@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (lambda _s, one: setattr(one, "used", True), "answered"),
        (lambda _s, one: setattr(one, "outcome", "refused"), "outcome"),
        (lambda s, one: be_quiet(s, one.code_hmac), "quiet"),
        (lambda _s, one: setattr(one.entry.cycle, "state", "review"), "over"),
        (lambda s, one: s.delete(one), "withdrawn"),
        (lambda s, one: s.delete(s.get_one(RosterMember, one.roster_member_id)), "withdrawn"),
        (lambda s, one: setattr(s.get_one(RosterMember, one.roster_member_id), "contact", "?"), "no_contact"),
        (lambda s, one: setattr(s.get_one(KeptCode, one.id), "locked", b"x" * 40), "no_code"),
        (lambda s, one: s.delete(s.get_one(KeptCode, one.id)), "no_code"),
    ],
)
def test_what_happened_since_is_seen_before_a_message_is_sent(
    send: Send, database: Database, write: Write, happened: Callable[..., Any], why: str
) -> None:
    world = write(messaged_world, contacts=["13800138000"])
    write(start_now, world.cycle, INVITATION)
    with database.transaction() as session:
        happened(session, case(session, "13800138000"))
    assert send() == []
    with database.reading() as session:
        assert session.execute(select(Message.state, Message.why)).all() == [("dropped", why)]
        kept = session.scalars(select(KeptCode)).one_or_none()
        assert why not in ("answered", "outcome") or kept is None


@ON_SQLITE
def test_who_is_reminded_elsewhere_is_not_reminded_twice(send: Send, database: Database, write: Write) -> None:
    world = write(messaged_world, contacts=["13800138000"])
    write(start_now, world.cycle, INVITATION)
    send()
    at = NOON + 3 * DAY
    first = write(start_now, world.cycle, REMINDER, at=at)
    with database.transaction() as session:  # as if another had got in between
        old = session.scalars(select(Message).where(Message.batch == first.id)).one()
        columns = {"kind": "reminder", "about": old.about, "channel": "sms", "attempts": 1}
        session.add(Message(batch=99, state="sent", due_at=at, changed_at=at, **columns))
    assert send(at=at) == []


@ON_SQLITE
def test_messages_wait_for_the_morning(send: Send, database: Database, write: Write) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, INVITATION, at=NIGHT)
    assert send(at=NIGHT) == []
    morning = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)
    with database.transaction() as session:
        assert set(session.scalars(select(Message.due_at))) == {morning}
        for message in session.scalars(select(Message)):
            message.due_at = NIGHT  # a retry that falls into the night
    assert send(at=NIGHT) == []
    assert len(send(at=morning)) == 2


@ON_SQLITE
def test_simulated_recipients_get_nothing(send: Send, settings: Settings, write: Write) -> None:
    settings.instance.mkdir()
    world = write(messaged_world, simulated=True)
    write(start_now, world.cycle, INVITATION)
    assert send() == []
    assert len((settings.instance / "messages.jsonl").read_text().splitlines()) == 2


def test_a_batch_is_started_where_one_acts_and_while_the_cycle_collects(app: Flask, session: Session) -> None:
    world = messaged_world(session)
    with pytest.raises(NotAllowed):
        start_now(session, world.cycle, INVITATION, actor=actor(region=make_county(session)))
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Conflict, match="不在评价收集期"):
        start_now(session, world.cycle, INVITATION)


def test_a_county_writes_to_its_own_and_sees_its_own(app: Flask, session: Session) -> None:
    city = make_region(session)
    counties = [make_region(session, parent=city) for _ in range(2)]
    cycle = make_cycle(session, region=city)
    for number, county in enumerate(counties):
        entry = make_entry(session, cycle=cycle, contract=make_contract(session, region=county))
        enrol(session, make_stratum(session, entry=entry, size=1), [f"1380013800{number}"])
    give(session, cycle)
    mine, other = (actor(Role.ADMINISTRATOR, region=county) for county in counties)
    mailing = start_now(session, cycle, INVITATION, actor=mine)
    assert session.scalars(select(Message.about)).all() == [case(session, "13800138000").id]
    assert mailings.mailing_of(session, cycle, mailing.id, actor=mine) is mailing
    assert len(mailings.mailings(session, cycle, actor=actor(region=city))) == 1
    assert mailings.mailings(session, cycle, actor=other) == []
    with pytest.raises(NotFound):
        mailings.mailing_of(session, cycle, mailing.id, actor=other)
    with pytest.raises(NotFound):
        mailings.mailing_of(session, make_cycle(session), mailing.id, actor=COMMAND_LINE)
    with pytest.raises(NotAllowed):
        mailings.send_again(session, mailing, MessageState.FAILED, actor=other, now=NOON)


def test_a_person_decides_about_what_is_unknown_and_what_failed(app: Flask, session: Session) -> None:
    world = messaged_world(session)
    mailing = start_now(session, world.cycle, INVITATION)
    first, second = session.scalars(select(Message).order_by(Message.id))
    first.state, second.state = "unknown", "failed"
    session.flush()
    with pytest.raises(Conflict):
        mailings.send_again(session, mailing, MessageState.SENT, actor=COMMAND_LINE, now=NOON)
    assert mailings.take_for_sent(session, mailing, actor=COMMAND_LINE, now=NOON) == 1
    assert mailings.send_again(session, mailing, MessageState.FAILED, actor=COMMAND_LINE, now=NIGHT) == 1
    assert (first.state, second.state) == ("sent", "waiting")
    assert second.due_at == POLICY.next_moment(NIGHT)
    with pytest.raises(Conflict):
        mailings.take_for_sent(session, mailing, actor=COMMAND_LINE, now=NOON)
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Conflict, match="不在评价收集期"):
        mailings.take_for_sent(session, mailing, actor=COMMAND_LINE, now=NOON)
    told = session.execute(select(AuditEntry.act, AuditEntry.detail).order_by(AuditEntry.id)).all()
    assert told[1:] == [
        ("collection.start_messages", {"kind": "invitation", "sms": 1, "email": 1}),
        ("collection.take_for_sent", {"kind": "invitation", "unknown": 1}),
        ("collection.send_again", {"kind": "invitation", "failed": 1}),
    ]


def test_codes_are_forgotten_when_nobody_needs_them(session: Session) -> None:
    world = messaged_world(session, contacts=[f"1380013800{n}" for n in range(4)])
    start_now(session, world.cycle, INVITATION)
    cases = [case(session, f"1380013800{n}") for n in range(4)]

    def kept() -> list[bool]:
        session.flush()
        return [is_kept(session, one.code_hmac) for one in cases]

    cases[0].used, cases[1].outcome = True, "moved"
    tidy(session)
    assert kept() == [True, False, True, True]  # an answer leaves no trace at the moment it comes
    for message in session.scalars(select(Message)):
        message.state, message.changed_at = "sent", NOON
    start_now(session, world.cycle, REMINDER, at=NOON + 3 * DAY)
    assert kept() == [False, False, True, True]
    be_quiet(session, cases[2].code_hmac)
    be_quiet(session, cases[2].code_hmac)
    be_quiet(session, cases[0].code_hmac)  # nothing is kept: nothing happens
    assert kept() == [False, False, False, True]
    world.cycle.state = "review"
    session.flush()
    tidy(session)
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(KeptCode)) == 0


def test_codes_go_with_their_invitations(session: Session) -> None:
    world = messaged_world(session)
    withdraw_unused(session, world.cycle, actor=COMMAND_LINE, now=NOW)
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(KeptCode)) == 0


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (lambda one: KeptCode(invitation_id=one, locked=None, quiet=False), "quiet_keeps_no_code"),
        (lambda one: KeptCode(invitation_id=one, locked=b"x", quiet=True), "quiet_keeps_no_code"),
        (lambda _one: KeptCode(invitation_id=999_999, locked=b"x"), "(?i)foreign key"),
    ],
)
def test_a_bad_row_of_a_kept_code_is_refused(session: Session, row: Callable[[int], KeptCode], name: str) -> None:
    world = messaged_world(session, keep=False)
    session.add(row(session.scalars(select(Invitation.id).where(Invitation.entry_id == world.entry.id)).first() or 0))
    with pytest.raises(IntegrityError, match=name):
        session.flush()


@pytest.mark.parametrize(("changes", "name"), [({"kind": "fax"}, "kind_known"), ({"cycle_id": 999_999}, "(?i)foreign")])
def test_a_bad_row_of_a_batch_is_refused(session: Session, changes: dict[str, Any], name: str) -> None:
    given = {"cycle_id": make_cycle(session).id, "kind": "reminder", "branch": "", "started_by": "甲"}
    session.add(Mailing(**(given | {"started_at": NOW} | changes)))
    with pytest.raises(IntegrityError, match=name):
        session.flush()


LATE = datetime(2026, 12, 2, 4, 0, tzinfo=UTC)


def late_world(session: Session) -> World:
    """The purchaser and the evaluator are late; only the evaluator has an address."""
    world = make_world(session, code="2026", closes_on=date(2026, 11, 30))
    world.evaluator.email = "rater@example.cn"
    session.flush()
    return world


def test_late_raters_are_reminded_by_e_mail(send: Send, database: Database, write: Write) -> None:
    world = write(late_world)
    with database.reading() as session:
        assert reaches(session, world, OVERDUE, NOON) == ({}, set())
        assert reaches(session, world, OVERDUE, LATE) == ({Channel.EMAIL: 1}, {Why.NO_CONTACT})
    write(start_now, world.cycle, OVERDUE, at=LATE)
    (letter,) = send(at=LATE)
    assert (letter.to, letter.subject) == ("rater@example.cn", "购买服务评价任务逾期提醒")
    assert "有 1 个项目" in letter.text
    assert "http://localhost/collection/worklist" in letter.text
    with database.reading() as session:
        assert reaches(session, world, OVERDUE, LATE + DAY) == ({}, {Why.TOO_SOON, Why.NO_CONTACT})
        assert reaches(session, world, OVERDUE, LATE + 3 * DAY) == ({Channel.EMAIL: 1}, {Why.NO_CONTACT})


@ON_SQLITE
@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (lambda s, w: setattr(s.get_one(type(w.evaluator), w.evaluator.id), "email", ""), "no_contact"),
        (lambda s, w: setattr(s.get_one(type(w.evaluator), w.evaluator.id), "active", False), "no_contact"),
        (lambda s, _w: setattr(s.scalars(select(Assignment)).one(), "due_on", date(2027, 1, 1)), "answered"),
        (lambda s, w: setattr(s.get_one(Cycle, w.cycle.id), "state", "review"), "over"),
    ],
)
def test_who_is_late_no_more_is_not_reminded(
    send: Send, database: Database, write: Write, happened: Callable[..., Any], why: str
) -> None:
    world = write(late_world)
    write(start_now, world.cycle, OVERDUE, at=LATE)
    with database.transaction() as session:
        happened(session, world)
    assert send(at=LATE) == []
    with database.reading() as session:
        assert session.scalars(select(Message.why)).all() == [why]


@ON_SQLITE
def test_a_changed_secret_key_sends_nothing_wrong(
    app: Flask, database: Database, write: Write, settings: Settings
) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, INVITATION)
    assert send_all(database, replace(settings, secret_key="another secret")) == []
    with database.reading() as session:
        assert set(session.scalars(select(Message.why))) == {"no_code"}


def test_the_lock_is_bound_to_the_invitation(session: Session) -> None:
    messaged_world(session)
    one, other = session.scalars(select(KeptCode))
    swapped = KeptCode(invitation_id=other.invitation_id, locked=one.locked, quiet=False)
    assert unlocked(code_box(SECRET), swapped) is None


def test_every_reason_and_state_has_words() -> None:
    assert set(words.SKIPPED) == set(Why)
    assert set(words.KINDS) == set(MailingKind)
