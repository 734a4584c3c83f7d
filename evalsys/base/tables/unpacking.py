"""The zip file that an Excel workbook is: read through once before anything else trusts it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from flask_babel import gettext as _

from evalsys.base.errors import Invalid

MOST_UNPACKED = 256 * 1024 * 1024
_AT_ONCE = 1024 * 1024
_NO_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def part_names(content: bytes) -> frozenset[str]:
    """How the parts of an archive are called.

    Raises:
        Invalid: it is broken.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return frozenset(archive.namelist())
    except _NO_ZIP as error:
        raise broken_workbook() from error


def read_through(content: bytes, folder: str = "/") -> Iterator[bytes]:
    """Unpack every part to its end, counting (a small archive may hold gigabytes), and give those in a folder.

    Args:
        content: the archive.
        folder: how the names of the wanted parts begin; without it none does.

    Raises:
        Invalid: it is broken, or holds more than MOST_UNPACKED.
    """
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                unpacked += member.file_size  # reading stops there, and a lie ends in a wrong checksum
                if unpacked > MOST_UNPACKED:
                    raise Invalid(
                        _("Unpacked, the workbook is larger than %(n)s MB.", n=MOST_UNPACKED // 1024**2),
                        remedy=_("Copy what matters into a new workbook and send that."),
                    )
                with archive.open(member) as part:
                    if member.filename.startswith(folder):
                        yield part.read()
                    while part.read(_AT_ONCE):
                        pass
    except _NO_ZIP as error:
        raise broken_workbook() from error


def broken_workbook() -> Invalid:
    """The refusal of a workbook that cannot be read."""
    return Invalid(
        _("The file is broken and cannot be read."),
        remedy=_("Open it in Excel or WPS, save it as .xlsx again and send that."),
    )
