"""The script that a stranger would run, in a process of its own, as the open-data page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evalsys.config import ROOT
from tests.publication.bundle.made import made_files, restated, signed

SCRIPT = ROOT / "docs" / "verify_independently.py"


def run(folder: Path, content: bytes) -> subprocess.CompletedProcess[str]:
    (folder / "bundle.zip").write_bytes(content)
    command = [sys.executable, "-I", str(SCRIPT), str(folder / "bundle.zip")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_agrees(tmp_path: Path) -> None:
    done = run(tmp_path, signed(made_files()))
    assert done.returncode == 0, done.stderr
    assert "40, root as stated" in done.stdout
    assert "6 of 6 recomputed" in done.stdout


@pytest.mark.parametrize("name", ["inputs.csv", "leaves.txt"])
def test_it_finds_a_change(tmp_path: Path, name: str) -> None:
    files = made_files()
    text = files[name].decode()
    spoilt = re.sub(r"(?m)^(C00,recipient.*),(\d)", r"\1,9\2", text) if name == "inputs.csv" else text[65:]
    assert spoilt != text
    for content in (files | {name: spoilt.encode()}, restated(files | {name: spoilt.encode()})):
        done = run(tmp_path, signed(content))
        assert done.returncode == 1, done.stderr
        assert any(word in done.stdout for word in ("CHANGED", "DIFFERS", "5 of 6"))


def test_it_knows_the_edition_before(tmp_path: Path) -> None:
    files = made_files(answers=43, earlier=40, number=2, previous="0" * 64)
    assert run(tmp_path, signed(files)).returncode == 0
    lost = restated(files, lambda edition: edition["consistency"].update(root="0" * 64))
    done = run(tmp_path, signed(lost))
    assert (done.returncode, "SOME LOST" in done.stdout) == (1, True)


def test_it_is_short_and_stands_alone() -> None:
    lines = SCRIPT.read_text("utf-8").splitlines()
    assert len(lines) <= 120
    imported = {line.split()[1] for line in lines if re.match(r"(import|from) ", line)}
    assert imported - set(sys.stdlib_module_names) == {"numpy"}
