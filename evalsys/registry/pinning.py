"""Pinning rules to a cycle: freely while it is prepared, with a new version and a reason once collecting has opened.

Which criteria have been rated is known on a higher floor: it fills the slot `app.extensions["rated_criteria"]`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.language import language
from evalsys.registry.models import Cycle, CycleState, RulesPin, RulesVersion
from evalsys.registry.pins import rules_of, rules_of_version
from evalsys.rules.loading import RulesFaulty, loads, rules_hash
from evalsys.rules.model import Rules


def read_rules(data: bytes, name: str) -> Rules:
    """The rules that a file says.

    Raises:
        Invalid: with every fault of the file.
    """
    try:
        return loads(data, name)
    except RulesFaulty as faulty:
        raise Invalid(
            _("%(name)s is no valid rules file; nothing was saved.", name=name),
            remedy=_("Correct each of these places and send the file again."),
            details=[fault.in_language(language()) for fault in faulty.faults],
        ) from faulty


def store_rules(session: Session, data: bytes, *, name: str, now: datetime) -> RulesVersion:
    """Keep a rules file as a version; the same content is kept once."""
    read_rules(data, name)
    digest = rules_hash(data)
    version = session.scalar(select(RulesVersion).where(RulesVersion.hash == digest))
    if version is None:
        text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").decode()
        version = RulesVersion(hash=digest, text=text, added_at=now)
        session.add(version)
        session.flush()
    return version


def pin_rules(
    session: Session,
    cycle: Cycle,
    data: bytes,
    *,
    reason: str = "",
    actor: Actor,
    now: datetime,
    name: str = "scoring_rules.toml",
) -> RulesVersion:
    """Make a cycle go by a rules file; the same content again changes nothing.

    Raises:
        Invalid: the file has faults, or the reason for a change is missing.
        Conflict: the cycle is published, or what was rated already would lose its question.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state", "rules_id"], with_for_update=True)
    version = store_rules(session, data, name=name, now=now)
    if version.id == cycle.rules_id:
        return version
    reason = reason.strip()
    if cycle.state != CycleState.DRAFT:
        _check_change(session, cycle, rules_of_version(version), reason)
    cycle.rules = version
    session.add(
        RulesPin(
            cycle_id=cycle.id,
            rules_id=version.id,
            reason=reason or _("Chosen while the cycle was prepared"),
            pinned_at=now,
            pinned_by=actor.name,
        )
    )
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="registry.pin_rules",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"hash": version.hash, "reason": reason},
    )
    return version


def _check_change(session: Session, cycle: Cycle, new: Rules, reason: str) -> None:
    """Whether other rules may take the place of those that ratings are collected or scored under."""
    if cycle.state in (CycleState.PUBLISHED, CycleState.CLOSED):
        raise Conflict(
            _("The result of %(code)s is published; its rules stay.", code=cycle.code),
            remedy=_("Correct a published result by a new edition under the same rules; use new rules next year."),
        )
    old = rules_of(cycle)
    if new.version == old.version:
        raise Conflict(
            _("The content differs from the pinned rules, but both call themselves version %(v)s.", v=new.version),
            remedy=_("Give the changed file a new version."),
        )
    if not reason:
        raise Invalid(
            _("Collecting has opened; changing the rules needs a reason."),
            remedy=_("Write why they change; the reason is published with the methodology."),
        )
    lost = [code for code in _rated(session, cycle) if not _same_question(code, old, new)]
    if lost:
        raise Conflict(
            _("These criteria have been rated and are missing or asked differently: %(codes)s", codes="、".join(lost)),
            remedy=_("Keep each of them with its party and its scale; only weights and wording may change."),
        )


def _rated(session: Session, cycle: Cycle) -> list[str]:
    ask = cast("Callable[[Session, int], set[str]]", current_app.extensions["rated_criteria"])
    return sorted(ask(session, cycle.id))


def _same_question(code: str, old: Rules, new: Rules) -> bool:
    try:
        before, after = old.criterion(code), new.criterion(code)
    except KeyError:
        return False
    if before.party != after.party or before.source != after.source:
        return False
    return _answers(old, code) == _answers(new, code)


def _answers(rules: Rules, code: str) -> object:
    """What an answer may be; the words of a level may change, their number may not."""
    scale = rules.scale_of(rules.criterion(code))
    return (scale.kind, len(scale.levels)) if scale.kind == "levels" else scale.kind
