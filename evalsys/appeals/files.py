"""Files that a vendor attaches: looked at like evidence, kept in the database with what they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session, undefer
from werkzeug.datastructures import FileStorage

from evalsys.appeals.models import AppealFile
from evalsys.base.errors import Invalid, NotFound
from evalsys.collection.evidence_files import LARGEST_FILE, checked

MOST_FILES = 5


@dataclass(frozen=True)
class Sent:
    """A file as a person sent it."""

    name: str
    content: bytes


def sent_with(fields: Iterable[FileStorage]) -> list[Sent]:
    """The files of a form's field; one that was left empty is none."""
    return [Sent(one.filename, one.stream.read(LARGEST_FILE + 1)) for one in fields if one.filename]


def looked_at(sent: Iterable[Sent], *, beside: Sequence[AppealFile] = (), now: datetime) -> list[AppealFile]:
    """Rows for files, not yet belonging to anything.

    Args:
        sent: what came.
        beside: files that are there already and stay.

    Raises:
        Invalid: too many, the same twice, or one that is not taken (see evidence_files).
    """
    clean = [checked(one.name, one.content) for one in sent]
    digests = [hashlib.sha256(one.content).hexdigest() for one in clean]
    there = [one.hash for one in beside] + digests
    if len(there) > MOST_FILES:
        raise Invalid(
            _("At most %(n)s files can be attached.", n=MOST_FILES), remedy=_("Join several documents in one PDF.")
        )
    if len(set(there)) < len(there):
        raise Invalid(_("The same file is attached twice."), remedy=_("Leave one of them out."))
    return [
        AppealFile(
            name=one.name,
            media_type=one.media_type,
            size=len(one.content),
            hash=digest,
            content=one.content,
            added_at=now,
        )
        for one, digest in zip(clean, digests, strict=True)
    ]


def file_by_id(session: Session, number: int) -> AppealFile:
    """A file with its bytes; who may read it is for the caller to say.

    Raises:
        NotFound: there is none.
    """
    found = session.get(AppealFile, number, options=[undefer(AppealFile.content)])
    if found is None:
        raise no_such_file()
    return found


def no_such_file() -> NotFound:
    return NotFound(_("There is no such file."), remedy=_("Start from the page that it belongs to."))
