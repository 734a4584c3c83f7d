"""What `verify` says of a whole bundle, and of every way to spoil one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from evalsys.base import language
from evalsys.publication.bundle import layout
from evalsys.publication.bundle.archive import packed
from evalsys.publication.bundle.findings import Finding
from evalsys.publication.bundle.signature import SigningKey
from evalsys.publication.bundle.verification import verify
from tests.publication.bundle.made import KEY, RULES_TEXT, made_files, restated, signed

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files() -> Files:
    return made_files()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask("evalsys")
    language.install(app)
    with app.app_context(), force_locale("en"):
        yield


def failed(content: bytes, **options: Any) -> dict[str, str]:
    return {one.text: one.detail for one in verify(content, **options).findings if one.holds is False}


def changed(files: Files, name: str, change: Callable[[str], str]) -> Files:
    text = files[name].decode()
    assert change(text) != text
    return files | {name: change(text).encode()}


FOLLOW = "Scores, intervals and grades follow from the inputs."
BESIDE = "Rank sets, shrinkage and the space of weights follow from the scores."
FILES = "Every file is the one that edition.json names."
SIGNED = "edition.json is signed."
ROOT = "The root is that of the answers received."
WHOLE = "The file is a whole bundle."


def test_a_whole_bundle_holds(files: Files) -> None:
    report = verify(signed(files))
    assert report.holds
    assert [one.holds for one in report.findings] == [True] * 7
    assert report.findings[-1].detail == "6 contracts recomputed"
    assert report.edition["cycle"]["code"] == "2026-A"
    assert SigningKey(KEY.pem).sign(b"").fingerprint in report.findings[2].detail


def test_the_same_material_gives_the_same_bytes(files: Files) -> None:
    assert made_files() == files
    assert packed(files) == packed(files)


def test_with_the_publishers_keys(files: Files) -> None:
    known = KEY.sign(b"").key
    assert verify(signed(files), trusted={known: None}).findings[2].detail.endswith("the publisher's.")
    other = SigningKey.fresh()
    assert failed(signed(files, other), trusted={known: None}) == {
        SIGNED: "It is signed, but with none of the publisher's keys."
    }
    assert verify(signed(files, other, KEY), trusted={known: None}).holds  # two keys overlap while one takes over


def test_a_key_that_was_retired(files: Files) -> None:
    old, new = KEY.sign(b"").key, (fresh := SigningKey.fresh()).sign(b"").key
    on_the_day, a_day_later = (datetime(2026, 11, day, 8, tzinfo=UTC) for day in (23, 24))
    assert verify(signed(files), trusted={old: a_day_later}).holds  # what it had signed before stays valid
    assert "had been retired" in failed(signed(files), trusted={old: on_the_day})[SIGNED]
    report = verify(signed(files, KEY, fresh), trusted={old: on_the_day, new: None})
    assert report.findings[2].detail == f"Key {fresh.sign(b'').fingerprint}, the publisher's."
    for moment in ("2026-11-01T00:00:00", "once", None):
        forged = restated(files, lambda edition, moment=moment: edition.update(published_at=moment))
        assert "had been retired" in failed(signed(forged), trusted={old: a_day_later})[SIGNED]


def test_steps_that_are_off_are_recomputed_too() -> None:
    text = RULES_TEXT.decode()
    for section in ("shrinkage", "rank_sets", "sensitivity", "severity", "weighting"):
        start = text.index(f"\n[{section}]")
        text = text[:start] + text[text.index("\n\n", start) :]
    assert failed(signed(made_files(text.encode()))) == {}


def test_with_adjustments() -> None:
    text = RULES_TEXT.decode() + (
        '\n[adjustment]\nground.zh = "据"\nground.en = "ground"\n'
        'coefficients = [{ dimension = "outcomes", mode = "telephone", points = 2.0, mean = 0.5 }]\n'
    )
    files = made_files(text.encode())
    assert "adjusted.csv" in files
    assert failed(signed(files)) == {}
    assert "adjusted.csv is missing" in failed(signed({k: v for k, v in files.items() if k != "adjusted.csv"}))[FOLLOW]


def test_one_digit_changed(files: Files) -> None:
    row = files["inputs.csv"].decode().splitlines()[5]
    spoilt = changed(files, "inputs.csv", lambda text: text.replace(row, row[:-1] + ("1" if row[-1] != "1" else "2")))
    assert failed(signed(spoilt))[FILES] == "changed: inputs.csv"


@pytest.mark.parametrize(
    ("name", "column", "found"),
    [
        ("inputs.csv", "sum", FOLLOW),
        ("terms.csv", "value", FOLLOW),
        ("scores.csv", "low", FOLLOW),
        ("scores.csv", "grade", FOLLOW),
        ("scores.csv", "rank_high", BESIDE),
        ("scores.csv", "tau2", BESIDE),
    ],
)
def test_a_change_by_somebody_who_holds_the_key_is_found(files: Files, name: str, column: str, found: str) -> None:
    heading, *rows = files[name].decode().splitlines()
    row = next(row for row in rows if row.startswith(("C00", "rater_variance")))  # others may not be read at all
    place, cells = heading.split(",").index(column), row.split(",")
    cells[place] = "poor" if column == "grade" else str(float(cells[place]) + 7)
    if column == "rank_high":
        cells[place] = "99"
    forged = changed(files, name, lambda text: text.replace(row, ",".join(cells)))
    told = failed(signed(restated(forged)))
    assert found in told
    assert "C00" in told[found] or name == "terms.csv"


def test_a_signature_that_does_not_fit(files: Files) -> None:
    forged = restated(files, lambda edition: edition.update(number=2))
    row = vars(KEY.sign(files[layout.EDITION]))
    for rows in ([row], [], [{"key": "no key", "signature": "none"}]):
        content = packed({**forged, layout.SIGNATURES: json.dumps(rows).encode()})
        assert failed(content) == {SIGNED: "A signature is missing or does not fit."}
    for unread in (b"[", b"[1]", b"[{}]"):
        assert failed(packed({**files, layout.SIGNATURES: unread})) == {SIGNED: "signatures.json cannot be read."}


def test_rules_that_are_not_those_named(files: Files) -> None:
    text = "The rules are those that edition.json names."
    assert text in failed(signed(restated(changed(files, layout.RULES, lambda text: text + "# more\n"))))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[65:], "another root"),
        (lambda text: text[65:130] + text[:65] + text[130:], "another root"),
        (lambda text: text + text[:65], "one twice"),
        (lambda text: text + "00\n", "is no hash"),
        (lambda text: text + "zz\n", "cannot be read"),
    ],
)
def test_leaves_that_are_others(files: Files, change: Callable[[str], str], why: str) -> None:
    assert why in failed(signed(restated(changed(files, layout.LEAVES, change))))[ROOT]


def test_received_is_counted_and_held(files: Files) -> None:
    for counted in (39, None):
        forged = restated(files, lambda edition, counted=counted: edition.update(counted=counted))
        assert failed(signed(forged))[ROOT] == "Received is not counted and held together."


def test_files_that_are_missing_or_strange(files: Files) -> None:
    without = {name: content for name, content in files.items() if name != "terms.csv"}
    told = failed(signed(without | {"more.txt": b""}))
    assert told[FILES] == "missing: terms.csv; not named: more.txt"
    assert told[FOLLOW] == "terms.csv is missing"


def test_contracts_whose_few_answers_are_not_told(files: Files) -> None:
    rows = [
        row for row in files["inputs.csv"].decode().splitlines(keepends=True) if not row.startswith("C01,recipient")
    ]
    report = verify(signed(restated(files | {"inputs.csv": "".join(rows).encode()})))
    follow, beside = report.findings[-2:]
    assert (follow.holds, follow.detail) == (True, "5 contracts recomputed")
    assert beside.holds is None
    assert "cannot be recomputed" in beside.detail


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip file at all"])
def test_what_is_no_zip_file(content: bytes) -> None:
    assert "no whole zip file" in failed(content)[WHOLE]


def test_a_truncated_or_damaged_zip_file(files: Files) -> None:
    content = signed(files)
    assert "no whole zip file" in failed(content[: len(content) // 2])[WHOLE]
    assert "no whole zip file" in failed(content[:60] + bytes([content[60] ^ 255]) + content[61:])[WHOLE]


def zipped(*names: str, content: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def test_a_hostile_zip_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "folders" in failed(zipped("../edition.json"))[WHOLE]
    assert "folders" in failed(zipped("a\\b"))[WHOLE]
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped("a", "a")
    assert "a name twice" in failed(twice)[WHOLE]
    assert "more than a bundle may hold" in failed(zipped(*map(str, range(101))))[WHOLE]
    monkeypatch.setattr("evalsys.publication.bundle.archive.LARGEST", 10)
    assert "more than a bundle may hold" in failed(zipped("a", content=b"x" * 11))[WHOLE]


def test_a_size_that_lies(files: Files) -> None:
    content = bytearray(zipped("a", content=b"x" * 40))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (20).to_bytes(4, "little")
    assert WHOLE in failed(bytes(content))


@pytest.mark.parametrize(
    ("edition", "why"),
    [
        (None, "edition.json is missing"),
        (b"{", "edition.json: "),
        (b'{"b": 1}', "not canonical JSON"),
        (b"[]", "its format is not"),
        (b'{"format":"evalsys-edition/9"}', "its format is not"),
        (b'{"format":"evalsys-edition/1"}', "files or leaves are missing"),
        (b"[" * 100_000, "edition.json: "),
    ],
)
def test_an_edition_json_that_is_none(edition: bytes | None, why: str) -> None:
    assert why in failed(packed({} if edition is None else {layout.EDITION: edition}))[WHOLE]


def test_other_contracts_in_the_scores(files: Files) -> None:
    forged = changed(files, "scores.csv", lambda text: text.replace("\nC00,", "\nC99,"))
    assert failed(signed(restated(forged)))[FOLLOW] == "scores.csv has other contracts than contracts.csv."


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("inputs.csv", lambda text: text.replace("contract,", "contracts,", 1), "the heading must be"),
        ("inputs.csv", lambda text: text.replace("C00,", "C77,", 1), "'C77' is not known among the contracts"),
        ("inputs.csv", lambda text: text.replace(",recipient,", ",vendor,", 1), "'vendor' is not known"),
        ("inputs.csv", lambda text: text.replace(",E00,", ",E77,", 1), "'E77' is not known among the raters"),
        ("inputs.csv", lambda text: text + text.splitlines()[1] + "\n", "has the dimensions already"),
        ("inputs.csv", lambda text: text + "C00\n", "has 1 cells instead of 14"),
        ("inputs.csv", lambda text: text + '"', "inputs.csv: "),
        ("terms.csv", lambda text: text.replace("gap", "gape", 1), "'gape' is no such term"),
        ("terms.csv", lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "a term is missing"),
        ("terms.csv", lambda text: text.splitlines()[0] + "\ngap,purchaser,,,nan\n", "'nan' is no number"),
        ("terms.csv", lambda text: text.splitlines()[0] + "\ngap,purchaser,,,\n", "'' is no number"),
        ("contracts.csv", lambda text: text.replace(",110\n", ",much\n", 1), "'much' is no integer"),
        ("rules.toml", lambda text: text.replace("format = 1", "format = 9"), "format"),
    ],
)
def test_faulty_tables_are_named(files: Files, name: str, change: Callable[[str], str], why: str) -> None:
    assert why in failed(signed(restated(changed(files, name, change))))[FOLLOW]


def test_a_table_that_is_no_utf_8(files: Files) -> None:
    assert "terms.csv: " in failed(signed(restated(files | {"terms.csv": b"\xff"})))[FOLLOW]


def test_numbers_that_cannot_be(files: Files) -> None:
    row = next(row for row in files["terms.csv"].decode().splitlines() if row.startswith("correlation"))
    forged = changed(files, "terms.csv", lambda text: text.replace(row, row.rpartition(",")[0] + ",7"))
    assert "correlation" in failed(signed(restated(forged)))[FOLLOW]


def test_the_report_holds_while_something_could_not_be_looked_at(files: Files) -> None:
    report = verify(signed(files))
    assert replace(report, findings=(Finding("", holds=None),)).holds
    assert not replace(report, findings=(Finding("", holds=False),)).holds
