"""Who tries to learn which answer is whose, from what is stored, copied and logged.

The attacker knows in which order the recipients answered, as somebody who watched the village hall would, and even
their receipts. Each attack pairs that order with an order found in the store. Against the store as it is after mixing
an attack may be right as often as guessing is; against a store that keeps an order it must win, or it proves nothing.
"""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text

from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.mixing import mix, mixed_tables
from evalsys.collection.codes import code_hash, code_key
from evalsys.collection.interview_marks import interview_key, mark_of, note
from evalsys.collection.models import Invitation, Response
from evalsys.collection.paper_models import PaperBatch, PaperForm, PaperKeying, PaperSheet
from evalsys.collection.submission import SubmissionWriter, leaf_of
from evalsys.operations.backup import back_up
from tests.collection.surveys import COMPLETE, SECRET, browser, form, make_invitation
from tests.collection.test_submission import Filled, forms
from tests.factories import NOW, make_account, make_entry, make_region, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
Keys = list[bytes]
PEOPLE = 24
TOO_OFTEN = 7
"""Right guesses that chance brings with a probability of at most 1/7!: among random orders of any number of people, the
chance of k or more in their own places is at most 1/k!."""
KEYS = {"response": "key", "response_rating": "response_key", "receipt_leaf": "leaf", "interview": "mark"}
MARKED = interview_key(SECRET)
SECRETS = "evalsys.collection.submission.secrets.token_bytes"


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are drawn at random; here always alike, so that no run fails by chance."""
    monkeypatch.setattr(SECRETS, random.Random(20261123).randbytes)


def answer_in_order(database: Database, write: Write, number: int = PEOPLE) -> list[Filled]:
    """People answer one after the other, each unlike all others; others write other things in between.

    An interviewer sits with each, and is noted with it.
    """
    writer, people = SubmissionWriter(database), forms(database, write, number)
    interviewer = write(lambda session: make_account(session, Role.INTERVIEWER).as_actor())
    for place, person in enumerate(people):
        write(make_region)
        assert writer.submit(person.saying(ratings={"a": float(place // 5), "b": float(place % 5)}))
        write(note, person.stored.invitation_id, key=MARKED, actor=interviewer)
    return people


def places(database: Database) -> dict[bytes, int]:
    """Of each response, whose it is; only the test can know, by the answers that it made up."""
    with database.reading() as session:
        rows = session.execute(text("SELECT response_key, criterion, value FROM response_rating")).all()
    found: dict[bytes, int] = {}
    for key, criterion, value in rows:
        found[bytes(key)] = found.get(bytes(key), 0) + int(value) * (5 if criterion == "a" else 1)
    return found


def orders(database: Database, table: str) -> dict[str, Keys]:
    """Every order in which a table's random keys can be found in the store."""
    key = KEYS[table]
    with database.reading() as session:
        found = {"asked without an order": list(session.scalars(text(f"SELECT {key} FROM {table}")))}
        if database.is_sqlite:
            found["in the file"] = _in_file(Path(str(database.url.database)), found["asked without an order"])
        else:
            found["on the disk"] = list(session.scalars(text(f"SELECT {key} FROM {table} ORDER BY ctid")))
            by_age = f"SELECT {key} FROM {table} ORDER BY age(xmin) DESC, ctid"
            found["by transaction"] = list(session.scalars(text(by_age)))
    return {name: list(dict.fromkeys(map(bytes, keys))) for name, keys in found.items()}


def _in_file(file: Path, keys: Keys) -> Keys:
    content = file.read_bytes()
    return sorted(map(bytes, keys), key=lambda key: -content.index(key))  # a page fills from its end


def right(known: list[Any], guessed: list[Any]) -> int:
    """How many stand where they belong, read from the front or from the back."""
    back = guessed[::-1]
    return max(sum(k == g for k, g in zip(known, way, strict=True)) for way in (guessed, back))


def let_the_log_reach_the_file(database: Database) -> None:
    if database.is_sqlite:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def attack_by_order(database: Database) -> dict[str, int]:
    """Pair the order in which people answered with each order of the answers."""
    whose = places(database)
    return {
        f"{table} {name}": right(list(range(len(whose))), [whose[key] for key in keys])
        for table in ("response", "response_rating")
        for name, keys in orders(database, table).items()
    }


def attack_by_receipt(database: Database, people: list[Filled]) -> dict[str, int]:
    """Pair each person's receipt with an answer: the leaves' order with that of the answers."""
    return _attack_from(database, "receipt_leaf", [person.stored.leaf for person in people])


def attack_by_interview(database: Database, people: list[Filled]) -> dict[str, int]:
    """Pair each interview with an answer, as one could who has the key of the marks and knows each person's case."""
    return _attack_from(database, "interview", [mark_of(person.stored.invitation_id, MARKED) for person in people])


def _attack_from(database: Database, table: str, keys: Keys) -> dict[str, int]:
    """Pair a table's rows, of which it is known whose they are, with answers: their order with that of the answers."""
    whose, known = places(database), {key: place for place, key in enumerate(keys)}
    responses = orders(database, "response")
    return {
        name: right([known[key] for key in found], [whose[key] for key in responses[name]])
        for name, found in orders(database, table).items()
    }


def test_before_mixing_the_order_tells_and_after_it_does_not(database: Database, write: Write) -> None:
    people = answer_in_order(database, write)
    let_the_log_reach_the_file(database)
    weak = attack_by_order(database)
    assert max(weak.values()) == PEOPLE  # the attack works where an order is kept
    for attack in (attack_by_receipt(database, people), attack_by_interview(database, people)):
        assert max(attack.values()) == PEOPLE
    assert mix(database)
    for attack in (
        attack_by_order(database),
        attack_by_receipt(database, people),
        attack_by_interview(database, people),
    ):
        assert len(attack) >= 2
        assert max(attack.values()) < TOO_OFTEN, attack


def key_in_order(database: Database, write: Write, number: int) -> None:
    """Forms on paper are keyed one after the other."""

    def begin(session: Any) -> tuple[int, int, int]:
        stratum, typist = make_stratum(session), make_account(session)
        cycle = stratum.entry.cycle
        batch = PaperBatch(cycle_id=cycle.id, region_id=cycle.region_id, share=0.1, opened_at=NOW, opened_by="甲")
        session.add(batch)
        session.flush()
        return stratum.id, batch.id, typist.id

    def key(session: Any, place: int) -> None:
        serial = bytes([place]) * 32
        session.add(PaperForm(serial_hmac=serial, stratum_id=stratum))
        session.flush()
        sheet = PaperSheet(serial_hmac=serial, batch_id=batch, number=place)
        sheet.keyings = [PaperKeying(turn=1, account_id=typist, answers={"a": 1})]
        session.add(sheet)

    stratum, batch, typist = write(begin)
    for place in range(1, number + 1):
        write(key, place)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite stamps no row
def test_mixing_writes_every_row_of_its_tables_anew(database: Database, write: Write) -> None:
    answer_in_order(database, write, 3)
    key_in_order(database, write, 3)

    def stamps() -> dict[str, int]:
        with database.reading() as session:
            counts = {t.name: text(f"SELECT count(DISTINCT xmin::text) FROM {t.name}") for t in mixed_tables()}
            return {name: session.scalars(count).one() for name, count in counts.items()}

    assert set(stamps().values()) == {3}, stamps()  # a table of which this writes no rows proves nothing
    assert mix(database)
    assert set(stamps().values()) == {1}, stamps()


def test_mixing_loses_nothing_and_leaves_no_row_number(database: Database, write: Write) -> None:
    people = answer_in_order(database, write)
    before = places(database)
    assert mix(database)
    assert places(database) == before
    for table in KEYS:
        found = next(iter(orders(database, table).values()))
        assert (len(found), found) == (PEOPLE, sorted(found)), table
    if database.is_sqlite:
        with database.reading() as session, pytest.raises(Exception, match="no such column: rowid"):
            session.execute(text("SELECT rowid FROM response"))
    assert not SubmissionWriter(database).submit(people[0])  # and everything works as before


@pytest.fixture
def stolen(tmp_path: Path) -> Iterator[Callable[[Database, str], Database]]:
    """Steal a backup and open it."""
    opened: list[Database] = []

    def steal(database: Database, name: str) -> Database:
        back_up(database, tmp_path / f"{name}.sqlite")
        shutil.copyfile(tmp_path / f"{name}.sqlite", tmp_path / f"{name}-opened.sqlite")
        opened.append(Database(f"sqlite:///{tmp_path / f'{name}-opened.sqlite'}"))
        return opened[-1]

    yield steal
    for database in opened:
        database.dispose()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a dump of PostgreSQL has the order of the disk
def test_a_backup_tells_no_order_though_the_site_is_not_mixed(
    database: Database, write: Write, stolen: Callable[[Database, str], Database]
) -> None:
    people = answer_in_order(database, write)
    copy = stolen(database, "one")
    for attack in (attack_by_order(copy), attack_by_receipt(copy, people), attack_by_interview(copy, people)):
        assert max(attack.values()) < TOO_OFTEN, attack
    content = Path(str(copy.url.database)).read_bytes()
    with sqlite3.connect(str(copy.url.database)) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert len({content.count(key) for key in places(copy)}) == 1  # no old page holds some once more


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_backups_tell_a_single_answer_and_not_which_of_many(
    database: Database, write: Write, stolen: Callable[[Database, str], Database]
) -> None:
    """A single answer between two backups is told whatever the order: so only one backup is kept while answers come."""

    def told(copy: Database) -> tuple[set[int], dict[bytes, int]]:
        with copy.reading() as session:
            return set(session.scalars(select(Invitation.id).where(Invitation.used))), places(copy)

    writer, people = SubmissionWriter(database), forms(database, write, PEOPLE + 6)

    def answer(group: list[Filled]) -> None:
        for person in group:
            place = people.index(person)
            assert writer.submit(person.saying(ratings={"a": float(place // 5), "b": float(place % 5)}))

    copies = []
    for number, group in enumerate((people[:5], people[5:6], people[6:])):
        answer(group)
        copies.append(told(stolen(database, str(number))))
    (first, second, third) = copies
    (person,), (key,) = second[0] - first[0], second[1].keys() - first[1].keys()
    assert (person, second[1][key]) == (people[5].stored.invitation_id, 5)  # not defended, and said so
    people_between = sorted(third[0] - second[0])
    answers_between = [third[1][key] for key in sorted(third[1].keys() - second[1].keys())]
    assert len(people_between) == PEOPLE
    assert right([identity - 1 for identity in people_between], answers_between) < TOO_OFTEN


def test_the_logs_and_the_audit_trail_hold_nothing_to_join(
    app: Flask, client: CheckedClient, database: Database, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hidden, receipts = [], []
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(3):
            code = write(make_invitation)
            filled = form(client, code)
            clock.shift(timedelta(minutes=7))
            for fields in (filled | {"help": "9"}, filled, filled):  # refused, counted, sent twice
                answer = browser(app).post(f"/s/{code}", data=fields)
            receipts.append(answer.location.rsplit("/", 1)[1])
            hidden += [code, code_hash(code, code_key(SECRET)).hex(), filled["form-token"], receipts[-1]]
            hidden.append(leaf_of("", receipts[-1]).hex())
    said = caplog.text.lower()
    assert not [one for one in hidden if one.lower() in said]
    assert not [field for field in COMPLETE if f"{field}=" in said]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0
        stamps = _moments(session)
    answered = {NOW + timedelta(minutes=7 * n) for n in range(1, 4)}
    assert not answered & stamps


def _moments(session: Any) -> set[datetime]:
    """Every time of day that any table keeps."""
    found: set[datetime] = set()
    for table in Response.metadata.sorted_tables:
        for column in table.columns:
            if column.type.python_type is datetime:
                found |= {moment for (moment,) in session.execute(select(column)) if moment is not None}
    return {moment.astimezone(UTC) for moment in found}


def test_a_lone_answer_of_a_stratum_is_told_and_one_of_a_small_stratum_is_not(
    client: CheckedClient, database: Database, write: Write
) -> None:
    """Where at least five were asked and one has answered, the stratum leads to the answer; docs/privacy.md says so."""

    def prepare(session: Any) -> list[str]:
        entry, codes = make_entry(session), []
        for asked in (4, 5):
            stratum = make_stratum(session, entry=entry)
            codes += [make_invitation(session, entry=entry, stratum_id=stratum.id) for _ in range(asked)][:1]
        return codes

    for code in write(prepare):
        client.post(f"/s/{code}", data=form(client, code))
    assert mix(database)
    with database.reading() as session:
        used = session.scalars(select(Invitation.stratum_id).where(Invitation.used).order_by(Invitation.id)).all()
        kept = [session.scalar(select(func.count()).where(Response.stratum_id == stratum)) for stratum in used]
    assert kept == [0, 1]
