"""Sealed letters: who gets one, what its code opens, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import pypdfium2
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals import letters
from evalsys.appeals.letter_print import Occasion, Sender, letters_pdf
from evalsys.appeals.letter_views import TRIES
from evalsys.appeals.letters import Letter, addressees, holder_of, is_over, letter_key, letter_of_code
from evalsys.appeals.models import NoticeLetter, Objection
from evalsys.appeals.notices import issue, note_reading
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now as clock
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.base.working_days import Deadline
from evalsys.collection.codes import grouped, new_code
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor, make_account, make_county, make_entry
from tests.pages import CheckedClient

pytestmark = pytest.mark.usefixtures("app")

KEY = letter_key("a secret for tests only, long enough to be one")
OFFICER = actor(Role.OFFICER)
FORM = {"office": "测试县民政局", "address": "测试县人民路 1 号", "phone": "0763-8731234", "kept": "y"}


def told_cycle(session: Session, *, at: datetime = NOW, contracts: int = 2) -> Cycle:
    cycle = rated_cycle(session, contracts=contracts)
    run_cycle(session, cycle, actor=OFFICER, now=at)
    issue(session, cycle, actor=OFFICER, now=at)
    return cycle


def first_entry(session: Session, cycle: Cycle) -> Entry:
    return session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()


def written(session: Session, cycle: Cycle, *, at: datetime = NOW) -> tuple[NoticeLetter, str]:
    """A letter to the vendor of the first contract, and its code."""
    vendor_id = first_entry(session, cycle).contract.vendor_id
    heap = letters.make(session, cycle, [vendor_id], key=KEY, actor=OFFICER, now=at)
    (made,) = heap.letters
    return letter_of_code(session, made.code, key=KEY, now=at), made.code


def objection_to(session: Session, cycle: Cycle, entry: Entry) -> Objection:
    objection = Objection(
        number=f"2026-{entry.id}",
        entry_id=entry.id,
        run_id=latest_run(session, cycle).id,
        ground="other",
        statement="对评分有异议，请复核。",
        state="filed",
        filed_at=NOW,
        filed_by="测试员",
    )
    session.add(objection)
    session.flush()
    return objection


# ── Making and opening ──


def test_a_letter_opens_by_its_code_for_its_vendor_and_cycle(session: Session) -> None:
    cycle = told_cycle(session)
    letter, code = written(session, cycle)
    assert code.encode() not in letter.code_hash
    holder = holder_of(letter)
    assert (holder.role, holder.vendor_id, holder.cycle_id) == (Role.VENDOR, letter.vendor_id, cycle.id)
    assert holder.name == f"sealed letter {letter.vendor.credit_code}"
    assert letter_of_code(session, f" {grouped(code.lower(), 5)} ", key=KEY, now=NOW) == letter
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.act == "appeals.make_letters"))
    assert entry.detail == {"vendors": [letter.vendor.credit_code]}


def test_a_letter_made_anew_ends_the_one_before(session: Session) -> None:
    cycle = told_cycle(session)
    _letter, old = written(session, cycle)
    letter, code = written(session, cycle)
    assert letter_of_code(session, code, key=KEY, now=NOW) == letter
    with pytest.raises(NotFound):
        letter_of_code(session, old, key=KEY, now=NOW)


def test_another_code_opens_nothing(session: Session) -> None:
    _letter, code = written(session, told_cycle(session))
    for wrong in ("", "hello", new_code(), code[:-1]):
        with pytest.raises(NotFound):
            letter_of_code(session, wrong, key=KEY, now=NOW)
    with pytest.raises(NotFound):
        letter_of_code(session, code, key=letter_key("another secret"), now=NOW)


def test_letters_are_made_when_there_is_something_to_tell(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict):
        written(session, cycle)
    issue(session, cycle, actor=OFFICER, now=NOW)
    for nobody in ([], [10**6]):
        with pytest.raises(Invalid):
            letters.make(session, cycle, nobody, key=KEY, actor=OFFICER, now=NOW)
    with pytest.raises(NotAllowed):
        letters.make(session, cycle, [1], key=KEY, actor=actor(Role.OFFICER, region=make_county(session)), now=NOW)
    written(session, cycle)
    cycle.state = "closed"
    session.flush()
    with pytest.raises(Conflict):
        written(session, cycle)


def test_the_list_says_who_needs_a_letter_and_who_read_it(session: Session) -> None:
    cycle = told_cycle(session)
    letter, _code = written(session, cycle)
    make_account(session, Role.VENDOR, vendor_id=letter.vendor_id)
    found = {one.vendor.id: one for one in addressees(session, cycle, actor=OFFICER)}
    one, other = found.pop(letter.vendor_id), next(iter(found.values()))
    assert (one.has_account, one.letter, one.reading) == (True, letter, None)
    assert (other.has_account, other.letter, len(other.contracts)) == (False, None, 1)
    notice = letters.notice_of(session, cycle)
    note_reading(session, notice, actor=holder_of(letter), now=NOW)
    assert letter.vendor_id in {
        one.vendor.id for one in addressees(session, cycle, actor=OFFICER) if one.reading is not None
    }


# ── How long ──


def test_a_letter_ends_with_the_days_of_the_second_level(session: Session) -> None:
    cycle = told_cycle(session, contracts=1)
    letter, code = written(session, cycle)
    assert not is_over(session, letter, now=NOW + timedelta(days=400))  # nothing is published yet
    publish(session, cycle, actor=OFFICER, now=NOW)
    last_day = NOW + timedelta(days=15)
    assert not is_over(session, letter, now=last_day)
    with pytest.raises(Gone):
        letter_of_code(session, code, key=KEY, now=last_day + timedelta(days=1))
    cycle.state = "closed"
    session.flush()
    assert is_over(session, letter, now=NOW)


def test_a_letter_stays_open_for_its_objection(session: Session) -> None:
    cycle = told_cycle(session, contracts=1)
    letter, _code = written(session, cycle)
    publish(session, cycle, actor=OFFICER, now=NOW)
    objection = objection_to(session, cycle, first_entry(session, cycle))
    late = NOW + timedelta(days=60)
    assert not is_over(session, letter, now=late)
    objection.state, objection.outcome, objection.reasons = "decided", "rejected", "没有可以复核的事实和理由。"
    objection.decided_at = late
    session.flush()
    assert not is_over(session, letter, now=late + timedelta(days=15))
    assert is_over(session, letter, now=late + timedelta(days=16))


# ── On paper ──


@pytest.mark.parametrize(("certain", "said"), [(True, "24时"), (False, "暂定")])
def test_a_letter_tells_who_what_until_when_and_how(session: Session, *, certain: bool, said: str) -> None:
    cycle = told_cycle(session)
    heap = [Letter(one, new_code()) for one in addressees(session, cycle, actor=OFFICER)]
    heap[0].to.vendor.address, heap[0].to.vendor.contact = "测试县城关镇 #1 号", "王主任"
    occasion = Occasion(cycle.title, Deadline((NOW + timedelta(days=7)).date(), certain), simulated=True, made_at=NOW)
    sender = Sender("测试县民政局", "人民路 1 号", "0763-8731234")
    printed = letters_pdf(heap, occasion, sender, base_url="https://pj.example.cn", fonts=None)
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(printed)]
    assert len(pages) == 2
    for text, letter in zip(pages, heap, strict=True):
        flat = "".join(text.split())
        for words in (
            letter.to.vendor.name,
            letter.to.contracts[0].reference,
            grouped(letter.code, 5),
            "pj.example.cn/notice",
            "2026年11月9日",
            said,
            "人民路1号",
            "0763-8731234",
            "模拟数据",
        ):
            assert words in flat
    assert "城关镇#1号王主任收" in "".join(pages[0].split())
    assert heap[0].code not in pages[0].replace("-", "").split("/notice")[0]  # it stands in no address


# ── In the browser ──


@pytest.fixture
def letter(write: Any) -> tuple[NoticeLetter, str, int]:
    """A letter, its code, and the number of an entry that it is about."""

    def made(session: Session) -> tuple[NoticeLetter, str, int]:
        cycle = told_cycle(session, at=clock())
        kept, code = written(session, cycle, at=clock())
        _ = kept.cycle.region, kept.vendor
        return kept, code, first_entry(session, cycle).id

    return write(made)


def objected(session: Session, entry_id: int) -> int:
    """The number of an objection to an entry's result."""
    entry = session.get_one(Entry, entry_id)
    objection = objection_to(session, entry.cycle, entry)
    return objection.id


def opened(client: CheckedClient, code: str) -> CheckedClient:
    answer = client.post("/notice", data={"code": code})
    assert answer.status_code == 303
    return client


def test_the_code_opens_the_vendors_pages_and_nothing_else(
    client: CheckedClient, letter: tuple[NoticeLetter, str, int], write: Any
) -> None:
    kept, code, entry_id = letter
    assert "编码" in client.get("/notice").text
    assert client.get(f"/appeals/replies/{entry_id}").location.startswith("/sign-in")
    answer = client.post("/notice", data={"code": grouped(code, 5)})
    assert (answer.status_code, code in answer.location) == (303, False)
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/appeals", True, "Lax")
    page = client.get(f"/appeals/replies/{entry_id}")
    assert page.status_code == 200
    assert f"密封函 {kept.vendor.credit_code}" in page.text
    assert client.post(f"/appeals/replies/{entry_id}", data={"text": "我机构的说明"}).status_code == 200
    sent = client.post(f"/appeals/replies/{entry_id}/submit", data={"text": "我机构的说明", "permanent": "y"})
    assert sent.status_code == 303
    foreign = write(lambda session: make_entry(session).id)
    assert client.get(f"/appeals/replies/{foreign}").status_code == 404
    for own in ("", f"/{entry_id}", f"/{entry_id}/waterfall.svg", f"/{entry_id}/objection"):
        assert client.get(f"/appeals/results{own}").status_code == 200
    statement = {"ground": "record", "statement": "二季度的入户记录没有核对，请复核。", "sure": "y"}
    filed = client.post(f"/appeals/results/{entry_id}/objection", data=statement)
    assert client.get(filed.location).status_code == 200
    for closed in ("/desk", "/appeals/replies", "/accounts/", f"/appeals/cycles/{kept.cycle.code}/letters"):
        assert client.get(closed).location.startswith("/sign-in")
    assert client.post("/appeals/letter/away").location == "/notice"
    assert client.get(f"/appeals/replies/{entry_id}").location.startswith("/sign-in")


def test_the_vendors_results_of_another_cycle_stay_closed(
    client: CheckedClient, letter: tuple[NoticeLetter, str, int], write: Any
) -> None:
    def another_year(session: Session) -> int:
        cycle = told_cycle(session, contracts=1)
        entry = first_entry(session, cycle)
        entry.contract.vendor_id = letter[0].vendor_id
        return entry.id

    other = write(another_year)
    opened(client, letter[1])
    for closed in ("replies", "results"):
        assert client.get(f"/appeals/{closed}/{other}").status_code == 404
        assert client.get(f"/appeals/{closed}/{letter[2]}").status_code == 200
    assert f"/appeals/results/{other}" not in client.get("/appeals/results").text
    foreign = write(objected, other)
    assert client.get(f"/appeals/objections/{foreign}").status_code == 404
    assert client.get("/appeals/replies/own").text.count(f"/appeals/replies/{letter[2]}") == 1
    assert f"/appeals/replies/{other}" not in client.get("/appeals/replies/own").text


@pytest.mark.parametrize("what", ["", "x", "1", "1.", "999999.a.b.c", "²." + "a" * 10, "1." + "a.1." + "b" * 22])
def test_a_cookie_that_is_not_ours_opens_nothing(
    client: CheckedClient, letter: tuple[NoticeLetter, str, int], what: str
) -> None:
    client.set_cookie("letter", what, path="/appeals")
    assert client.get(f"/appeals/replies/{letter[2]}").location.startswith("/sign-in")


def test_another_letter_and_time_close_the_browser(
    client: CheckedClient, letter: tuple[NoticeLetter, str, int], write: Any
) -> None:
    kept, code, entry_id = letter
    address = f"/appeals/replies/{entry_id}"
    opened(client, code)
    with time_machine.travel(clock() + timedelta(hours=2, seconds=1), tick=False):
        assert client.get(address).location.startswith("/sign-in")
    opened(client, code)
    write(lambda session: written(session, session.get_one(Cycle, kept.cycle_id), at=clock()))
    assert client.get(address).location.startswith("/sign-in")


def test_the_end_of_a_letter_ends_what_it_opened(
    client: CheckedClient, letter: tuple[NoticeLetter, str, int], write: Any
) -> None:
    opened(client, letter[1])
    write(lambda session: setattr(session.get_one(Cycle, letter[0].cycle_id), "state", "closed"))
    assert client.get(f"/appeals/replies/{letter[2]}").location.startswith("/sign-in")
    assert client.post("/notice", data={"code": letter[1]}).status_code == 410


def test_whoever_guesses_is_stopped(client: CheckedClient, letter: tuple[NoticeLetter, str, int]) -> None:
    assert client.post("/notice", data={"code": ""}).status_code == 422
    wrong = [client.post("/notice", data={"code": new_code()}).status_code for _ in range(TRIES)]
    assert set(wrong) == {404}
    assert client.post("/notice", data={"code": letter[1]}).status_code == 429
    with time_machine.travel(clock() + timedelta(minutes=11), tick=False):
        assert client.post("/notice", data={"code": letter[1]}).status_code == 303


def test_who_is_signed_in_needs_no_letter(sign_in: Any, write: Any, letter: tuple[NoticeLetter, str, int]) -> None:
    browser = sign_in(write(make_account, Role.VENDOR))
    assert "无需信函" in browser.get("/notice").text
    assert browser.post("/notice", data={"code": letter[1]}).status_code == 409


def test_the_office_prints_letters_for_those_without_an_account(
    database: Database, sign_in: Any, write: Any, letter: tuple[NoticeLetter, str, int], client: CheckedClient
) -> None:
    kept, code, entry_id = letter
    browser = sign_in(write(make_account, Role.OFFICER, region=kept.cycle.region))
    address = f"/appeals/cycles/{kept.cycle.code}/letters"
    page = browser.get(address).text
    assert page.count(" checked>") == 1  # the other vendor, who has none yet
    assert browser.post(address, data=FORM | {"kept": ""}).status_code == 422
    assert browser.post(address, data=FORM).status_code == 422
    answer = browser.post(address, data=FORM | {"vendors": kept.vendor_id})
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    (text,) = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.data)]
    assert client.post("/notice", data={"code": code}).status_code == 404
    fresh = next(word for word in text.split() if len(word) == 11 and word[5] == "-")
    assert opened(client, fresh).get(f"/appeals/replies/{entry_id}").status_code == 200


@pytest.mark.parametrize("state", ["review", "closed"])
def test_the_office_is_told_why_there_are_no_letters(sign_in: Any, write: Any, state: str, app: Flask) -> None:
    def made(session: Session) -> Cycle:
        cycle = told_cycle(session) if state == "closed" else rated_cycle(session)
        cycle.state = state
        _ = cycle.region.path
        return cycle

    cycle = write(made)
    browser = sign_in(write(make_account, Role.OFFICER, region=cycle.region))
    assert ("尚未告知" if state == "review" else "已结束") in browser.get(f"/appeals/cycles/{cycle.code}/letters").text
