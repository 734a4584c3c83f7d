"""Ways out for messages: e-mail by SMTP, SMS by a provider, and a file where neither is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evalsys.base.outbox import Channel
from evalsys.base.post.aliyun import AliyunSms
from evalsys.base.post.drawer import Drawer
from evalsys.base.post.letter import Letter, NotNow, NotSent, Post, Refused, Unclear
from evalsys.base.post.mail import Smtp, is_address
from evalsys.config import Settings

__all__ = [
    "AliyunSms",
    "Drawer",
    "Letter",
    "NotNow",
    "NotSent",
    "Post",
    "PostOffice",
    "Refused",
    "Smtp",
    "Unclear",
    "is_address",
]


@dataclass(frozen=True)
class PostOffice:
    """The way out of each channel.

    Attributes:
        drawer: takes what is not meant to go out: everything of simulated cycles.
    """

    ways: Mapping[Channel, Post]
    drawer: Drawer

    @classmethod
    def of(cls, settings: Settings) -> PostOffice:
        """What the settings name, and the file for the rest.

        Raises:
            SettingMissing: an address cannot be read, or a part of it is missing.
        """
        drawer = Drawer(settings.instance)
        mail = Smtp.from_url(settings.smtp_url, settings.mail_from) if settings.smtp_url else drawer
        sms = AliyunSms.from_url(settings.sms_url) if settings.sms_url else drawer
        return cls({Channel.EMAIL: mail, Channel.SMS: sms}, drawer)

    def way(self, channel: Channel, letter: Letter) -> Post:
        """Where a letter goes."""
        return self.drawer if letter.simulated else self.ways[channel]

    def goes_out(self, channel: Channel) -> bool:
        """Whether a channel reaches people."""
        return self.ways[channel] is not self.drawer
