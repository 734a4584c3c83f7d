"""What keeps the house findable: small files, small functions, no drawers for odds and ends."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__)


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows or would add; where there is no git, all but the environment's."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return sorted({path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()})
    return sorted({path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts})


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


PYTHON = tracked("*.py")
NOT_PRODUCT = {"migrations", "tests"}  # a table's columns and a whole journey are as long as they are
PRODUCT = [path for path in PYTHON if path.relative_to(ROOT).parts[0] not in NOT_PRODUCT]


def test_there_are_files_to_look_at() -> None:
    assert ROOT / "evalsys" / "config.py" in PYTHON


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_files_stay_under_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 400, "split it by subject"


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_functions_stay_under_50_lines(path: Path) -> None:
    long = [
        f"{path.name}:{node.lineno} {node.name}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_without_docstring(node) >= 50
    ]
    assert long == []


def lines_without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return lines
    first = node.body[0]
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [name(path) for path in PYTHON if re.fullmatch(r"_*(utils?|helpers?|common|misc)", path.stem)] == []


def test_exceptions_to_the_tools_name_their_reason() -> None:
    exception = re.compile(r"#\s*(noqa|type: ignore|pragma: no cover|nosec)")
    reasoned = re.compile(r"#\s*(noqa: [\w, ]+|type: ignore\[[\w, -]+\]|pragma: no cover|nosec( B\d+)?)\W+\w+")
    bare = [
        f"{name(path)}:{number}"
        for path in PYTHON
        if path != HERE
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if exception.search(line) and not reasoned.search(line)
    ]
    assert bare == []


def test_no_text_to_translate_stands_inside_an_f_string() -> None:
    """Python before 3.12 hides it from the extraction, so it would stay untranslated there."""
    hidden = [
        f"{name(path)}:{call.lineno}"
        for path in PYTHON
        for string in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"_", "_l", "ngettext"}
    ]
    assert hidden == []


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\b(TODO|FIXME|XXX|HACK)\b", id="left-for-later"),
        pytest.param(r"\.\./shared", id="outside-the-repository"),
    ],
)
def test_no_file_holds(pattern: str) -> None:
    files = tracked("*.py", "*.html", "*.toml", "*.md", ".ci/run", "Makefile")
    assert [name(path) for path in files if path != HERE and re.search(pattern, path.read_text("utf-8"))] == []


def locked(lock: str) -> set[tuple[str, str]]:
    """(package, version) of every requirement of a lock."""
    return set(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))


def test_the_development_lock_holds_the_run_lock() -> None:
    """run.py relies on it: `demo` after `test` installs nothing."""
    assert len(locked("requirements.lock")) > 20
    assert locked("requirements.lock") <= locked("requirements-dev.lock")


def test_the_locks_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for lock, lines in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
    ):
        wanted = {re.split(r"[^\w-]", line)[0].lower() for line in lines}
        assert wanted <= {package for package, _ in locked(lock)}, lock
