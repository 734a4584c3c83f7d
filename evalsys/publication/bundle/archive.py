"""The zip file of a bundle: the same files give the same bytes, and a hostile one opens nothing."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

from evalsys.publication.bundle.tables import Unreadable

LARGEST = 2 * 1024**3
"""Bytes that a bundle may have unpacked."""

MOST_FILES = 100

_STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file knows: when it was made stands in edition.json


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip file with the files in the order given."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a bundle.

    Raises:
        Unreadable: no zip file, a damaged or encrypted one, folders in it, a name twice, or too much to unpack.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST:
                raise Unreadable("the file unpacks to more than a bundle may hold")
            if len(set(names)) < len(names) or any("/" in name or "\\" in name for name in names):
                raise Unreadable("the file has folders in it, or a name twice; a bundle has neither")
            return {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(f"this is no whole zip file: {error}") from error


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)  # the size that was added up above, whatever really follows
    if len(content) != entry.file_size:
        raise Unreadable(f"{entry.filename}: is not as long as the zip file says")
    return content
