"""Open data, keys and receipts, through a browser and on the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from evalsys.base.access import Role
from evalsys.base.tokens import derive_key
from evalsys.cli import run
from evalsys.collection.codes import grouped, receipt_of
from evalsys.collection.models import ReceiptLeaf
from evalsys.collection.submission import leaf_of
from evalsys.config import Settings
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.merkle import extends, includes
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_cycle, respond
from tests.factories import NOW, actor, make_account
from tests.pages import CheckedClient
from tests.publication.bundle.made import KEY

OFFICER = actor(Role.OFFICER)


@pytest.fixture
def receipt(settings: Settings) -> str:
    return receipt_of("nonce", derive_key(settings.require_secret_key(), "receipt"))


def sealed_edition(session: Session, settings: Settings, receipt: str, *, seal_it: bool = True) -> int:
    """A published cycle in which one answer has this receipt."""
    cycle = rated_cycle(session, code="2026")
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    leaf = session.scalars(select(ReceiptLeaf).where(ReceiptLeaf.entry_id == entry.id)).first()
    session.delete(leaf)
    session.flush()
    session.add(ReceiptLeaf(leaf=leaf_of(entry.contract.reference, receipt), entry_id=entry.id))
    session.flush()
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    if seal_it:
        seal(session, edition, key_folder(settings), actor=OFFICER, now=NOW)
    return edition.id


@pytest.fixture
def edition(app: Flask, write: Callable[..., Any], settings: Settings, receipt: str) -> int:
    assert app
    return int(write(sealed_edition, settings, receipt))


@pytest.fixture
def site(app: Flask, edition: int) -> Iterator[str]:
    """The application behind a real socket, for `verify --against`."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/editions/{edition}"
    server.shutdown()
    thread.join()


def test_the_bundle_is_for_everybody_and_kept(client: CheckedClient, edition: int) -> None:
    answer = client.get(f"/editions/{edition}/bundle.zip")
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    assert f"evalsys-edition-{edition}.zip" in answer.headers["Content-Disposition"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get(f"/editions/{edition}/bundle.zip", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_statement_and_the_page_say_the_same(client: CheckedClient, edition: int) -> None:
    answer = client.get(f"/editions/{edition}/edition.json")
    told = json.loads(answer.data)
    assert (told["number"], told["cycle"]["code"]) == (1, "2026")
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"/editions/{edition}/edition.json", headers=headers).status_code == 304
    page = client.get(f"/editions/{edition}").text
    assert told["leaves"]["root"] in page
    [key] = json.loads(client.get("/keys.json").data)
    assert key["fingerprint"] in page
    assert key["retired"] is None


def corrected(session: Session, settings: Settings) -> int:
    """A second edition of the cycle, for which three more answers came."""
    cycle = session.scalars(select(Cycle).where(Cycle.code == "2026")).one()
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    for _ in range(3):
        respond(session, entry, all_at(cycle, "recipient", "care", 2))
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, reason="补入漏登的纸质问卷，重新计算。", actor=OFFICER, now=NOW)
    seal(session, edition, key_folder(settings), actor=OFFICER, now=NOW)
    return edition.id


@pytest.fixture
def correction(edition: int, write: Callable[..., Any], settings: Settings) -> int:
    assert edition
    return int(write(corrected, settings))


def test_editions_show_that_nothing_was_taken_out(client: CheckedClient, edition: int, correction: int) -> None:
    later = correction
    assert client.get(f"/editions/{edition}/consistency.json").status_code == 404
    answer = client.get(f"/editions/{later}/consistency.json?from={edition}")
    told = json.loads(answer.data)
    earlier, now = told["from"], told["to"]
    assert (earlier["edition"], earlier["number"], now["number"]) == (f"/editions/{edition}", 1, 2)
    assert now["size"] == earlier["size"] + 3
    path = [bytes.fromhex(one) for one in told["path"]]
    assert extends(earlier["size"], now["size"], path, bytes.fromhex(earlier["root"]), bytes.fromhex(now["root"]))
    assert json.loads(client.get(f"/editions/{later}/consistency.json").data) == told  # from the one before
    assert json.loads(client.get(f"/editions/{later}/edition.json").data)["consistency"]["path"] == told["path"]
    assert f"第 1 版已收到的 {earlier['size']} 份答卷" in client.get(f"/editions/{later}").text
    for number, asked in ((later, later), (edition, later), (later, "x")):
        assert client.get(f"/editions/{number}/consistency.json?from={asked}").status_code in (404, 422)
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"/editions/{later}/consistency.json?from={edition}", headers=headers).status_code == 304


def test_an_edition_without_a_seal(
    client: CheckedClient, write: Callable[..., Any], settings: Settings, receipt: str
) -> None:
    number = write(sealed_edition, settings, receipt, seal_it=False)
    for name in ("bundle.zip", "edition.json"):
        assert client.get(f"/editions/{number}/{name}").status_code == 404
    assert "bundle.zip" not in client.get(f"/editions/{number}").text
    assert "本次评价尚未公告" in client.get(f"/receipt/{receipt}").text
    assert client.get(f"/receipt/{receipt}/proof.json").status_code == 404


def test_a_receipt_is_proven(client: CheckedClient, edition: int, receipt: str) -> None:
    typed = grouped(receipt.lower(), 4)
    answer = client.get(f"/receipt?code={typed}")
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "您的答卷已经收到" in page.text
    proof = json.loads(client.get(f"/receipt/{typed}/proof.json").data)
    path = [bytes.fromhex(one) for one in proof["path"]]
    leaf, root = bytes.fromhex(proof["leaf"]), bytes.fromhex(proof["root"])
    assert leaf == leaf_of(proof["contract"], receipt)
    assert includes(leaf, proof["index"], proof["size"], path, root)
    assert proof["root"] == json.loads(client.get(f"/editions/{edition}/edition.json").data)["leaves"]["root"]


def test_a_receipt_that_is_none(client: CheckedClient, edition: int, receipt: str) -> None:
    assert edition
    assert client.get("/receipt").status_code == 200
    other = receipt[:-1] + ("2" if receipt[-1] != "2" else "3")
    for typed in ("ABC", other, "x" * 300):
        page = client.get(f"/receipt/{typed}")
        assert page.status_code == 404
        assert "没有找到这个回执对应的答卷" in page.text
        assert client.get(f"/receipt/{typed}/proof.json").status_code == 404


def test_an_officer_publishes_and_the_edition_is_sealed(
    client: CheckedClient, write: Callable[..., Any], sign_in: Callable[..., CheckedClient]
) -> None:
    def scored(session: Session) -> Any:
        cycle = rated_cycle(session, code="2026")
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        return make_account(session, Role.OFFICER, region=cycle.region)

    officer = sign_in(write(scored))
    form = officer.get("/publication/cycles/2026/publish").text
    number = form.partition('name="run"')[2].partition('value="')[2].partition('"')[0]
    answer = officer.post("/publication/cycles/2026/publish", data={"run": number, "sure": "y"})
    assert answer.status_code == 303, answer.text
    assert client.get(f"{answer.headers['Location']}/bundle.zip").status_code == 200


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


@pytest.mark.usefixtures("environment")
def test_verify_says_what_holds(
    client: CheckedClient, site: str, edition: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.zip"
    content = client.get(f"/editions/{edition}/bundle.zip").data
    path.write_bytes(content)
    assert run(["verify", str(path), "--against", site]) == 0
    told = capsys.readouterr().out
    assert "✓ The site publishes this very edition." in told
    assert "the publisher's" in told
    assert "edition 1" in told
    assert run(["verify", str(path), "--key", KEY.sign(b"").key]) == 1
    assert "✗ edition.json is signed." in capsys.readouterr().out
    path.write_bytes(content[:-30])
    assert run(["verify", str(path)]) == 1
    assert "✗ The file is a whole bundle." in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
def test_verify_compares_with_an_earlier_edition(
    client: CheckedClient, edition: int, correction: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.zip", tmp_path / "new.zip"
    old.write_bytes(client.get(f"/editions/{edition}/bundle.zip").data)
    new.write_bytes(client.get(f"/editions/{correction}/bundle.zip").data)
    assert run(["verify", str(new), "--since", str(old)]) == 0
    told = capsys.readouterr().out
    assert "✓ Nothing that the older edition had received was taken out." in told
    assert "✓ The newer edition names the older one." in told
    assert run(["verify", str(old), "--since", str(new)]) == 1
    assert "✗ The older bundle is an earlier edition" in capsys.readouterr().out
    old.write_bytes(old.read_bytes()[:-30])
    assert run(["verify", str(new), "--since", str(old)]) == 1
    assert "✗ The older bundle holds by itself. The file is a whole bundle." in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
def test_verify_against_what_is_no_site(
    client: CheckedClient, site: str, edition: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(client.get(f"/editions/{edition}/bundle.zip").data)
    for address, why in (
        ("file:///etc/passwd", "is no web address"),
        (site.replace("/editions", "/elsewhere"), "does not answer"),
        ("http://127.0.0.1:9", "does not answer"),
    ):
        assert run(["verify", str(path), "--against", address]) == 2
        assert why in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "none.zip")]) == 2


@pytest.mark.usefixtures("environment", "app")
def test_keys_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "new"]) == 0
    name = capsys.readouterr().out.split()[1]
    assert run(["keys", "retire", name]) == 2
    assert run(["keys", "new"]) == 0
    assert run(["keys", "retire", name]) == 0
    capsys.readouterr()
    assert run(["keys", "list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2
    assert ["retired" in line for line in told if line.startswith(name)] == [True]
