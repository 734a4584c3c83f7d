"""A vendor's reply: from the hand-in over the check to what stands in public for good."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from evalsys.appeals import replies
from evalsys.appeals.files import MOST_FILES, Sent, looked_at
from evalsys.appeals.models import AppealFile, Objection, PublishedReply, Reply
from evalsys.appeals.notices import issue
from evalsys.appeals.own import own_entry
from evalsys.appeals.replies import fingerprint
from evalsys.appeals.reply_queries import Filter, beside_lines, file_for, own_contracts, public_file
from evalsys.appeals.reply_queries import replies as listed
from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from evalsys.base.listing import Wanted
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.usecases import publish as publish_result
from evalsys.registry.models import Entry
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor, make_county, make_cycle, make_entry

pytestmark = pytest.mark.usefixtures("app")

OFFICER = actor(Role.OFFICER)
LATER = NOW + timedelta(hours=1)
PHONE = "有疑问请打 138-1234-5678。"


def vendor_of(entry: Entry) -> Actor:
    return actor(Role.VENDOR, vendor_id=entry.contract.vendor_id)


def picture(shade: int = 0) -> Sent:
    target = BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(target, "PNG")
    return Sent("活动照片.png", target.getvalue())


def told_entry(session: Session, **columns: object) -> Entry:
    return make_entry(session, cycle=make_cycle(session, state="published", **columns))


def handed_in(session: Session, text: str = PHONE, *sent: Sent) -> Reply:
    entry = told_entry(session)
    return replies.submit(session, entry.id, text, sent, actor=vendor_of(entry), now=NOW)


def put_out(session: Session, reply: Reply, **given: object) -> PublishedReply:
    given = {"seen": fingerprint(reply), "actor": OFFICER, "now": LATER} | given
    return replies.publish(session, reply.entry_id, **given)


def test_a_reply_is_published_masked_and_not_kept_unmasked(session: Session) -> None:
    reply = handed_in(session)
    assert (reply.state, reply.text, reply.submitted_at) == ("submitted", PHONE, NOW)
    published = put_out(session, reply)
    assert published.text == reply.text == "有疑问请打 138****5678。"
    assert (reply.state, published.published_by) == ("published", "测试员")
    (audit,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "appeals.publish_reply"))
    assert audit.detail == {"masked": 1, "left_out": []}
    (remark,) = beside_lines(session, reply.entry.cycle_id, None)
    assert (remark.reference, remark.about, remark.tag) == (reply.entry.contract.reference, published, "")
    assert (remark.code, remark.says) == ("reply", published.text)
    assert list(beside_lines(session, reply.entry.cycle_id, "another")) == []


@pytest.mark.parametrize("change", [update(PublishedReply).values(text="改"), delete(PublishedReply)], ids=str)
def test_what_is_published_is_never_changed(session: Session, change: object) -> None:
    put_out(session, handed_in(session))
    with pytest.raises(DatabaseError):
        session.execute(change)


def test_a_published_reply_and_one_being_checked_take_no_other(session: Session) -> None:
    reply = handed_in(session)
    vendor = vendor_of(reply.entry)
    with pytest.raises(Conflict, match="正在核对"):
        replies.submit(session, reply.entry_id, "另一篇", actor=vendor, now=LATER)
    put_out(session, reply)
    with pytest.raises(Conflict, match="已经发布"):
        replies.submit(session, reply.entry_id, "另一篇", actor=vendor, now=LATER)
    with pytest.raises(Conflict, match="不在待核对"):
        put_out(session, reply)


def test_a_returned_reply_is_handed_in_again_with_other_files(session: Session) -> None:
    reply = handed_in(session, PHONE, picture(1), picture(2))
    vendor = vendor_of(reply.entry)
    with pytest.raises(Invalid, match="理由"):
        replies.send_back(session, reply.entry_id, " 改 ", seen=fingerprint(reply), actor=OFFICER, now=LATER)
    seen = fingerprint(reply)
    replies.send_back(session, reply.entry_id, "照片里有老人的脸", seen=seen, actor=OFFICER, now=LATER)
    assert (reply.state, reply.return_reason) == ("returned", "照片里有老人的脸")
    stays = reply.files[1].id
    replies.submit(session, reply.entry_id, "新的", [picture(3)], kept=[stays, 10**6], actor=vendor, now=LATER)
    assert (reply.state, reply.text, reply.return_reason, len(reply.files)) == ("submitted", "新的", "", 2)
    assert stays in {file.id for file in reply.files}
    with pytest.raises(Conflict, match="另外提交"):
        put_out(session, reply, seen=seen)
    with pytest.raises(Conflict, match="另外提交"):
        replies.send_back(session, reply.entry_id, "照片里有老人的脸", seen=seen, actor=OFFICER, now=LATER)


def test_no_file_becomes_public_that_nobody_looked_at(session: Session) -> None:
    reply = handed_in(session, "见附件", picture(1), picture(2))
    first, second = (file.id for file in reply.files)
    with pytest.raises(Invalid, match="尚未") as fault:
        put_out(session, reply, looked=[first])
    assert fault.value.details == ("活动照片.png",)
    put_out(session, reply, looked=[first], left_out=[second])
    assert [file.id for file in reply.files] == [first]
    assert session.get(AppealFile, second) is None  # what nobody may see is not kept either


def test_a_name_has_to_be_judged_first(session: Session) -> None:
    reply = handed_in(session, "老人张三可以作证。")
    with pytest.raises(Invalid, match="尚未判断"):
        put_out(session, reply)
    assert put_out(session, reply, judged=True).text == "老人张三可以作证。"


def test_a_text_is_kept_without_what_nobody_sees() -> None:
    assert replies.written(" 第一行\r\n第二行\t末\x00\u202e\u200b\r ") == "第一行\n第二行 末"
    assert replies.written("1\u200b3\u200b812345678") == "13812345678"
    assert len(replies.written("😀" * replies.LONGEST)) == replies.LONGEST
    for empty in ("", " \u200b\n"):
        with pytest.raises(Invalid, match="空"):
            replies.written(empty)
    with pytest.raises(Invalid, match="1001"):
        replies.written("字" * 1001)


def test_the_longest_text_fits_the_table_and_too_many_files_do_not(session: Session) -> None:
    assert handed_in(session, "😀" * replies.LONGEST).id
    with pytest.raises(Invalid, match="5"):
        handed_in(session, "见附件", *(picture(n) for n in range(MOST_FILES + 1)))


def test_a_result_is_answered_from_its_notice_until_the_cycle_is_closed(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).one()
    vendor = vendor_of(entry)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict, match="不能回应"):
        replies.answerable(session, entry.id, actor=vendor)
    assert own_contracts(session, Wanted(), actor=vendor).rows == []
    issue(session, cycle, actor=OFFICER, now=NOW)
    replies.submit(session, entry.id, "见附件", [picture()], actor=vendor, now=NOW)
    reply = replies.reply_to(session, entry)
    put_out(session, reply, looked=[file.id for file in reply.files])
    assert own_contracts(session, Wanted(), actor=vendor).rows == [(entry, reply)]
    with pytest.raises(NotFound):  # nothing is public before the result is
        public_file(session, reply.files[0].id)
    publish_result(session, cycle, actor=OFFICER, now=NOW)
    assert public_file(session, reply.files[0].id).content.startswith(b"\x89PNG")


def test_a_closed_cycle_takes_no_reply(session: Session) -> None:
    reply = handed_in(session)
    vendor = vendor_of(reply.entry)
    replies.send_back(session, reply.entry_id, "请删去电话", seen=fingerprint(reply), actor=OFFICER, now=LATER)
    reply.entry.cycle.state = "closed"
    session.flush()
    with pytest.raises(Conflict, match="已关闭"):
        replies.submit(session, reply.entry_id, "新的", actor=vendor, now=LATER)
    assert replies.answerable(session, reply.entry_id, actor=vendor)[1] == reply  # it can still be read


def test_nobody_else_reads_or_answers_a_vendors_result(session: Session) -> None:
    reply = handed_in(session, "见附件", picture())
    entry, file = reply.entry, reply.files[0]
    foreign = vendor_of(told_entry(session))
    by_letter = actor(Role.VENDOR, vendor_id=entry.contract.vendor_id, cycle_id=make_cycle(session).id)
    for stranger in (foreign, by_letter):
        for act in (
            lambda who: own_entry(session, entry.id, actor=who),
            lambda who: replies.answerable(session, entry.id, actor=who),
            lambda who: replies.submit(session, entry.id, "我的", actor=who, now=NOW),
            lambda who: file_for(session, file.id, actor=who),
        ):
            with pytest.raises(NotFound):
                act(stranger)
        assert own_contracts(session, Wanted(), actor=stranger).rows != [(entry, reply)]
    same = actor(Role.VENDOR, vendor_id=entry.contract.vendor_id, cycle_id=entry.cycle_id)
    assert file_for(session, file.id, actor=same) == file_for(session, file.id, actor=OFFICER) == file
    with pytest.raises(NotFound):
        public_file(session, file.id)


def test_an_office_checks_its_own_branch(session: Session) -> None:
    reply = handed_in(session, "见附件", picture())
    elsewhere = actor(Role.OFFICER, region=make_county(session))
    acts = (
        lambda: replies.reply_of_branch(session, reply.entry_id, actor=elsewhere),
        lambda: put_out(session, reply, actor=elsewhere),
        lambda: replies.send_back(session, reply.entry_id, "请删去电话", seen="", actor=elsewhere, now=NOW),
        lambda: file_for(session, reply.files[0].id, actor=elsewhere),
    )
    for act in acts:
        with pytest.raises(Fault) as fault:
            act()
        assert isinstance(fault.value, NotAllowed | NotFound)
    assert listed(session, Wanted(), Filter(), actor=elsewhere).rows == []
    with pytest.raises(NotFound):
        replies.reply_of_branch(session, 10**6, actor=OFFICER)


def test_the_list_is_narrowed_by_state_and_cycle(session: Session) -> None:
    waiting, out = handed_in(session), handed_in(session, "好")
    put_out(session, out)

    def found(**chosen: str) -> list[Reply]:
        return list(listed(session, Wanted(), Filter.from_args(chosen), actor=OFFICER).rows)

    assert found() == found(state="nonsense") == [waiting, out]
    assert found(state="published") == found(cycle=out.entry.cycle.code) == [out]
    assert listed(session, Wanted(q=waiting.entry.contract.title), Filter(), actor=OFFICER).rows == [waiting]


def test_a_file_of_something_else_is_no_replys(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    run = run_cycle(session, cycle, actor=OFFICER, now=NOW)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).one()
    said = {"ground": "other", "statement": "对评分有异议，请复核。", "state": "filed"}
    objection = Objection(
        number="2026-1",
        entry_id=entry.id,
        run_id=run.id,
        filed_at=NOW,
        filed_by="甲",
        files=looked_at([picture()], now=NOW),
        **said,
    )
    session.add(objection)
    session.flush()
    for act in (lambda number: file_for(session, number, actor=OFFICER), lambda number: public_file(session, number)):
        for number in (objection.files[0].id, 10**6):
            with pytest.raises(NotFound):
                act(number)


def test_the_same_file_is_attached_once(session: Session) -> None:
    with pytest.raises(Invalid, match="两次"):
        handed_in(session, "见附件", picture(1), picture(1))
