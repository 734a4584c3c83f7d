"""The wheel carries everything the site reads, and finds it there."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CARRIED = ("templates", "migrations", "examples", "scoring_rules.toml")

LOOK = """
import json
from evalsys import config
rules = [config.SHIPPED_RULES, config.ROOT / "examples" / "one-party.toml", config.MIGRATIONS / "env.py"]
found = {str(path.relative_to(config.ROOT)): path.is_file() for path in rules}
found["compiled"] = (config.TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.mo").stat().st_size > 1000
print(json.dumps({"root": str(config.ROOT), **found}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("evalsys-*.whl")
    return made


def test_it_carries_every_file_that_the_working_copy_has(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"evalsys/_house/{path.relative_to(ROOT)}"
        for name in CARRIED
        for path in [ROOT / name, *(ROOT / name).rglob("*")]
        if path.is_file() and "__pycache__" not in path.parts
    } | {
        str(path.relative_to(ROOT))
        for path in (ROOT / "evalsys").rglob("*")
        if path.suffix not in {".pyc", ".tmp"} and path.is_file()
    }
    assert len(wanted) > 50
    assert wanted <= carried
    assert any(name.endswith("licenses/LICENSE") for name in carried)


def test_an_installed_copy_finds_what_it_carries(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel],
        check=True,
        capture_output=True,
    )
    done = subprocess.run([python, "-c", LOOK], cwd=tmp_path, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    root = Path(found.pop("root"))
    assert root.is_relative_to(environment)
    assert root.name == "_house"
    assert all(found.values()), found
    assert (environment / "bin" / "evalsys").is_file()
