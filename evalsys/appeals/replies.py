"""A vendor's reply: written, checked for personal data by an officer, and then beside the score for good."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.appeals.files import Sent, looked_at
from evalsys.appeals.models import AppealFile, PublishedReply, Reply, ReplyState
from evalsys.appeals.notices import notice_of
from evalsys.appeals.own import own_entry
from evalsys.appeals.personal_data import findings, masked
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.registry.models import Contract, Cycle, CycleState, Entry

LONGEST = 1000
SHORTEST_REASON = 5


def written(text: str) -> str:
    """A reply's text as it is kept: plain line breaks, and nothing in it that nobody sees.

    Characters without a look could hide a number, or turn round what others read.

    Raises:
        Invalid: it is empty or too long.
    """
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    clean = "".join(c for c in lines if c == "\n" or unicodedata.category(c)[0] != "C").strip()
    if not clean:
        raise Invalid(_("The reply is empty."), remedy=_("Write what readers should know."))
    if len(clean) > LONGEST:
        raise Invalid(
            _("The reply has %(n)s characters; %(most)s are the most.", n=len(clean), most=LONGEST),
            remedy=_("Shorten it; what proves it can be attached."),
        )
    return clean


def answerable(session: Session, entry_id: int, *, actor: Actor) -> tuple[Entry, Reply | None]:
    """A contract of the actor's own that may be replied to now, with the reply it has.

    Raises:
        NotFound: there is no such contract of the actor's.
        Conflict: its result is not told yet, or the cycle is closed and there is no reply to read.
    """
    entry = own_entry(session, entry_id, actor=actor)
    reply = reply_to(session, entry)
    told = entry.cycle.state == CycleState.PUBLISHED or (
        entry.cycle.state == CycleState.PRELIMINARY and notice_of(session, entry.cycle) is not None
    )
    if not told and reply is None:
        raise Conflict(
            _("The result of this contract cannot be replied to now."),
            remedy=_("A reply is taken from when you are told the preliminary result until the cycle is closed."),
        )
    return entry, reply


def reply_to(session: Session, entry: Entry) -> Reply | None:
    """The reply to a contract's result; None where there is none."""
    return session.scalar(select(Reply).where(Reply.entry_id == entry.id))


def submit(
    session: Session,
    entry_id: int,
    text: str,
    sent: Sequence[Sent] = (),
    *,
    kept: Collection[int] = (),
    actor: Actor,
    now: datetime,
) -> Reply:
    """Hand a reply in to be checked; one that was returned is replaced.

    Args:
        sent: files that come with it.
        kept: files of a returned reply that stay with it; the others are deleted.

    Raises:
        NotFound: see `answerable`.
        Conflict: likewise; or a reply is being checked or published already.
        Invalid: the text is empty or too long, or a file is not taken.
    """
    clean = written(text)
    entry, _seen = answerable(session, entry_id, actor=actor)
    session.refresh(entry.cycle, attribute_names=["state"], with_for_update=True)
    reply = reply_to(session, entry)
    _require_replyable(entry, reply)
    stay = [file for file in reply.files if file.id in kept] if reply else []
    files = looked_at(sent, beside=stay, now=now)
    if reply is None:
        reply = Reply(entry=entry, text=clean, state=ReplyState.SUBMITTED.value)
        session.add(reply)
    else:
        for file in reply.files:
            if file not in stay:
                session.delete(file)
    reply.text, reply.state, reply.return_reason = clean, ReplyState.SUBMITTED.value, ""
    reply.submitted_at, reply.submitted_by = now, actor.name
    session.flush()
    for file in files:
        file.reply_id = reply.id
    session.add_all(files)
    session.flush()
    session.expire(reply, ["files"])
    _record(session, entry, act="appeals.submit_reply", actor=actor, now=now, files=len(stay) + len(files))
    return reply


def _require_replyable(entry: Entry, reply: Reply | None) -> None:
    if entry.cycle.state == CycleState.CLOSED:
        raise Conflict(_("The cycle is closed."), remedy=_("What stands beside the score stays as it is."))
    if reply is not None and reply.state == ReplyState.SUBMITTED:
        raise Conflict(
            _("A reply to this result is being checked."), remedy=_("Wait until it is published or returned.")
        )
    if reply is not None and reply.state == ReplyState.PUBLISHED:
        raise Conflict(
            _("The reply to this result is published and stays as it is."),
            remedy=_("Each result has one reply; nobody can change it, neither you nor the office."),
        )


def reply_of_branch(session: Session, entry_id: int, *, actor: Actor) -> Reply:
    """A reply that the actor's office checks, or may read.

    Raises:
        NotFound: there is none.
        NotAllowed: it belongs to another region.
    """
    reply = session.scalar(
        select(Reply)
        .where(Reply.entry_id == entry_id)
        .options(
            joinedload(Reply.entry).joinedload(Entry.cycle).joinedload(Cycle.region),
            joinedload(Reply.entry).joinedload(Entry.contract).joinedload(Contract.vendor),
        )
    )
    if reply is None:
        raise NotFound(_("There is no such reply."), remedy=_("Choose one from the list of replies."))
    actor.require_region(reply.entry.cycle.region.path)
    return reply


def fingerprint(reply: Reply) -> str:
    """What a person saw of a reply; another one comes about only when another reply was handed in."""
    seen = [reply.submitted_at.isoformat(), reply.text, *(file.hash for file in reply.files)]
    return hashlib.sha256("\0".join(seen).encode()).hexdigest()


def publish(
    session: Session,
    entry_id: int,
    *,
    seen: str,
    looked: Collection[int] = (),
    left_out: Collection[int] = (),
    judged: bool = False,
    actor: Actor,
    now: datetime,
) -> PublishedReply:
    """Put a reply beside the score for good, its personal data masked; unmasked it is kept no longer.

    Args:
        seen: the fingerprint of the reply that the officer looked at.
        looked: files that the officer opened and found free of personal data.
        left_out: files that do not become public; they are deleted, for nobody needs them any more.
        judged: that the officer looked at each place of the text that is only pointed at.

    Raises:
        NotFound, NotAllowed: see `reply_of_branch`.
        Conflict: it is not waiting to be checked, or another one was handed in meanwhile.
        Invalid: a file was not looked at, or a place of the text.
    """
    reply = _to_check(session, entry_id, actor=actor)
    if seen != fingerprint(reply):
        raise Conflict(
            _("The vendor has handed in another reply since you looked."), remedy=_("Look at it, then publish it.")
        )
    unseen = [file.name for file in reply.files if file.id not in looked and file.id not in left_out]
    if unseen:
        raise Invalid(
            _("Not every file has been looked at."),
            remedy=_("Open each file; confirm that it holds no personal data, or leave it out."),
            details=unseen,
        )
    if not judged and any(not found.masked for found in findings(reply.text)):
        raise Invalid(
            _("The marked places of the text have not been judged."),
            remedy=_("Return the reply if one names a person; else confirm that none does."),
        )
    out: list[AppealFile] = [file for file in reply.files if file.id in left_out]
    masks = sum(bool(found.masked) for found in findings(reply.text))
    hashes = [file.hash for file in out]
    reply.text, reply.state = masked(reply.text), ReplyState.PUBLISHED.value
    published = PublishedReply(reply=reply, text=reply.text, published_at=now, published_by=actor.name)
    session.add(published)
    for file in out:
        session.delete(file)
    session.flush()
    session.expire(reply, ["files"])
    _record(session, reply.entry, act="appeals.publish_reply", actor=actor, now=now, masked=masks, left_out=hashes)
    return published


def send_back(session: Session, entry_id: int, reason: str, *, seen: str, actor: Actor, now: datetime) -> Reply:
    """Return a reply to the vendor, who may hand in another.

    Raises:
        NotFound, NotAllowed: see `reply_of_branch`.
        Conflict: it is not waiting to be checked, or another one was handed in meanwhile.
        Invalid: no reason is given.
    """
    told = reason.strip()
    if len(told) < SHORTEST_REASON:
        raise Invalid(
            _("A returned reply needs a reason."), remedy=_("Write what has to be changed; the vendor reads it.")
        )
    reply = _to_check(session, entry_id, actor=actor)
    if seen != fingerprint(reply):
        raise Conflict(_("The vendor has handed in another reply since you looked."), remedy=_("Look at it first."))
    reply.state, reply.return_reason = ReplyState.RETURNED.value, told
    session.flush()
    _record(session, reply.entry, act="appeals.return_reply", actor=actor, now=now)
    return reply


def _to_check(session: Session, entry_id: int, *, actor: Actor) -> Reply:
    reply = reply_of_branch(session, entry_id, actor=actor)
    session.refresh(reply, attribute_names=["state", "text", "submitted_at"], with_for_update=True)
    if reply.state != ReplyState.SUBMITTED:
        raise Conflict(_("This reply does not wait to be checked."), remedy=_("See in the list what became of it."))
    return reply


def _record(session: Session, entry: Entry, *, act: str, actor: Actor, now: datetime, **detail: object) -> None:
    """Which contract, and counts; the words stand with the reply, and what was masked of them nowhere else."""
    subject = f"entry:{entry.cycle.code}/{entry.contract.reference}"
    audit.record(session, actor=actor, act=act, subject=subject, now=now, detail=detail)
