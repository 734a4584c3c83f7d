"""What people, phones and attackers send that is not what the pages ask for: answered over real HTTP, in words."""

from __future__ import annotations

import http.client
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from evalsys.accounts.models import Account
from evalsys.base import bodies
from evalsys.base.db import Database
from evalsys.base.tables import unpacking
from evalsys.collection.bare_pages import GAP, WRONG_CODES
from evalsys.collection.codes import ALPHABET, new_code
from evalsys.collection.models import AssessmentRating
from tests.collection.files import archive, photo, workbook
from tests.collection.surveys import COMPLETE, NOTHING, ONE, make_invitation, stored, token_of
from tests.collection.world import World, full_answers, make_world, sent
from tests.factories import NOW, make_cycle, make_entry
from tests.pages import CheckedClient, check_page, parse, words

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what is tested lies before the database

MEGABYTE = 1024 * 1024
Write = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: http.client.HTTPMessage


@dataclass
class Site:
    """The application behind a socket."""

    port: int
    cookie: str = ""

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, given | ({"Cookie": self.cookie} if self.cookie else {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if text and not 300 <= answer.status < 400:
            check_page(text)
        return Answer(answer.status, text, answer.headers)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, fields: dict[str, str] | bytes) -> Answer:
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return self.ask("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Answer:
        parts = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        parts.append(f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
        body = "".join(parts).encode() + content + b"\r\n--x--\r\n"
        return self.ask("POST", path, body, Content_Type="multipart/form-data; boundary=x")


class Silent(WSGIRequestHandler):
    def log_request(self, *_args: object) -> None:
        """Not into the output of the tests."""


@pytest.fixture
def site(app: Flask) -> Iterator[Site]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def code(write: Write) -> str:
    made: str = write(make_invitation)
    return made


def filled(site: Site, code: str) -> dict[str, str]:
    return COMPLETE | {"form-token": token_of(site.get(f"/s/{code}").text)}


def heading(answer: Answer) -> str:
    return words(next(parse(answer.text).iter("h1")))


def test_a_mistyped_code_is_to_be_compared_again(site: Site, code: str) -> None:
    wrong = code[:4] + ALPHABET[(ALPHABET.index(code[4]) + 1) % len(ALPHABET)] + code[5:]
    for typed in (wrong, code[:-1], code[1] + code[0] + code[2:] if code[0] != code[1] else wrong, "", "x" * 4000):
        answer = site.get(f"/s/?code={typed}") if typed else site.get("/s/%20")
        assert (answer.status, "有一个字输错或漏了，请再核对" in answer.text) == (404, True), typed
    unknown = site.get(f"/s/{new_code()}")
    assert (unknown.status, "没有这个码，请再核对" in unknown.text) == (404, True)


def test_a_used_code_and_a_closed_survey_say_so(site: Site, database: Database, write: Write, code: str) -> None:
    assert site.post(f"/s/{code}", filled(site, code)).status == 303
    again = site.get(f"/s/{code}")
    assert (again.status, "这个码已经用过了" in again.text) == (410, True)
    closed = write(lambda s: make_invitation(s, entry=make_entry(s, cycle=make_cycle(s, state="closed"))))
    over = site.get(f"/s/{closed}")
    assert (over.status, "已经结束" in over.text) == (410, True)
    assert stored(database) == ONE


def test_a_cycle_that_closed_while_somebody_answered_says_so(
    site: Site, database: Database, write: Write, code: str
) -> None:
    fields = filled(site, code)
    write(lambda session: session.connection().exec_driver_sql("UPDATE cycle SET state = 'preliminary'"))
    late = site.post(f"/s/{code}", fields)
    assert (late.status, "已经结束" in late.text) == (410, True)
    assert stored(database) == NOTHING


def test_a_tampered_form_is_shown_again_with_what_stands(site: Site, database: Database, code: str) -> None:
    for changes, said in (
        ({"form-token": "AAAAAAAAAAAAAAAAAAAAAA.1795421683.AAAAAAAAAAAAAAAAAAAAAA"}, "在传送中有损坏"),
        ({"form-token": "\xed\xa0\x80"}, "在传送中有损坏"),
        ({"nobody_asks_this": "5"}, "不属于这份问卷"),
        ({"comment": "😀" * 300}, "不属于这份问卷"),
        ({"help": "6"}, "不是这一题的答案"),
        ({"help": "5; DROP TABLE response"}, "不是这一题的答案"),
    ):
        answer = site.post(f"/s/{code}", filled(site, code) | changes)
        assert (answer.status, said in answer.text) == (422, True), changes
        assert "name=respect value=5 checked" in answer.text
    assert stored(database) == NOTHING


def test_null_characters_and_broken_text_are_answered(site: Site, database: Database, code: str) -> None:
    for body, status in ((b"help=5%00", 400), (b"help=5&%00=1", 422), (b"\xff\xfe=1&\x00", 422)):
        answer = site.post(f"/s/{code}", body)
        assert (answer.status, bool(heading(answer))) == (status, True), body
    for path, status in (
        ("/s/%00", 400),
        ("/s/%FF%FE", 404),
        ("/s/?code=%00", 400),
        ("/rankings?q=%00", 400),
        ("/vendors/%00", 400),
        ("/rankings?page=99999999999999999999&sort=%F0%9F%98%80&edition=-1", 404),
    ):
        answer = site.get(path)
        assert (answer.status, bool(heading(answer))) == (status, True), path
    assert stored(database) == NOTHING


def test_a_body_that_is_too_large_is_read_away_and_answered(site: Site, code: str) -> None:
    """Without that the server would close the connection, and the browser show no page."""
    for size in (100_000, 10 * MEGABYTE):
        answer = site.post(f"/s/{code}", b"help=" + b"x" * size)
        assert (answer.status, heading(answer)) == (413, "提交的内容过大。")
    staff = site.post("/sign-in", b"password=" + b"x" * 2 * MEGABYTE)
    assert (staff.status, "文字不超过 1 MB" in staff.text) == (413, True)


def test_a_body_that_ends_early_or_is_beyond_all_limits_ends_the_request_alone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    cut = io.BytesIO(b"x" * 100)
    answer = client.post("/s/ABC", input_stream=cut, environ_overrides={"CONTENT_LENGTH": "100000"})
    assert (answer.status_code, cut.read()) == (413, b"")
    monkeypatch.setattr(bodies, "LARGEST", 90_000)
    huge = io.BytesIO(b"x" * 100_000)
    assert client.post("/s/ABC", input_stream=huge, content_length=100_000).status_code == 413
    assert huge.tell() == 0


def test_a_place_that_guesses_is_slowed_and_nobody_else(
    app: Flask, site: Site, client: CheckedClient, code: str
) -> None:
    village = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    with time_machine.travel(NOW, tick=False) as clock:
        open_form = filled(site, code)
        answers = [site.get(f"/s/{new_code()}") for _ in range(100)]
        assert [answer.status for answer in answers] == [404] * WRONG_CODES + [429] * (100 - WRONG_CODES)
        slowed = site.get(f"/s/{code}")
        assert (slowed.status, slowed.headers["Retry-After"]) == (429, "2")
        assert "过几秒再按一次" in slowed.text
        assert site.post(f"/s/{code}", COMPLETE).status == 429  # a guess by other means
        assert client.get(f"/s/{code}", **village).status_code == 200
        missing = {name: value for name, value in open_form.items() if name != "life"}
        assert site.post(f"/s/{code}", missing).status == 422  # a form that was handed out is no guess
        clock.shift(GAP)
        assert site.get(f"/s/{code}").status == 200
        assert site.get(f"/s/{code}").status == 429
        assert site.post(f"/s/{code}", open_form).status == 303
        clock.shift(timedelta(minutes=10))
        assert [site.get(f"/s/{code}").status for _ in range(3)] == [410] * 3


@pytest.fixture
def rater(site: Site, world: World, sign_in: Callable[[Account], CheckedClient]) -> Site:
    cookie = sign_in(world.evaluator).get_cookie("session")
    assert cookie is not None
    return Site(site.port, f"session={cookie.value}")


@pytest.fixture
def world(write: Write, app: Flask) -> World:
    made: World = write(make_world)
    return made


def bomb() -> bytes:
    """A workbook of a quarter of a megabyte that unpacks to a megabyte too much."""
    packed = io.BytesIO(workbook())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as made, made.open("xl/sheet.xml", "w") as part:
        for _ in range(unpacking.MOST_UNPACKED // MEGABYTE + 1):
            part.write(bytes(MEGABYTE))
    return packed.getvalue()


def test_files_that_are_not_what_they_say_are_refused_in_words(rater: Site, world: World, settings: Any) -> None:
    page = f"/collection/entries/{world.entry.id}/evidence"
    for name, content, said in (
        ("照片.pdf", photo(), "按内容应为 .jpg"),
        ("合同.jpg", b"MZ\x90\x00" + bytes(200), "不属于可作为佐证材料的类型"),
        ("材料.xlsx", archive({"a.txt": b"a"}), "不属于可作为佐证材料的类型"),
        ("材料.xlsx", bomb(), "超过 256 MB"),
        ("录音.mp3", b"", "空的"),
        ("照片.jpg", b"\xff\xd8\xff" + bytes(21 * MEGABYTE), "超过 20 MB"),
    ):
        answer = rater.upload(page, name, content, criterion="")
        assert (answer.status, said in answer.text) == (422, True), (name, said, answer.text)
    unread = rater.upload(page, "录像.mp4", bytes(33 * MEGABYTE), criterion="")
    assert (unread.status, heading(unread)) == (413, "文件超过 20 MB。")
    strange = rater.upload(page, "照片.jpg", photo(), criterion="nobody_asks_this")
    assert strange.status == 422
    assert not list((settings.instance / "evidence").rglob("*.*"))


def test_a_comment_of_three_hundred_emoji_is_kept_whole(
    rater: Site, world: World, write: Write, sign_in: Callable[[Account], CheckedClient]
) -> None:
    from evalsys.collection.assessments import task_of
    from evalsys.collection.tasks import Answer as Rated

    asked = write(lambda s: task_of(s, world.entry.id, actor=world.evaluator.as_actor())).questionnaire
    first = next(iter(full_answers(asked)))
    comment = "👩‍👩‍👧😀" * 60  # 300 code points, some joined
    saved = rater.post(f"/collection/entries/{world.entry.id}/rate", sent({first: Rated(4, comment=comment)}))
    assert saved.status == 303
    assert write(lambda s: s.scalars(select(AssessmentRating.comment)).all()) == [comment]
    strange = rater.post(f"/collection/entries/{world.entry.id}/rate", sent({"nobody_asks_this": Rated(4)}))
    assert strange.status in {303, 409, 422}
    assert quote("nobody_asks_this") not in str(write(lambda s: s.scalars(select(AssessmentRating.criterion)).all()))
