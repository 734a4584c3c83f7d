"""E-mail by SMTP, over TLS from the start (`smtps://`) or after STARTTLS (`smtp://`)."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from evalsys.base.post.letter import TIMEOUT, Letter, NotNow, NotSent, Refused, Unclear
from evalsys.config import SettingMissing

PORTS = {"smtps": 465, "smtp": 587}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
SAY_HOW = "Write smtps://user:password@host or smtp://user:password@host:587, with % before special characters."


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address as people have them."""
    return bool(_ADDRESS.fullmatch(text))


@dataclass(frozen=True)
class Smtp:
    """A mail server. Nothing goes to it unencrypted, unless it stands on this machine."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str

    @classmethod
    def from_url(cls, url: str, sender: str) -> Smtp:
        """Read EVALSYS_SMTP_URL and EVALSYS_MAIL_FROM.

        Raises:
            SettingMissing: one of them will not do.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in PORTS or not parts.hostname:
            raise SettingMissing("EVALSYS_SMTP_URL is not the address of a mail server.", remedy=SAY_HOW)
        if not is_address(parseaddr(sender)[1]):
            raise SettingMissing(
                "EVALSYS_MAIL_FROM is not an e-mail address.",
                remedy="Set it to the address that recipients may answer to: 评价办公室 <pj@example.gov.cn>.",
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password, sender)

    @property
    def place(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def send(self, letter: Letter) -> None:
        server = self._connected()
        try:
            self._hand_over(server, letter)
        finally:
            server.close()  # without QUIT: it could fail, and the letter is gone already

    def _connected(self) -> smtplib.SMTP:
        server: smtplib.SMTP | None = None
        try:
            if self.scheme == "smtps":
                server = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=ssl.create_default_context())
            else:
                server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
            server.ehlo_or_helo_if_needed()
            if self.scheme == "smtp" and (self.host not in LOOPBACK or server.has_extn("starttls")):
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except (smtplib.SMTPException, OSError) as error:
            if server is not None:
                server.close()
            why = "sign_in" if isinstance(error, smtplib.SMTPAuthenticationError) else "out_of_reach"
            raise NotNow(why, _said(error)) from error
        return server

    def _hand_over(self, server: smtplib.SMTP, letter: Letter) -> None:
        content = self._written(letter)
        try:
            _expect(letter, server.mail(parseaddr(self.sender)[1]))
            _expect(letter, server.rcpt(letter.to))
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise NotNow("out_of_reach", _said(error)) from error
        try:
            code, answer = server.data(content)
        except smtplib.SMTPDataError as error:  # it would not have the text at all
            code, answer = error.smtp_code, _bytes(error.smtp_error)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise Unclear("no_answer", _said(error)) from error
        _expect(letter, (code, answer))

    def _written(self, letter: Letter) -> bytes:
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = self.sender, letter.to, letter.subject
        message["Date"] = formatdate()
        # the same on every try, so that mail programs take two copies for one
        message["Message-ID"] = f"<evalsys-{letter.number}@{parseaddr(self.sender)[1].rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, cte="base64")
        return message.as_bytes()


def _expect(letter: Letter, answered: tuple[int, bytes]) -> None:
    """Raises what an answer other than "yes" means: 4xx not now, anything else no."""
    code, answer = answered
    if 200 <= code < 300:
        return
    said = letter.without_secrets(f"{code} {answer.decode(errors='replace')}")
    failure: type[NotSent] = NotNow if 400 <= code < 500 else Refused
    raise failure("busy" if failure is NotNow else "refused", said)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_bytes(error.smtp_error).decode(errors='replace')}"
    return " ".join(str(error).split()) or type(error).__name__


def _bytes(said: bytes | str) -> bytes:
    return said.encode() if isinstance(said, str) else said
