from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from evalsys.base.errors import Gone
from evalsys.registry.imports import uploads
from tests import factories as f

HOUR = timedelta(hours=1)


def keep(folder: Path, now: datetime = f.NOW) -> str:
    return uploads.keep(folder, b"a\nb", kind="vendors", filename="x", cycle_code=None, actor=f.actor(), now=now)


def test_a_file_waits_for_an_hour(app: Flask, tmp_path: Path) -> None:
    token = keep(tmp_path)
    about, data = uploads.fetch(tmp_path, token, actor=f.actor(), now=f.NOW + HOUR)
    assert (about.kind, data) == ("vendors", b"a\nb")
    with pytest.raises(Gone):
        uploads.fetch(tmp_path, token, actor=f.actor(), now=f.NOW + HOUR + timedelta(seconds=1))
    assert (tmp_path / "uploads" / token).stat().st_mode & 0o777 == 0o600


def test_what_nobody_confirmed_is_deleted_by_the_next(app: Flask, tmp_path: Path) -> None:
    old = tmp_path / "uploads" / keep(tmp_path)
    os.utime(old, times=(f.NOW.timestamp(),) * 2)
    fresh = tmp_path / "uploads" / keep(tmp_path)
    os.utime(fresh, times=(f.NOW.timestamp(),) * 2)
    later = keep(tmp_path, f.NOW + HOUR + timedelta(seconds=1))
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == [later]


@pytest.mark.parametrize("token", ["", "..", "../x", "0" * 32, "0" * 31 + "G"])
def test_other_tokens_lead_nowhere(app: Flask, tmp_path: Path, token: str) -> None:
    keep(tmp_path)
    with pytest.raises(Gone):
        uploads.fetch(tmp_path, token, actor=f.actor(), now=f.NOW)


def test_a_forgotten_file_is_gone(app: Flask, tmp_path: Path) -> None:
    token = keep(tmp_path)
    uploads.forget(tmp_path, token)
    uploads.forget(tmp_path, token)
    with pytest.raises(Gone):
        uploads.fetch(tmp_path, token, actor=f.actor(), now=f.NOW)
