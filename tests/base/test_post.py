"""The SMS provider, against a server that checks signatures; and the file for what is not sent."""

from __future__ import annotations

import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from evalsys.base.outbox import Channel
from evalsys.base.post import AliyunSms, Drawer, Letter, NotNow, NotSent, PostOffice, Refused, Unclear
from evalsys.base.post.aliyun import signed
from evalsys.config import SettingMissing, Settings

LETTER = Letter(
    7,
    to="13800138000",
    subject="",
    text="请评价",
    template="reminder",
    fields={"code": "2222222222", "day": "11月30日"},
)
URL = "aliyun+http://key:se%2Fcret@{host}/?sign=%E8%AF%84%E4%BB%B7&invitation=SMS_1&reminder=SMS_2"


def test_the_signature_is_that_of_the_providers_own_example() -> None:
    """help.aliyun.com, V3版本请求体&签名机制: the example with fixed parameters."""
    query = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    headers = signed(
        "RunInstances",
        "2014-05-26",
        query,
        host="ecs.cn-shanghai.aliyuncs.com",
        key=("YourAccessKeyId", "YourAccessKeySecret"),
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
        "x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


class Provider(HTTPServer):
    """Takes requests whose signature is right, and answers the next of `answers`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.answers: list[tuple[int, bytes] | None] = []
        self.taken: list[dict[str, str]] = []
        self.nonces: set[str] = set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        split = urlsplit(self.path)
        query = dict(parse_qsl(split.query, strict_parsing=True))
        if not self.is_signed(query):
            self.answer(400, b'{"Code": "SignatureDoesNotMatch", "Message": "no"}')
            return
        self.server.taken.append(query)
        answer = self.server.answers.pop(0) if self.server.answers else (200, b'{"Code": "OK", "Message": "OK"}')
        if answer is not None:
            self.answer(*answer)
        else:
            self.close_connection = True

    def is_signed(self, query: dict[str, str]) -> bool:
        """Worked out anew from what arrived, as the provider's documentation has it."""
        head, names, signature = (part.partition("=")[2] for part in self.headers["Authorization"].split(","))
        canonical = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(query.items()))
        lines = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names.split(";"))
        body = "\n".join(("POST", "/", canonical, lines, names, sha256(b"").hexdigest()))
        to_sign = "ACS3-HMAC-SHA256\n" + sha256(body.encode()).hexdigest()
        fresh = self.headers["x-acs-signature-nonce"] not in self.server.nonces
        self.server.nonces.add(self.headers["x-acs-signature-nonce"])
        expected = hmac.new(b"se/cret", to_sign.encode(), sha256).hexdigest()
        return head == "key" and fresh and hmac.compare_digest(signature, expected)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_letter_is_handed_over_signed(provider: Provider) -> None:
    way = AliyunSms.from_url(URL.format(host=provider.host))
    way.send(LETTER)
    way.send(replace(LETTER, template="invitation"))
    first, second = provider.taken
    assert first == {
        "PhoneNumbers": "13800138000",
        "SignName": "评价",
        "TemplateCode": "SMS_2",
        "TemplateParam": '{"code": "2222222222", "day": "11月30日"}',
        "OutId": "evalsys-7",
    }
    assert second["TemplateCode"] == "SMS_1"
    with pytest.raises(Refused, match="refused") as refused:
        replace(way, secret="another").send(LETTER)
    assert "SignatureDoesNotMatch" in refused.value.said
    assert len(provider.taken) == 2


def code(name: str) -> bytes:
    return json.dumps({"Code": name, "Message": "number 13800138000", "RequestId": "1"}).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        ((200, code("isv.BUSINESS_LIMIT_CONTROL")), NotNow, "busy"),
        ((400, code("Throttling.User")), NotNow, "busy"),
        ((503, code("ServiceUnavailable")), NotNow, "busy"),
        ((500, code("InternalError")), NotNow, "busy"),
        ((429, b"slow down"), NotNow, "busy"),
        ((503, b"<html>"), NotNow, "busy"),
        ((200, code("isv.MOBILE_NUMBER_ILLEGAL")), Refused, "bad_contact"),
        ((200, code("isv.SMS_TEMPLATE_ILLEGAL")), Refused, "refused"),
        ((403, code("InvalidAccessKeyId.NotFound")), Refused, "refused"),
        ((502, b"<html>bad gateway</html>"), Unclear, "no_answer"),
        ((200, b"[]"), Unclear, "no_answer"),
        (None, Unclear, "no_answer"),
    ],
)
def test_an_answer_says_whether_to_try_again(
    provider: Provider, answer: tuple[int, bytes] | None, kind: type[NotSent], why: str
) -> None:
    provider.answers = [answer]
    with pytest.raises(NotSent) as caught:
        AliyunSms.from_url(URL.format(host=provider.host)).send(LETTER)
    assert type(caught.value) is kind
    assert caught.value.why == why
    assert "13800138000" not in caught.value.said


def test_a_provider_out_of_reach_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    way = AliyunSms.from_url(URL.format(host=f"127.0.0.1:{port}"))
    with pytest.raises(NotNow, match="out_of_reach"):
        way.send(LETTER)


def test_a_connection_that_breaks_while_the_request_is_sent_is_unclear(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: object, **_options: object) -> None:
        raise ConnectionResetError("reset")

    monkeypatch.setattr("http.client.HTTPConnection.request", breaks)
    with pytest.raises(Unclear, match="no_answer"):
        AliyunSms.from_url(URL.format(host="127.0.0.1:9")).send(LETTER)


@pytest.mark.parametrize(
    "url",
    [
        "https://key:secret@host/?sign=x&invitation=a&reminder=b",
        "aliyun://dysmsapi.aliyuncs.com/?sign=x&invitation=a&reminder=b",
        "aliyun://key:secret@host/?invitation=a&reminder=b",
        "aliyun://key:secret@host/?sign=x&invitation=a",
        "aliyun://key:secret@[host/?sign=x",
    ],
)
def test_an_address_that_will_not_do_is_refused(url: str) -> None:
    with pytest.raises(SettingMissing) as refused:
        AliyunSms.from_url(url)
    assert "SMS_1" in refused.value.remedy
    assert "secret" not in str(refused.value)


def test_the_secret_is_never_printed() -> None:
    way = AliyunSms.from_url(URL.format(host="host"))
    assert "cret" not in repr(way).replace("aliyun", "")
    assert way.place == "http://host"
    assert "13800138000" not in repr(LETTER)
    assert "2222222222" not in repr(LETTER)


def test_what_reaches_nobody_lies_in_a_file_of_its_owners(tmp_path: Path) -> None:
    drawer = Drawer(tmp_path)
    for number in (1, 2):
        drawer.send(replace(LETTER, number=number))
    file = Path(drawer.place)
    assert file.stat().st_mode & 0o777 == 0o600
    first, second = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    assert first == {"message": 1, "to": "13800138000", "subject": "", "text": "请评价", "fields": dict(LETTER.fields)}
    assert second["message"] == 2
    with pytest.raises(Refused, match="program"):
        Drawer(tmp_path / "none").send(LETTER)


def settings(tmp_path: Path, **given: Any) -> Settings:
    return Settings(tmp_path, "sqlite://", None, "http://x", 8000, **given)


def test_without_settings_everything_goes_into_the_file(tmp_path: Path) -> None:
    office = PostOffice.of(settings(tmp_path))
    assert not office.goes_out(Channel.EMAIL)
    assert not office.goes_out(Channel.SMS)
    assert office.way(Channel.SMS, LETTER) is office.drawer


def test_simulated_letters_go_to_nobody(tmp_path: Path) -> None:
    office = PostOffice.of(
        settings(tmp_path, smtp_url="smtps://mail", mail_from="a@b.cn", sms_url=URL.format(host="h"))
    )
    assert office.goes_out(Channel.EMAIL)
    assert isinstance(office.way(Channel.SMS, LETTER), AliyunSms)
    assert office.way(Channel.SMS, replace(LETTER, simulated=True)) is office.drawer
    assert "cret" not in repr(settings(tmp_path, sms_url=URL)).replace("secret_key", "")
