"""What stands beside a published line without being part of the edition: a mark, a reply, what became of an objection.

An edition never changes, what is said of it does. Higher floors offer it here, each with the template that shows it;
whatever changes it writes the audit trail, from which kept pages know that they are old.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Remark:
    """One thing beside a contract's line.

    Attributes:
        reference: the contract.
        template, about: how a contract's page shows it, and what the template is given as `about`; no template
            where the tag says all.
        tag: two or three words for the ranking's row; empty where it is not for there.
        code: names it for programs, which are told nothing of what has none.
        says: its text for programs; empty where the code says all.
    """

    reference: str
    template: str = ""
    about: object = None
    tag: str = ""
    code: str = ""
    good: bool = False
    says: str = ""


Provider = Callable[[Session, int, str | None], Iterable[Remark]]
"""Given a cycle's id and a contract's reference, None for all of the cycle."""

_offered: list[Provider] = []


def offer(provider: Provider) -> None:
    """Let a room above say something beside lines."""
    if provider not in _offered:
        _offered.append(provider)


def remarks_of(session: Session, cycle_id: int, reference: str | None = None) -> list[Remark]:
    """All that is said beside a contract's line, or beside any line of a cycle, in the order of the rooms."""
    return [remark for provider in _offered for remark in provider(session, cycle_id, reference)]


def tags_of(session: Session, cycle_id: int) -> dict[str, list[Remark]]:
    """Remarks with a tag by contract reference."""
    found: defaultdict[str, list[Remark]] = defaultdict(list)
    for remark in remarks_of(session, cycle_id):
        if remark.tag:
            found[remark.reference].append(remark)
    return dict(found)
