"""SMS by Alibaba Cloud (阿里云短信服务): SendSms of Dysmsapi 2017-05-25, signed by ACS3-HMAC-SHA256.

The provider says of itself that it sends a repeated request a second time, and that after a timeout one has to look
before trying again. So whatever left us without its answer is unclear.

Source:
    help.aliyun.com: SendSms (短信服务 API 参考); V3版本请求体&签名机制.
"""

from __future__ import annotations

import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http.client import HTTPException
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from evalsys.base.clock import now
from evalsys.base.post.letter import TIMEOUT, Letter, NotNow, Refused, Unclear
from evalsys.config import SettingMissing

ALGORITHM = "ACS3-HMAC-SHA256"
HOST = "dysmsapi.aliyuncs.com"
VERSION = "2017-05-25"
SCHEMES = {"aliyun": "https", "aliyun+http": "http"}
SAY_HOW = (
    "Write aliyun://KEY-ID:SECRET@dysmsapi.aliyuncs.com/?sign=SIGNATURE&invitation=SMS_1&reminder=SMS_2:"
    " the signature, and the templates' codes, as the provider approved them."
)
LATER = ("Throttling", "ServiceUnavailable", "isv.BUSINESS_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH")
"""What the provider's codes begin with when it has not taken the message and may another time."""

BAD_NUMBER = ("isv.MOBILE_NUMBER_ILLEGAL", "isv.INVALID_MOBILE", "MOBILE_NOT_ON_SERVICE", "isv.BLACK_LIST")


@dataclass(frozen=True)
class AliyunSms:
    """An account with the provider, its approved signature, and the code of an approved text for each template."""

    scheme: str
    host: str
    key_id: str
    secret: str = field(repr=False)
    sign: str
    templates: Mapping[str, str]

    @classmethod
    def from_url(cls, url: str) -> AliyunSms:
        """Read EVALSYS_SMS_URL.

        Raises:
            SettingMissing: it will not do.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname and parts.netloc.rpartition("@")[2]
            given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        except ValueError:
            host, given = None, {}
        sign = given.pop("sign", "")
        if not (host and parts.scheme in SCHEMES and parts.username and parts.password and sign):
            raise SettingMissing("EVALSYS_SMS_URL is not the address of an SMS provider.", remedy=SAY_HOW)
        if missing := {"invitation", "reminder"} - given.keys():
            raise SettingMissing(f"EVALSYS_SMS_URL lacks {', '.join(sorted(missing))}.", remedy=SAY_HOW)
        return cls(SCHEMES[parts.scheme], host, unquote(parts.username), unquote(parts.password), sign, given)

    @property
    def place(self) -> str:
        return f"{self.scheme}://{self.host}"

    def send(self, letter: Letter) -> None:
        query = {
            "PhoneNumbers": letter.to,
            "SignName": self.sign,
            "TemplateCode": self.templates[letter.template],
            "TemplateParam": json.dumps(dict(letter.fields), ensure_ascii=False),
            "OutId": f"evalsys-{letter.number}",
        }
        headers = signed(
            "SendSms", VERSION, query, host=self.host, key=(self.key_id, self.secret), at=now(), nonce=_nonce()
        )
        address = f"{self.place}/?{_canonical(query)}"
        request = urllib.request.Request(address, headers=headers, method="POST")  # noqa: S310 - see SCHEMES
        try:
            status, body = _answer(request)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionResetError | BrokenPipeError):  # while it was being said
                raise Unclear("no_answer", str(error.reason)) from error
            raise NotNow("out_of_reach", letter.without_secrets(str(error.reason))) from error
        except (OSError, HTTPException) as error:
            raise Unclear("no_answer", letter.without_secrets(str(error)) or type(error).__name__) from error
        _judge(letter, status, body)


def signed(
    action: str, version: str, query: Mapping[str, str], *, host: str, key: tuple[str, str], at: datetime, nonce: str
) -> dict[str, str]:
    """The headers of a POST without a body, with the signature over them and the query.

    Args:
        key: its id and its secret.
    """
    payload = sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": payload,
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", _canonical(query), listed, names, payload))
    to_sign = f"{ALGORITHM}\n{sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(key[1].encode(), to_sign.encode(), "sha256").hex()
    return headers | {"Authorization": f"{ALGORITHM} Credential={key[0]},SignedHeaders={names},Signature={signature}"}


def _canonical(query: Mapping[str, str]) -> str:
    return urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")


def _nonce() -> str:
    return secrets.token_hex(16)


def _answer(request: urllib.request.Request) -> tuple[int, bytes]:
    """Status and body. What fails until the request is sent comes as a URLError, what fails later does not."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - see SCHEMES
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _judge(letter: Letter, status: int, body: bytes) -> None:
    """Raises what an answer other than OK means. One that is not the provider's own says nothing of what it did."""
    try:
        answer = json.loads(body)
        code, said = str(answer["Code"]), str(answer.get("Message", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if status in (429, 503):
            raise NotNow("busy", str(status)) from error
        raise Unclear("no_answer", f"HTTP {status}") from error
    if code == "OK" and status == 200:
        return
    told = letter.without_secrets(f"{code} {said}")
    if code.startswith(LATER) or status >= 500 or status == 429:
        raise NotNow("busy", told)
    raise Refused("bad_contact" if code.startswith(BAD_NUMBER) else "refused", told)
