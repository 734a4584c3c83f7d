"""Sealing editions: what is kept, how editions hang together, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, NotFound
from evalsys.collection.codes import ALPHABET
from evalsys.collection.models import ReceiptLeaf, Response
from evalsys.collection.submission import leaf_of
from evalsys.evaluation.models import Score
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.bundle import layout
from evalsys.publication.bundle.verification import verify
from evalsys.publication.keys import KeyFolder, make_key, public_keys, retire_key, signing_keys
from evalsys.publication.merkle import Tree, extends, includes
from evalsys.publication.models import Edition, EditionRecord, PublicKey
from evalsys.publication.receipts import look_up
from evalsys.publication.sealing import previous_record, record_of, seal
from evalsys.publication.trees import Trees, leaves_of
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_cycle, respond
from tests.factories import NOW, actor

OFFICER = actor(Role.OFFICER)
WHY = "补入漏登的纸质问卷，重新计算。"


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


@pytest.fixture(autouse=True)
def words(app: object) -> object:
    return app


def sealed(session: Session, cycle: Cycle, folder: KeyFolder, reason: str = "") -> EditionRecord:
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, reason=reason, actor=OFFICER, now=NOW)
    return seal(session, edition, folder, actor=OFFICER, now=NOW)


def bundled(record: EditionRecord) -> dict[str, bytes]:
    assert record.bundle is not None
    with zipfile.ZipFile(io.BytesIO(record.bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_edition_is_sealed(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    record = sealed(session, cycle, folder)
    assert record.bundle is not None
    key = public_keys(session)[0]
    assert verify(record.bundle, trusted={key.key: None}).holds
    assert record.hash == sha256(record.statement).hexdigest()
    assert record.fingerprints == [key.fingerprint]
    edition = json.loads(record.statement)
    assert edition["number"] == 1
    assert edition["previous"] is None
    assert edition["received"] == edition["counted"] == record.leaves > 0
    assert edition["leaves"]["root"] == record.root
    assert record_of(session, record.edition) is record
    assert "publication.make_key" in session.scalars(select(AuditEntry.act)).all()


def test_nothing_in_a_bundle_names_an_evaluator_or_an_account(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    files = bundled(sealed(session, cycle, folder))
    names = session.scalars(text("SELECT username FROM account UNION SELECT name FROM account")).all()
    assert names
    content = b"\n".join(files.values()).decode()
    assert not [name for name in names if name in content]


def test_editions_hang_together(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    first = sealed(session, cycle, folder)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    for _ in range(7):
        respond(session, entry, all_at(cycle, "recipient", "care", 1))
    second = sealed(session, cycle, folder, WHY)
    assert previous_record(session, second.edition) is first
    assert json.loads(second.statement)["previous"] == first.hash
    earlier, later = Tree(leaves_of(first)), Tree(leaves_of(second))
    assert later.size == earlier.size + 7
    assert leaves_of(second)[: earlier.size] == leaves_of(first)
    assert leaves_of(second)[earlier.size :] == sorted(leaves_of(second)[earlier.size :])
    proof = later.consistency(earlier.size)
    assert extends(earlier.size, later.size, proof, earlier.root, later.root)


def test_a_correction_by_few_answers_tells_no_spread_of_them(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    sealed(session, cycle, folder)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    for _ in range(3):
        respond(session, entry, all_at(cycle, "recipient", "care", 1))
    rows = bundled(sealed(session, cycle, folder, WHY))["levels.csv"].decode().splitlines()[1:]
    spread = {row.split(",")[0] for row in rows if ",recipient_" in row and row.split(",")[2] != "1"}
    contracts = {row.split(",")[0] for row in rows}
    assert contracts - spread == {entry.contract.reference}


def test_pseudonyms_are_drawn_anew(session: Session, folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = rated_cycle(session)
    orders: list[int] = []

    def backwards(_self: object, order: list[int]) -> None:
        orders.append(len(order))
        order.reverse()

    monkeypatch.setattr("secrets.SystemRandom.shuffle", backwards)
    record = sealed(session, cycle, folder)
    assert orders
    assert record.bundle is not None
    assert verify(record.bundle).holds


def test_a_held_answer_is_received_and_not_counted(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    key = session.scalars(select(Response.key).order_by(Response.key)).first()
    session.execute(update(Response).where(Response.key == key).values(held=True))
    edition = json.loads(sealed(session, cycle, folder).statement)
    assert (edition["held"], edition["received"]) == (1, edition["counted"] + 1)


def test_scores_that_do_not_follow_are_not_sealed(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    run = run_cycle(session, cycle, actor=OFFICER, now=NOW)
    session.execute(update(Score).where(Score.run_id == run.id, Score.score.is_not(None)).values(high=99.9))
    session.expire_all()
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict, match="分数与现有评分计算的结果不一致"):
        seal(session, edition, folder, actor=OFFICER, now=NOW)


def test_answers_without_receipts_are_not_sealed(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    session.delete(session.scalars(select(ReceiptLeaf)).first())
    with pytest.raises(Conflict, match="核对不符") as refused:
        sealed(session, cycle, folder)
    assert "收到的份数不等于计入与暂不计入之和" in refused.value.details[0]


def test_the_private_key_is_gone(session: Session, folder: KeyFolder, tmp_path: Path) -> None:
    make_key(session, folder, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict, match="实例文件夹中没有私钥"):
        signing_keys(session, KeyFolder(tmp_path / "elsewhere"), actor=OFFICER, now=NOW)


def test_keys_take_over_from_each_other(session: Session, folder: KeyFolder, tmp_path: Path) -> None:
    old = signing_keys(session, folder, actor=OFFICER, now=NOW)[0]
    [name] = [key.fingerprint for key in public_keys(session)]
    with pytest.raises(Conflict, match="唯一在用的密钥"):
        retire_key(session, name, actor=OFFICER, now=NOW)
    new = make_key(session, folder, actor=OFFICER, now=NOW + timedelta(days=1))
    both = signing_keys(session, folder, actor=OFFICER, now=NOW)
    assert {key.public for key in both} == {old.public, new.public}
    retire_key(session, name, actor=OFFICER, now=NOW + timedelta(days=30))
    assert [key.public for key in signing_keys(session, folder, actor=OFFICER, now=NOW)] == [new.public]
    with pytest.raises(NotFound, match="没有在用的密钥"):
        retire_key(session, name, actor=OFFICER, now=NOW)
    path = tmp_path / "keys" / f"{name}.pem"
    assert path.stat().st_mode & 0o777 == 0o600


def receipt_leaf(session: Session, cycle: Cycle) -> str:
    """A stored leaf of a receipt that the test knows."""
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    receipt = ALPHABET[:20]
    respond(session, entry, all_at(cycle, "recipient", "care", 4))
    leaf = session.scalars(select(ReceiptLeaf).where(ReceiptLeaf.entry_id == entry.id)).first()
    session.delete(leaf)
    session.flush()
    session.add(ReceiptLeaf(leaf=leaf_of(entry.contract.reference, receipt), entry_id=entry.id))
    session.flush()
    return receipt


def test_a_receipt_is_proven(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    receipt = receipt_leaf(session, cycle)
    before = look_up(session, receipt)
    assert before is not None
    assert before.proof is None
    record = sealed(session, cycle, folder)
    found = look_up(session, receipt)
    assert found is not None
    assert found.proof is not None
    assert found.proof.root.hex() == record.root
    assert includes(found.leaf, found.proof.index, found.proof.size, found.proof.path, found.proof.root)
    assert look_up(session, ALPHABET[1:21]) is None


def test_an_answer_that_came_after_the_edition_has_no_proof_yet(session: Session, folder: KeyFolder) -> None:
    cycle = rated_cycle(session)
    sealed(session, cycle, folder)
    found = look_up(session, receipt_leaf(session, cycle))
    assert found is not None
    assert found.proof is None


def test_trees_that_were_not_asked_for_long_are_dropped(session: Session, folder: KeyFolder) -> None:
    trees = Trees(most=1)
    first, second = (sealed(session, rated_cycle(session, contracts=1), folder) for _ in range(2))
    kept = trees.of(first)
    assert trees.of(first)[0] is kept[0]
    assert trees.of(second)[0].root.hex() == second.root
    assert trees.of(first)[0] is not kept[0]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE edition_record SET root = lower(root)", "permanent"),
        ("DELETE FROM edition_record", "permanent"),
        ("UPDATE public_key SET key = key", "permanent"),
        ("DELETE FROM public_key", "permanent"),
    ],
)
def test_a_seal_cannot_be_changed(session: Session, folder: KeyFolder, statement: str, name: str) -> None:
    sealed(session, rated_cycle(session, contracts=1), folder)
    with pytest.raises(DatabaseError, match=name):
        session.execute(text(statement))


BAD: list[tuple[Callable[[int], Any], str]] = [
    (lambda number: EditionRecord(**row(number) | {"hash": "short"}), "hash_length"),
    (lambda number: EditionRecord(**row(number) | {"root": "short"}), "root_length"),
    (lambda number: EditionRecord(**row(number) | {"leaves": -1}), "leaves_not_negative"),
    (lambda _number: PublicKey(fingerprint="0000", key="short", made_at=NOW), "key_length"),
]


def row(number: int) -> dict[str, Any]:
    return {
        "edition_id": number,
        "statement": b"{}",
        "signatures": [],
        "hash": "0" * 64,
        "root": "0" * 64,
        "leaves": 0,
    }


@pytest.mark.parametrize(("bad", "constraint"), BAD, ids=[name for _, name in BAD])
def test_bad_rows(session: Session, bad: Callable[[int], Any], constraint: str) -> None:
    cycle = rated_cycle(session, contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    session.add(bad(edition.id))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_a_hash_is_sealed_once(session: Session) -> None:
    editions: list[Edition] = []
    for _ in range(2):
        cycle = rated_cycle(session, contracts=1)
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        editions.append(publish(session, cycle, actor=OFFICER, now=NOW))
    session.add_all(EditionRecord(**row(edition.id)) for edition in editions)
    with pytest.raises(IntegrityError, match="edition_record"):
        session.flush()


def test_the_order_of_files_says_what_matters_first(session: Session, folder: KeyFolder) -> None:
    files = list(bundled(sealed(session, rated_cycle(session, contracts=1), folder)))
    assert files[:3] == [layout.EDITION, layout.SIGNATURES, layout.RULES]
