"""Small files of every kind that is taken as evidence, and of some that are not."""

from __future__ import annotations

import io
import struct
import zipfile

from PIL import Image


def photo(form: str = "JPEG", *, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: object) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 0).save(target, form, **options)
    return target.getvalue()


def located_photo(form: str = "JPEG") -> bytes:
    """A photo that names its place and its camera, lies on its side, and carries a comment."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, object] = {"exif": exif}
    if form == "JPEG":
        options["comment"] = b"SecretComment"
    return photo(form, **options)


def archive(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return target.getvalue()


def workbook(**more: bytes) -> bytes:
    return archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>", **more})


def pdf(text: bytes = b"") -> bytes:
    return b"%PDF-1.7\n" + text + b"\n%%EOF\n"


def wav() -> bytes:
    return b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + bytes(32)


def ogg() -> bytes:
    return b"OggS" + bytes(24) + b"OpusHead" + bytes(40)


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # 128 kbit/s at 44.1 kHz: 417 bytes
MP3_FRAME_2 = b"\xff\xf3\x40\x00" + bytes(140)  # MPEG-2, 32 kbit/s at 22.05 kHz: 104 bytes and more


def mp3(*, tag: bytes = b"") -> bytes:
    head = b"ID3\x04\x00\x00" + bytes([0, 0, len(tag) >> 7, len(tag) & 0x7F]) + tag if tag else b""
    return head + MP3_FRAME * 2


def box(name: bytes, content: bytes, *, long: bool = False) -> bytes:
    if long:
        return struct.pack(">I", 1) + name + struct.pack(">Q", len(content) + 16) + content
    return struct.pack(">I", len(content) + 8) + name + content


def m4a(*, tracks: bytes = b"soun", long: bool = False) -> bytes:
    handlers = box(b"trak", box(b"hdlr", bytes(8) + tracks))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", bytes(64), long=long) + box(b"moov", handlers)
