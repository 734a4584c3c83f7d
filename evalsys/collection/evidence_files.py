"""Which files are taken as evidence: known by their bytes, not by their name; photos lose what the camera wrote.

A photo is drawn anew, so that place, time, device and whatever hides behind the picture are gone. Other kinds are kept
as they are.
"""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from flask_babel import gettext as _

from evalsys.base.errors import Invalid
from evalsys.base.tables import part_names, read_through

LARGEST_FILE = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
NAME_LENGTH = 120


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, the endings its name may have (the first is given where none is), its look."""

    media_type: str
    endings: tuple[str, ...]
    is_it: Callable[[bytes], bool]


@dataclass(frozen=True)
class Clean:
    """A file as it may be kept."""

    name: str
    media_type: str
    content: bytes


def checked(name: str, content: bytes) -> Clean:
    """A file that a person sent, ready to be kept.

    Args:
        name: as the browser gave it; only for people to read.
        content: the bytes, at most LARGEST_FILE.

    Raises:
        Invalid: it is empty, too large, of no known kind, broken, a bomb, or its name's ending says another kind.
    """
    if not content:
        raise Invalid(_("The file is empty."), remedy=_("Choose it again; open it first to see what is in it."))
    if len(content) > LARGEST_FILE:
        raise too_large()
    kind = next((kind for kind in KINDS if kind.is_it(content)), None)
    if kind is None:
        raise Invalid(_("The content of this file is of no kind that is taken as evidence."), remedy=what_is_taken())
    shown = _shown_name(name, kind)
    if kind.media_type in _PICTURES:
        content = _drawn_anew(content, _PICTURES[kind.media_type])
    elif kind is _WORKBOOK:
        for _part in read_through(content):
            pass
    return Clean(shown, kind.media_type, content)


def too_large() -> Invalid:
    """That a file is larger than what is taken."""
    return Invalid(
        _("The file is larger than %(n)s MB.", n=LARGEST_FILE // 1024**2),
        remedy=_("Send a smaller one: a photo with fewer pixels, a shorter recording, a document in parts."),
    )


def what_is_taken() -> str:
    """The kinds of files, in words."""
    said: str = _("Send a photo (JPEG or PNG), a PDF, an Excel workbook (.xlsx) or a recording (MP3, M4A, WAV or Ogg).")
    return said


def _shown_name(name: str, kind: Kind) -> str:
    """The name without folders and without characters that nobody sees, its ending the right one."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    path = PurePosixPath("".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .") or "-")
    ending = path.suffix.lower()
    if ending and ending not in kind.endings and ending in _ALL_ENDINGS | _TELLING:
        raise Invalid(
            _(
                "The name ends in %(given)s, but by its content the file is %(right)s.",
                given=ending,
                right=kind.endings[0],
            ),
            remedy=_("Make sure that it is the right file; then rename it, or save it again in the right program."),
        )
    if ending in kind.endings:
        return path.stem[: NAME_LENGTH - len(ending)] + ending
    return path.name[: NAME_LENGTH - len(kind.endings[0])] + kind.endings[0]


# ── What the bytes say ──


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]


def _is_workbook(content: bytes) -> bool:
    try:
        parts = part_names(content)
    except Invalid:
        return False
    return content.startswith(b"PK") and {"[Content_Types].xml", "xl/workbook.xml"} <= parts and not _has_macros(parts)


def _has_macros(parts: frozenset[str]) -> bool:
    return any(part.lower().endswith("vbaproject.bin") for part in parts)


def _is_mp3(content: bytes) -> bool:
    """A tag and then a frame, or two frames one after the other: two bytes alone would say little."""
    start = 0
    if content.startswith(b"ID3") and len(content) > 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
        start += len(content[start : start + 4096]) - len(content[start : start + 4096].lstrip(b"\0"))
    length = _mp3_frame(content[start : start + 4])
    return length > 0 and (start > 0 or _mp3_frame(content[length : length + 4]) > 0)


_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s of MPEG-1 layer III
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG-2 and 2.5
_SAMPLES = (44100, 48000, 32000)


def _mp3_frame(head: bytes) -> int:
    """The length that a layer III frame's head says; 0 where it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sample, padding = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or rate in (0, 15) or sample == 3:
        return 0
    first = version == 3
    hertz = _SAMPLES[sample] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if first else 72) * 1000 * (_RATES_1 if first else _RATES_2)[rate] // hertz + padding


def _is_m4a(content: bytes) -> bool:
    """An MPEG-4 file whose tracks are heard and not seen."""
    if content[4:8] != b"ftyp":
        return False
    at, tracks = 0, b""
    while at + 8 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        if content[at + 4 : at + 8] == b"moov":
            tracks = content[at : at + length]
        if length == 1 and at + 16 <= len(content):
            (length,) = struct.unpack(">Q", content[at + 8 : at + 16])
        if length < 8:
            break
        at += length
    return b"soun" in tracks and b"vide" not in tracks


def _is_ogg(content: bytes) -> bool:
    first = content[:512]
    return first.startswith(b"OggS") and any(codec in first for codec in (b"OpusHead", b"\x01vorbis", b"Speex  "))


_WORKBOOK = Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",), _is_workbook)
KINDS = (
    Kind("image/jpeg", (".jpg", ".jpeg"), lambda content: content.startswith(b"\xff\xd8\xff")),
    Kind("image/png", (".png",), lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    Kind("application/pdf", (".pdf",), _is_pdf),
    _WORKBOOK,
    Kind("audio/mp4", (".m4a",), _is_m4a),
    Kind("audio/wav", (".wav",), lambda content: content[:4] == b"RIFF" and content[8:12] == b"WAVE"),
    Kind("audio/ogg", (".ogg", ".oga", ".opus"), _is_ogg),
    Kind("audio/mpeg", (".mp3",), _is_mp3),
)
_PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG"}
_ALL_ENDINGS = {ending for kind in KINDS for ending in kind.endings}
_TELLING = {".exe", ".html", ".htm", ".svg", ".js", ".zip", ".doc", ".docx", ".xls", ".xlsm", ".heic", ".mp4", ".gif"}


# ── What is inside ──


def _drawn_anew(content: bytes, form: str) -> bytes:
    """The same picture, upright, in a file that holds nothing else."""
    from PIL import Image, ImageOps  # takes long to import; only who sends a photo waits for it

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise _too_many_pixels()
            upright = ImageOps.exif_transpose(photo)
            if form == "JPEG":
                plain = upright if upright.mode in {"L", "RGB"} else upright.convert("RGB")
            else:
                plain = upright.convert("RGBA") if "transparency" in upright.info else upright
            plain.info.clear()  # comment, profile and the rest would be written again
            target = io.BytesIO()
            plain.save(target, form, **({"quality": 90} if form == "JPEG" else {}))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise Invalid(
            _("The photo is broken and cannot be read."),
            remedy=_("Open it on the device, save it again and send that."),
        ) from error
    return target.getvalue()


def _too_many_pixels() -> Invalid:
    return Invalid(
        _("The photo has more than %(n)s million pixels.", n=MOST_PIXELS // 1_000_000),
        remedy=_("Take it again with a smaller size, or make it smaller first."),
    )
