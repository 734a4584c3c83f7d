"""Where the bytes of evidence lie: one small interface, and the instance folder behind it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Keeps files by shelf (an assessment's number) and hash (SHA-256 in hexadecimal digits)."""

    def put(self, shelf: int, digest: str, content: bytes) -> None:
        """Keep a file, whole or not at all; one that is there already stays."""
        ...

    def get(self, shelf: int, digest: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        ...

    def keep_only(self, shelf: int, digests: Collection[str]) -> None:
        """Remove from a shelf whatever is not named."""
        ...


class FolderStore:
    """Files below a folder that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _shelf(self, shelf: int) -> Path:
        return self._folder / str(shelf)

    def put(self, shelf: int, digest: str, content: bytes) -> None:
        folder = self._shelf(shelf)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f"{secrets.token_hex(8)}.part"
        try:
            fresh.touch(mode=0o600, exist_ok=False)
            with fresh.open("wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            fresh.replace(folder / digest)
        finally:
            fresh.unlink(missing_ok=True)
        for made in (folder, self._folder):
            entry = os.open(made, os.O_RDONLY)
            try:
                os.fsync(entry)  # else the name may be lost though the bytes are there
            finally:
                os.close(entry)

    def get(self, shelf: int, digest: str) -> bytes | None:
        try:
            return (self._shelf(shelf) / digest).read_bytes()
        except FileNotFoundError:
            return None

    def keep_only(self, shelf: int, digests: Collection[str]) -> None:
        folder = self._shelf(shelf)
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path.name not in digests:
                path.unlink(missing_ok=True)
