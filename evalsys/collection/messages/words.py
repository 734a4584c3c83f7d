"""What pages call the kinds and states of messages, and what is to be done where one was not sent."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from evalsys.base.outbox import Channel, MessageState
from evalsys.collection.messages.history import Why
from evalsys.collection.messages.models import MailingKind

KINDS: dict[str, LazyString] = {
    MailingKind.INVITATION: _l("Invitation of recipients"),
    MailingKind.REMINDER: _l("Reminder to recipients"),
    MailingKind.OVERDUE: _l("Reminder to purchasers and evaluators who are late"),
}
CHANNELS: dict[str, LazyString] = {Channel.SMS: _l("SMS"), Channel.EMAIL: _l("E-mail")}
STATES: dict[str, LazyString] = {
    MessageState.WAITING: _l("Waiting"),
    MessageState.SENDING: _l("Being sent"),
    MessageState.SENT: _l("Sent"),
    MessageState.FAILED: _l("Failed"),
    MessageState.UNKNOWN: _l("Unknown whether sent"),
    MessageState.DROPPED: _l("Not needed any more"),
}
SKIPPED: dict[str, LazyString] = {
    Why.ANSWERED: _l("have answered"),
    Why.OUTCOME: _l("have an outcome on record: refused, not reached, moved, died, or asked on paper"),
    Why.QUIET: _l("want no reminders"),
    Why.NO_CONTACT: _l("have neither a mobile number nor an e-mail address"),
    Why.NO_CODE: _l("have a code that was not kept for messages"),
    Why.WITHDRAWN: _l("had their code withdrawn"),
    Why.OVER: _l("could not answer any more: collecting was over"),
    Why.WAITS: _l("have a message that waits to be sent"),
    Why.BEFORE: _l("were invited by message before"),
    Why.NOT_INVITED: _l("were not invited by message"),
    Why.ENOUGH: _l("got the most reminders that are allowed"),
    Why.TOO_SOON: _l("got a message in the last days"),
}


class Trouble(NamedTuple):
    """Why a message was not sent, and what to do."""

    name: LazyString
    remedy: LazyString


_TO_OPERATOR = _l("Tell whoever runs the site; “evalsys doctor” says what is set up.")
TROUBLES: dict[str, Trouble] = {
    "out_of_reach": Trouble(_l("The server was out of reach"), _TO_OPERATOR),
    "sign_in": Trouble(_l("The mail server refused the site's user name or password"), _TO_OPERATOR),
    "busy": Trouble(_l("The server would not take it then"), _l("Nothing: it is tried again.")),
    "refused": Trouble(_l("The server refused it"), _l("Read what it said. Ask these recipients in another way.")),
    "bad_contact": Trouble(
        _l("There is no such number or address"), _l("Correct the roster for next time. Ask them in another way.")
    ),
    "no_answer": Trouble(
        _l("The server had the message and did not answer"),
        _l("Look into the provider's list of messages, then decide below."),
    ),
    "stopped": Trouble(_l("The site was stopped while it was sending"), _l("Decide below.")),
    "restored": Trouble(
        _l("The database was restored from a backup; it may have been sent since"), _l("Decide below.")
    ),
    "program": Trouble(_l("The program failed"), _TO_OPERATOR),
}
