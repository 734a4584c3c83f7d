"""The `evalsys` command: what it lists, how it refuses, what it leaves unloaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from sqlalchemy.exc import ArgumentError, OperationalError

from evalsys import __version__, cli, config
from evalsys.base.errors import Conflict
from evalsys.config import SettingMissing
from evalsys.rules.loading import loads

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Put a command `act` in place of all others."""

    def put(act: Callable[[], object]) -> None:
        monkeypatch.setattr(cli.evalsys, "get_command", lambda _ctx, _name: click.Command("act", callback=act))

    return put


def test_help_lists_every_command_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())  # long purposes are wrapped
    for name, (_place, purpose) in cli.COMMANDS.items():
        assert name in said
        assert purpose in said


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"evalsys, version {__version__}\n"


@pytest.mark.parametrize("name", [*cli.COMMANDS, *(f"import {kind}" for kind in cli.IMPORTS)])
def test_each_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*name.split(), "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: evalsys {name} ")


def test_no_command_prints_help_and_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["nonsense"]) == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rules", "score"])
def test_a_command_that_needs_no_web_loads_none(name: str) -> None:
    program = (
        "import sys; from evalsys.cli import run; run([sys.argv[1], '--help']);"
        "sys.exit(' '.join({'flask', 'sqlalchemy'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program, name], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def rules_faulty() -> None:
    loads(b"format = 1\n", "mine.toml")


def fault() -> None:
    raise Conflict("The cycle is closed.", remedy="Open a new one.", details=["first", "second"])


def setting_missing() -> None:
    raise SettingMissing("X is not set.", remedy="Set X.")


def no_file() -> None:
    Path("/nowhere/at-all.csv").read_bytes()


def still_writing() -> None:
    raise TimeoutError("another process is still writing")


def no_answer() -> None:
    raise OperationalError("SELECT 1", {}, Exception("connection refused\nand more"))


def no_address() -> None:
    raise ArgumentError("Could not parse it")


@pytest.mark.parametrize(
    ("act", "lines"),
    [
        (fault, ["evalsys: The cycle is closed.", "  first", "  second", "  -> Open a new one."]),
        (setting_missing, ["evalsys: X is not set.", "  -> Set X."]),
        (
            no_file,
            [
                "evalsys: /nowhere/at-all.csv: No such file or directory",
                "  -> Check the name, and that you may read it, or write there.",
            ],
        ),
        (
            still_writing,
            [
                "evalsys: Something else is writing to the database.",
                "  -> Wait until scoring, an import or a backup is done, and do it again.",
            ],
        ),
        (
            no_answer,
            [
                "evalsys: The database does not answer: connection refused",
                "  -> Check EVALSYS_DATABASE_URL, and that the database runs.",
            ],
        ),
        (
            no_address,
            [
                "evalsys: EVALSYS_DATABASE_URL: Could not parse it",
                "  -> Write sqlite:////folder/file.sqlite or postgresql://user:password@host/name.",
            ],
        ),
    ],
)
def test_what_a_person_can_put_right_is_said_without_a_traceback(
    act: Callable[[], None],
    lines: list[str],
    acting: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    acting(act)
    assert cli.run(["act"]) == 2
    assert capsys.readouterr().err.splitlines() == lines


def test_every_fault_of_a_rules_file_is_said(
    acting: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    acting(rules_faulty)
    assert cli.run(["act"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert all(line.startswith("mine.toml:") for line in lines)


def test_a_fault_of_the_program_stays_a_traceback(acting: Callable[[Callable[[], object]], None]) -> None:
    acting(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.run(["act"])


def test_a_fault_of_the_program_stays_one_without_a_database(
    acting: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sqlalchemy")
    acting(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.run(["act"])


def test_a_command_gives_its_exit_code(acting: Callable[[Callable[[], object]], None]) -> None:
    acting(lambda: click.get_current_context().exit(1))
    assert cli.run(["act"]) == 1


def test_what_a_command_returns_is_no_exit_code(acting: Callable[[Callable[[], object]], None]) -> None:
    acting(lambda: "done")
    assert cli.run(["act"]) == 0


def test_an_interrupt_ends_with_130(acting: Callable[[Callable[[], object]], None]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    acting(interrupted)
    assert cli.run(["act"]) == 130


def test_the_script_ends_with_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["evalsys", "nonsense"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2


def test_messages_speak_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
    acting: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    from evalsys.base.language import compile_catalogues

    compile_catalogues()
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh_CN.UTF-8")
    acting(no_answer)
    cli.run(["act"])
    assert "数据库没有应答" in capsys.readouterr().err
    monkeypatch.setattr(config, "TRANSLATIONS", tmp_path)  # nothing compiled: English, not a failure
    cli.run(["act"])
    assert "does not answer" in capsys.readouterr().err
