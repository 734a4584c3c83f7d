"""`run.py`: the way in, from nothing but python3 and venv."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
UNREACHABLE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
ABSENT = "evalsys-absent==1 \\\n    --hash=sha256:" + "0" * 64 + "\n"

Go = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house whose locks name nothing, and whose command says what it was given."""
    folder = tmp_path / "a house's folder"  # blanks and quotes are allowed in a path
    (folder / "evalsys").mkdir(parents=True)
    shutil.copy(ROOT / "run.py", folder)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (folder / lock).write_text("")
    (folder / "evalsys" / "__init__.py").write_text("")
    (folder / "evalsys" / "cli.py").write_text("import sys; print('evalsys', *sys.argv[1:])\n")
    return folder


@pytest.fixture
def go(house: Path) -> Go:
    """Run the house's run.py from elsewhere, as a person would."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, house / "run.py", *arguments],
            cwd="/",
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def module(house: Path) -> ModuleType:
    """The house's run.py, imported."""
    spec = importlib.util.spec_from_file_location("run_of_a_house", house / "run.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.slow
def test_from_nothing_to_the_command_and_the_second_time_at_once(go: Go, house: Path) -> None:
    first = go("demo", "--fresh", "a b")
    assert first.stdout.splitlines()[-1] == "evalsys demo --fresh a b", first.stderr
    assert "made .venv" in first.stdout
    assert go("serve").stdout == "evalsys serve\n"

    (house / "requirements.lock").write_text("# changed\n")
    assert "installed requirements.lock" in go("demo").stdout

    (house / ".venv" / "evalsys-state").write_text("installing")
    (house / ".venv" / "half").touch()
    again = go("demo")
    assert "interrupted" in again.stdout
    assert again.stdout.endswith("evalsys demo\n")
    assert not (house / ".venv" / "half").exists()

    (house / "requirements.lock").write_text(ABSENT)
    refused = go("demo", **UNREACHABLE)
    assert refused.returncode == 1
    assert "pip could not install requirements.lock" in refused.stderr
    assert "PIP_INDEX_URL=https://mirror.example/simple" in refused.stderr


def test_what_test_installed_serves_for_demo_too(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(module, "make_venv", lambda: (module.BIN.mkdir(parents=True), (module.BIN / "python").touch()))
    monkeypatch.setattr(module, "pip_install", installed.append)
    monkeypatch.setattr(module, "link_project", lambda: None)
    module.prepare("requirements-dev.lock")
    module.prepare("requirements.lock")
    assert installed == ["requirements-dev.lock"]


def test_an_environment_of_somebody_else_is_left_alone(go: Go, house: Path) -> None:
    (house / ".venv").mkdir()
    (house / ".venv" / "theirs").touch()
    refused = go("demo")
    assert refused.returncode == 1
    assert "mv .venv .venv.old" in refused.stderr
    assert (house / ".venv" / "theirs").exists()


def test_a_python_without_venv_is_refused_with_the_package_to_install(
    module: ModuleType, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert module.main(["demo"]) == 1
    assert "sudo apt install python3-venv" in capsys.readouterr().err
    assert not (house / ".venv").exists()


def test_an_older_python_is_refused_before_anything_else() -> None:
    program = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(ROOT / 'run.py')!r}).read())"
    refused = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("evalsys needs Python 3.11 or newer; this is 3.9.\n  -> ")


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["-h"], 0), ([], 2), (["nonsense"], 2)])
def test_usage_needs_no_installation(go: Go, house: Path, arguments: list[str], code: int) -> None:
    done = go(*arguments)
    assert done.returncode == code
    assert "usage: python3 run.py" in done.stdout + done.stderr
    assert not (house / ".venv").exists()


@pytest.fixture
def ran(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would have been run in a prepared environment; everything named `fails` ends with 3."""
    calls: list[tuple[str, ...]] = []

    def run(*command: str) -> int:
        calls.append(command)
        return 3 if "fails" in command else 0

    monkeypatch.setattr(module, "prepare", lambda _lock: None)
    monkeypatch.setattr(module, "run", run)
    return calls


def test_all_tests_run_in_parallel_and_are_held_to_the_thresholds(
    module: ModuleType, house: Path, ran: list[tuple[str, ...]]
) -> None:
    (house / ".coverage.old").touch()
    assert module.main(["test"]) == 0
    assert ran[0] == ("python", "-m", "pytest", "-n", "auto", "--cov", "--cov-report=")
    assert [(call[2], call[3]) for call in ran[1:]] == [
        ("--include=*", "--fail-under=95"),
        ("--include=evalsys/scoring/*,evalsys/rules/*", "--fail-under=100"),
    ]
    assert not (house / ".coverage.old").exists()


def test_a_low_coverage_fails_after_both_are_shown(
    module: ModuleType, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*command: str) -> int:
        ran.append(command)
        return 2 if "--fail-under=95" in command else 0

    monkeypatch.setattr(module, "run", run)
    assert module.main(["test"]) == 2
    assert len(ran) == 3


def test_failing_tests_pass_their_code_on(
    module: ModuleType, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "run", lambda *command: ran.append(command) or 1)
    assert module.main(["test"]) == 1
    assert len(ran) == 1


def test_arguments_of_test_go_to_pytest_and_its_code_comes_back(module: ModuleType, ran: list[tuple[str, ...]]) -> None:
    assert module.main(["test", "fails", "-k", "wheel"]) == 3
    assert ran == [("python", "-m", "pytest", "fails", "-k", "wheel")]


def test_check_runs_all_to_the_end_and_names_what_failed(
    module: ModuleType,
    ran: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "CHECKS", {"one": "a fails", "two": "b"})
    assert module.main(["check"]) == 1
    assert ran == [("a", "fails"), ("b",)]
    assert capsys.readouterr().out.splitlines()[-1] == "run.py: failed: one"
    assert module.main(["check", "two"]) == 0


def test_check_refuses_a_check_it_does_not_know(
    module: ModuleType, ran: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.main(["check", "nonsense"]) == 1
    assert ran == []
    assert "Name some of: lint, format, types" in capsys.readouterr().err


def test_an_interrupt_ends_with_130(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_lock: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "prepare", interrupted)
    assert module.main(["demo"]) == 130


def test_run_gives_the_exit_code_of_a_program_of_the_environment(module: ModuleType) -> None:
    module.BIN.mkdir(parents=True)
    (module.BIN / "python").symlink_to(sys.executable)
    assert module.run("python", "-c", "raise SystemExit(7)") == 7


@pytest.mark.parametrize(
    ("log", "word"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "Do not install it"),
        ("NewConnectionError('Failed to establish a new connection')", "PIP_INDEX_URL"),
        ("ERROR: No matching distribution found for flask", "PIP_FIND_LINKS"),
        ("OSError: [Errno 28] No space left on device", "Put that right"),
    ],
)
def test_what_stopped_pip_comes_with_its_remedy(module: ModuleType, log: str, word: str) -> None:
    assert word in module.remedy(log)


def test_a_silent_process_is_heard_every_second(module: ModuleType) -> None:
    program = "import threading; print('one', flush=True); threading.Event().wait(1.3); print('two')"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert list(module.lines_of(process)) == ["one", "", "two"]


def test_a_second_run_waits_until_the_first_has_prepared(
    module: ModuleType, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def flock(_file: object, how: int) -> None:
        asked.append(how)
        if how & module.fcntl.LOCK_NB:
            raise BlockingIOError

    monkeypatch.setattr(module, "__file__", str(house / "run.py"))
    monkeypatch.setattr(module.fcntl, "flock", flock)
    with module.alone():
        assert asked == [module.fcntl.LOCK_EX | module.fcntl.LOCK_NB, module.fcntl.LOCK_EX]
    assert "waiting" in capsys.readouterr().out


def test_progress_is_one_line_on_a_terminal_and_silent_elsewhere(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module.show_progress("fetching 1/2", since=module.time.monotonic())
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    module.show_progress("fetching 1/2", since=module.time.monotonic())
    module.say("installed")
    assert capsys.readouterr().out == "\r\033[Krun.py: fetching 1/2 (0 s)\r\033[Krun.py: installed\n"
