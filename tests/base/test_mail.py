"""E-mail against a real SMTP server of the test's own."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evalsys.base.post import Letter, NotNow, NotSent, Refused, Smtp, Unclear
from evalsys.config import SettingMissing

LETTER = Letter(
    7, to="li.ming@example.cn", subject="请评价服务", text="打开 https://x/s/22222\n.\n谢谢", fields={"code": "22222"}
)
SENDER = "评价办公室 <pj@example.gov.cn>"


class Handler:
    """A server that answers as told and keeps what it took."""

    def __init__(self, *, rcpt: str = "", data: str = "", hang_up: bool = False) -> None:
        self.taken: list[tuple[list[str], bytes]] = []
        self.rcpt, self.data, self.hang_up = rcpt, data, hang_up

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.rcpt_tos, envelope.content))
        if self.hang_up:  # it has the mail, and its answer is lost
            assert server.transport is not None
            server.transport.close()
        return self.data or "250 taken"


Serve = Callable[..., Smtp]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server; returns how it is reached."""
    running: list[Controller] = []

    def start(handler: Handler, **options: Any) -> Smtp:
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        running.append(controller)
        return Smtp("smtp", "127.0.0.1", controller.port, "", "", SENDER)

    yield start
    for controller in running:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def failure(way: Smtp, kind: type[NotSent]) -> NotSent:
    with pytest.raises(NotSent) as caught:
        way.send(LETTER)
    assert type(caught.value) is kind
    return caught.value


def test_a_letter_arrives_whole(serve: Serve) -> None:
    handler = Handler()
    way = serve(handler)
    way.send(LETTER)
    way.send(LETTER)
    (to, content), (_to, again) = handler.taken
    assert to == ["li.ming@example.cn"]
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["From"] == SENDER
    assert message["Subject"] == "请评价服务"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == ["打开 https://x/s/22222", ".", "谢谢"]
    assert message["Message-ID"] == "<evalsys-7@example.gov.cn>"
    assert email.message_from_bytes(again)["Message-ID"] == message["Message-ID"]


@pytest.mark.parametrize(
    ("answers", "kind", "why"),
    [
        ({"rcpt": "450 try again later"}, NotNow, "busy"),
        ({"rcpt": "550 no such user li.ming@example.cn"}, Refused, "refused"),
        ({"data": "451 disk full"}, NotNow, "busy"),
        ({"data": "554 not wanted: 22222"}, Refused, "refused"),
        ({"hang_up": True}, Unclear, "no_answer"),
    ],
)
def test_an_answer_says_whether_to_try_again(
    serve: Serve, answers: dict[str, Any], kind: type[NotSent], why: str
) -> None:
    failed = failure(serve(Handler(**answers)), kind)
    assert failed.why == why
    assert "li.ming" not in failed.said
    assert "22222" not in failed.said


class Deaf(SMTP):
    async def smtp_DATA(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("421 going down")

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - likewise
        if arg == "FROM:<gone@example.cn>":
            assert self.transport is not None
            self.transport.close()
        await super().smtp_MAIL(arg)


def test_before_the_text_is_given_nothing_is_unclear(serve: Serve) -> None:
    class Going(Controller):
        def factory(self) -> SMTP:
            return Deaf(self.handler)

    controller = Going(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    way = Smtp("smtp", "127.0.0.1", controller.port, "", "", SENDER)
    assert failure(way, NotNow).said == "421 going down"
    assert failure(replace(way, sender="gone@example.cn"), NotNow).why == "out_of_reach"
    controller.stop()


def test_a_server_out_of_reach_is_tried_later() -> None:
    assert failure(Smtp("smtp", "127.0.0.1", free_port(), "", "", SENDER), NotNow).why == "out_of_reach"
    assert failure(Smtp("smtps", "127.0.0.1", free_port(), "", "", SENDER), NotNow).why == "out_of_reach"


@pytest.fixture
def server_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate of 127.0.0.1's own, which clients of this test trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, start, start + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    trusting = partial(ssl.create_default_context, cafile=str(file))
    monkeypatch.setattr("evalsys.base.post.mail.ssl.create_default_context", trusting)
    return context


def signs_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=given.login == b"me" and given.password == b"p:w", handled=False)


def test_it_signs_in_after_starttls(serve: Serve, server_tls: ssl.SSLContext) -> None:
    handler = Handler()
    way = serve(handler, tls_context=server_tls, authenticator=signs_in, auth_required=True)
    signed_in = replace(way, user="me", password="p:w")
    signed_in.send(LETTER)
    assert len(handler.taken) == 1
    assert failure(replace(signed_in, password="x"), NotNow).why == "sign_in"


def test_tls_from_the_start_needs_a_certificate_that_is_trusted(serve: Serve, server_tls: ssl.SSLContext) -> None:
    handler = Handler()
    way = replace(serve(handler, ssl_context=server_tls), scheme="smtps")
    way.send(LETTER)
    assert len(handler.taken) == 1
    assert failure(replace(way, host="localhost"), NotNow).why == "out_of_reach"  # the certificate is another's


def test_nothing_goes_to_another_machine_unencrypted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = Handler()
    way = serve(handler)
    monkeypatch.setattr("evalsys.base.post.mail.LOOPBACK", set())
    assert failure(way, NotNow).why == "out_of_reach"
    assert handler.taken == []


def test_the_address_of_a_server_is_read() -> None:
    way = Smtp.from_url("smtps://me%40x:p%2Fw@mail.example.cn", SENDER)
    assert (way.host, way.port, way.user, way.password) == ("mail.example.cn", 465, "me@x", "p/w")
    assert Smtp.from_url("smtp://mail:2525", SENDER).place == "smtp://mail:2525"
    assert "p/w" not in repr(way)


@pytest.mark.parametrize(
    ("url", "sender"),
    [("http://mail", SENDER), ("smtp://", SENDER), ("smtp://mail:port", SENDER), ("smtp://mail", "nobody")],
)
def test_what_will_not_do_is_refused(url: str, sender: str) -> None:
    with pytest.raises(SettingMissing) as refused:
        Smtp.from_url(url, sender)
    assert refused.value.remedy
