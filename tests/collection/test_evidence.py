"""Evidence: attached to a draft, removed from it, read by those who may, kept whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.collection import evidence
from evalsys.collection.assessments import save_draft, submit, task_of
from evalsys.collection.evidence import Sent
from evalsys.collection.evidence_store import FolderStore
from evalsys.collection.models import Assessment, Evidence
from evalsys.config import Settings
from tests.collection.files import located_photo, pdf, photo
from tests.collection.world import World, full_answers, make_world
from tests.factories import NOW, make_account, make_county
from tests.pages import CheckedClient


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "evidence")


def attach(session: Session, world: World, store: FolderStore, sent: Sent, who: str = "evaluator") -> Evidence:
    return evidence.add(session, world.entry.id, store, sent, actor=getattr(world, who).as_actor(), now=NOW)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def finish(session: Session, world: World) -> None:
    actor = world.evaluator.as_actor()
    task = task_of(session, world.entry.id, actor=actor)
    draft = save_draft(
        session, world.entry.id, full_answers(task.questionnaire), version=task.version, actor=actor, now=NOW
    )
    submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW)


def test_a_file_begins_a_draft_and_lies_under_its_hash(
    session: Session, world: World, store: FolderStore, tmp_path: Path
) -> None:
    row = attach(session, world, store, Sent("现场.jpg", located_photo(), "third_goals"))
    assert (row.name, row.media_type, row.criterion) == ("现场.jpg", "image/jpeg", "third_goals")
    assert (row.account.name, row.added_at, row.assessment.state) == ("评价员甲", NOW, "draft")
    assert names(tmp_path / "evidence") == [row.hash]
    kept, content = evidence.read(session, row.id, store, actor=world.evaluator.as_actor())
    assert (kept.size, b"SecretCamera" in content) == (len(content), False)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.detail["sha256"], "现场" in str(entry.detail)) == (
        "collection.add_evidence",
        row.hash,
        False,
    )


def test_a_later_save_keeps_the_files(session: Session, world: World, store: FolderStore) -> None:
    attach(session, world, store, Sent("a.pdf", pdf()))
    finish(session, world)
    assert session.scalar(select(func.count()).select_from(Assessment)) == 1
    assert session.scalar(select(func.count()).select_from(Evidence)) == 1


def test_what_is_refused_leaves_nothing(session: Session, world: World, store: FolderStore, tmp_path: Path) -> None:
    for sent in (Sent("a.pdf", photo()), Sent("a.pdf", pdf(), "no_such_criterion")):
        with pytest.raises(Invalid):
            attach(session, world, store, sent)
    assert session.scalars(select(Assessment)).all() == []
    assert names(tmp_path) == [name for name in names(tmp_path) if "sqlite" in name]


def test_the_same_file_and_one_too_many_are_refused(
    session: Session, world: World, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(session, world, store, Sent("a.pdf", pdf(b"1")))
    with pytest.raises(Conflict, match="已经上传"):
        attach(session, world, store, Sent("b.pdf", pdf(b"1")))
    monkeypatch.setattr(evidence, "MOST_FILES", 1)
    with pytest.raises(Conflict, match="最多附 1 个"):
        attach(session, world, store, Sent("b.pdf", pdf(b"2")))


def test_a_removed_file_goes_from_the_store_too(
    session: Session, world: World, store: FolderStore, tmp_path: Path
) -> None:
    actor = world.evaluator.as_actor()
    evidence.tidy(session, world.entry.id, store, actor=actor)  # nothing begun: nothing to do
    gone = attach(session, world, store, Sent("a.pdf", pdf(b"1")))
    stays = attach(session, world, store, Sent("b.pdf", pdf(b"2")))
    evidence.remove(session, gone.id, actor=actor, now=NOW)
    evidence.tidy(session, world.entry.id, store, actor=actor)
    assert names(tmp_path / "evidence") == [stays.hash]
    assert session.scalars(select(AuditEntry.act)).all()[-1] == "collection.remove_evidence"
    with pytest.raises(NotFound):
        evidence.remove(session, gone.id, actor=actor, now=NOW)
    with pytest.raises(NotFound):
        evidence.remove(session, stays.id, actor=world.purchaser.as_actor(), now=NOW)


def test_nothing_is_attached_or_removed_after_submission(session: Session, world: World, store: FolderStore) -> None:
    row = attach(session, world, store, Sent("a.pdf", pdf()))
    finish(session, world)
    with pytest.raises(Conflict, match="已经提交"):
        attach(session, world, store, Sent("b.pdf", pdf(b"2")))
    with pytest.raises(Conflict, match="已经提交"):
        evidence.remove(session, row.id, actor=world.evaluator.as_actor(), now=NOW)


def test_nothing_is_attached_after_collecting(session: Session, world: World, store: FolderStore) -> None:
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Gone):
        attach(session, world, store, Sent("a.pdf", pdf()))


def test_who_reads_a_file(session: Session, world: World, store: FolderStore) -> None:
    row = attach(session, world, store, Sent("a.pdf", pdf()))
    for account in (world.auditor, world.purchaser, make_account(session, Role.VENDOR)):
        with pytest.raises(NotFound):  # of a draft, not even that it is there
            evidence.read(session, row.id, store, actor=account.as_actor())
    finish(session, world)
    for account in (world.auditor, world.administrator, world.evaluator):
        assert evidence.read(session, row.id, store, actor=account.as_actor())[1] == pdf()
    elsewhere = make_account(session, Role.AUDITOR, region=make_county(session))
    for account in (world.purchaser, elsewhere, make_account(session, Role.VENDOR)):
        with pytest.raises(NotAllowed):
            evidence.read(session, row.id, store, actor=account.as_actor())
    with pytest.raises(NotFound):
        evidence.read(session, row.id + 1, store, actor=world.auditor.as_actor())


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_a_file_that_is_not_what_was_kept_is_not_given_out(
    session: Session, world: World, store: FolderStore, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    row = attach(session, world, store, Sent("a.pdf", pdf()))
    harm(tmp_path / "evidence" / str(row.assessment_id) / row.hash)
    with pytest.raises(Gone, match="不一致"):
        evidence.read(session, row.id, store, actor=world.evaluator.as_actor())


def test_a_full_disk_leaves_no_half_file(store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(1, "a" * 64, b"content")
    assert names(tmp_path) == []


# ── Pages ──

SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def collecting(write: Callable[..., Any], app: Flask) -> World:
    made: World = write(make_world, closes_on=now().date() + timedelta(days=30))
    return made


def page_of(world: World) -> str:
    return f"/collection/entries/{world.entry.id}/evidence"


def send(browser: CheckedClient, world: World, name: str, content: bytes, criterion: str = "") -> Any:
    data = {"file": (io.BytesIO(content), name), "criterion": criterion}
    return browser.post(page_of(world), data=data, content_type="multipart/form-data")


@pytest.mark.parametrize("who", ["evaluator", "purchaser"])
def test_attach_download_and_remove(collecting: World, sign_in: SignIn, database: Database, who: str) -> None:
    browser = sign_in(getattr(collecting, who))
    draft = browser.post(f"/collection/entries/{collecting.entry.id}/rate", data={"version": "", "then": "evidence"})
    assert draft.location == page_of(collecting)
    assert "尚未附文件" in browser.get(page_of(collecting)).text
    assert send(browser, collecting, "验收<b>.jpg", located_photo()).status_code == 303
    page = browser.get(page_of(collecting)).text
    assert "验收&lt;b&gt;.jpg" in page
    with database.reading() as session:
        row = session.scalars(select(Evidence)).one()
    address = f"/collection/evidence/{row.id}"
    assert address in page
    assert address in browser.get(f"/collection/entries/{collecting.entry.id}/check").text
    assert "已附 1 个文件" in browser.get(f"/collection/entries/{collecting.entry.id}/rate").text
    file = browser.get(address)
    assert (file.status_code, file.mimetype, file.headers["X-Content-Type-Options"]) == (200, "image/jpeg", "nosniff")
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert sign_in(collecting.auditor).get(address).status_code == 404
    removed = browser.post(f"{address}/remove")
    assert (removed.status_code, removed.location) == (303, page_of(collecting))
    assert browser.get(address).status_code == 404


def test_what_is_wrong_with_a_file_is_said_on_the_page(collecting: World, sign_in: SignIn, settings: Settings) -> None:
    browser = sign_in(collecting.evaluator)
    for name, content, status, said in (
        ("a.pdf", photo(), 422, "应为 .jpg"),
        ("a.jpg", b"", 422, "文件是空的"),
        ("a.zip", b"PK\x03\x04" + bytes(60), 422, "不属于"),
    ):
        answer = send(browser, collecting, name, content)
        assert (answer.status_code, said in answer.text) == (status, True)
    assert "请选择文件" in browser.post(page_of(collecting), data={}).text
    assert not (settings.instance / "evidence").exists()
    send(browser, collecting, "a.pdf", pdf())
    assert send(browser, collecting, "a.pdf", pdf()).status_code == 409


def test_a_submitted_assessment_shows_its_files(collecting: World, sign_in: SignIn, write: Callable[..., Any]) -> None:
    browser = sign_in(collecting.evaluator)
    send(browser, collecting, "a.pdf", pdf(), "third_goals")
    write(lambda session: finish(session, collecting))
    final = browser.get(page_of(collecting)).location
    page = sign_in(collecting.auditor).get(final).text
    assert "a.pdf" in page
    assert "删除" not in page
    assert sign_in(collecting.auditor).get(page_of(collecting)).status_code == 403
