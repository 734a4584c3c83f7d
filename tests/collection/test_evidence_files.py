"""Which files are taken as evidence, and what is left of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from flask import Flask
from PIL import Image

from evalsys.base import language
from evalsys.base.errors import Invalid
from evalsys.base.tables import unpacking
from evalsys.collection import evidence_files
from evalsys.collection.evidence_files import NAME_LENGTH, checked
from tests.collection.files import (
    MP3_FRAME,
    MP3_FRAME_2,
    archive,
    box,
    located_photo,
    m4a,
    mp3,
    ogg,
    pdf,
    photo,
    wav,
    workbook,
)


@pytest.fixture
def app() -> Iterator[Flask]:
    """Words alone: files are looked at without a database."""
    made = Flask("words")
    language.install(made)
    with made.app_context():
        yield made


TAKEN = {
    "照片.jpg": (photo(), "image/jpeg"),
    "照片.JPEG": (photo(mode="CMYK"), "image/jpeg"),
    "灰.jpg": (photo(mode="L"), "image/jpeg"),
    "图.png": (photo("PNG"), "image/png"),
    "透明.png": (photo("PNG", mode="P", transparency=0), "image/png"),
    "报告.pdf": (pdf(), "application/pdf"),
    "清单.xlsx": (workbook(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "录音.mp3": (mp3(), "audio/mpeg"),
    "标签.mp3": (mp3(tag=bytes(200)), "audio/mpeg"),
    "低码率.mp3": (MP3_FRAME_2[:104] + MP3_FRAME_2, "audio/mpeg"),
    "录音.m4a": (m4a(), "audio/mp4"),
    "长录音.m4a": (m4a(long=True), "audio/mp4"),
    "录音.wav": (wav(), "audio/wav"),
    "录音.opus": (ogg(), "audio/ogg"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_is_known_by_its_bytes(app: Flask, name: str) -> None:
    content, media_type = TAKEN[name]
    file = checked(name, content)
    assert (file.media_type, file.name) == (media_type, name.replace("JPEG", "jpeg"))
    assert file.content == content or media_type.startswith("image/")


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_photo_forgets_where_when_and_by_what_it_was_taken(app: Flask, form: str) -> None:
    sent = located_photo(form) + b"GPS behind the picture"
    assert b"SecretCamera" in sent
    kept = checked("p.jpg" if form == "JPEG" else "p.png", sent).content
    for secret in (b"Secret", b"Exif", b"eXIf", b"GPS"):
        assert secret not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.size == (40, 60)  # upright
        assert not picture.getexif()


REFUSED = {
    "empty": ("空.jpg", b"", "文件是空的"),
    "a program": ("a.exe", b"MZ" + bytes(100), "不属于"),
    "a page": ("a.html", b"<script>alert(1)</script>", "不属于"),
    "a page by another name": ("a.pdf", b"<script>alert(1)</script>", "不属于"),
    "a picture called a document": ("a.pdf", photo(), "应为 .jpg"),
    "a document called a picture": ("a.png", pdf(), "应为 .pdf"),
    "a picture called a program": ("a.exe", photo(), "应为 .jpg"),
    "half a document": ("a.pdf", b"%PDF-1.7 and no end", "不属于"),
    "half a photo": ("a.jpg", photo(size=(400, 400))[:700], "照片已损坏"),
    "a head without a photo": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(30), "照片已损坏"),
    "an archive": ("a.xlsx", archive({"x.txt": b"x"}), "不属于"),
    "a broken archive": ("a.xlsx", b"PK\x03\x04" + bytes(60), "不属于"),
    "a workbook with macros": ("a.xlsx", workbook(**{"xl/vbaProject.bin": b"x"}), "不属于"),
    "a film": ("a.m4a", m4a(tracks=b"vide soun"), "不属于"),
    "a box that never ends": ("a.m4a", box(b"ftyp", b"M4A ") + struct.pack(">I", 4) + b"moov", "不属于"),
    "a tag without sound": ("a.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x02ab" + bytes(40), "不属于"),
    "one frame": ("a.mp3", MP3_FRAME, "不属于"),
    "a reserved rate": ("a.mp3", b"\xff\xfb\xf0\x00" + bytes(413), "不属于"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_taken_is_said_in_words(app: Flask, case: str) -> None:
    name, content, said = REFUSED[case]
    with pytest.raises(Invalid) as caught:
        checked(name, content)
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_file_above_the_limit_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_files, "LARGEST_FILE", 1024**2)
    assert checked("a.pdf", pdf(bytes(1024**2 - 20))).media_type == "application/pdf"
    with pytest.raises(Invalid, match="文件超过 1 MB"):
        checked("a.pdf", pdf(bytes(1024**2)))


def png_of(width: int, height: int) -> bytes:
    """A few bytes that claim a picture of any size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 10_000, 60_000], ids=["above ours", "Pillow warns", "Pillow refuses"])
def test_a_picture_that_would_fill_the_memory_is_refused(app: Flask, side: int) -> None:
    with pytest.raises(Invalid, match="50 百万像素"):
        checked("a.png", png_of(side, side))


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 3 * 1024**2)
    assert checked("a.xlsx", workbook(**{"xl/a.xml": bytes(2 * 1024**2)}))
    with pytest.raises(Invalid, match="3 MB"):
        checked("a.xlsx", workbook(**{"xl/a.xml": bytes(4 * 1024**2)}))


def test_a_workbook_that_lies_about_its_parts_is_refused(app: Flask) -> None:
    sound = workbook(**{"xl/a.xml": b"a" * 100})
    (checksum,) = (struct.pack("<I", zlib.crc32(b"a" * 100)),)
    with pytest.raises(Invalid, match="损坏"):
        checked("a.xlsx", sound.replace(checksum, b"\0\0\0\0"))
    with pytest.raises(Invalid, match="损坏"):  # a kind of compression that nobody knows
        checked("a.xlsx", sound.replace(b"\x08\x00", b"\x63\x00"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\桌面\\验收.PDF", "验收.pdf"),
        ("验\u202e收\0\n.pdf", "验收.pdf"),
        ("", "-.pdf"),
        ("...", "-.pdf"),
        ("2026.11.23 验收", "2026.11.23 验收.pdf"),
        ("长" * 300 + ".pdf", "长" * (NAME_LENGTH - 4) + ".pdf"),
        ("长" * 300, "长" * (NAME_LENGTH - 4) + ".pdf"),
    ],
)
def test_a_name_is_only_for_people_to_read(app: Flask, given: str, shown: str) -> None:
    assert checked(given, pdf()).name == shown
