#!/usr/bin/env python3
"""The way in: `python3 run.py demo | serve | test | check`. Needs python3 with venv and nothing else.

Makes `.venv` from the committed lock when it is missing or out of step, then hands the remaining arguments on:
`demo` and `serve` to the `evalsys` command, `test` to pytest.
"""

import sys

if sys.version_info < (3, 11):  # before anything that an older Python could not run
    sys.exit(
        "evalsys needs Python 3.11 or newer; this is {}.{}.\n"
        "  -> Run it with a newer one, for example: python3.12 run.py demo".format(*sys.version_info[:2])
    )

import fcntl
import hashlib
import os
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STATE = VENV / "evalsys-state"  # "installing", or the fingerprints of the locks that are installed

RUN_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"  # holds all of the run lock, at the same versions

USAGE = """\
usage: python3 run.py COMMAND [ARGUMENTS]

  demo     a simulated county at http://127.0.0.1:8000, ready to click through
  serve    the site itself, from the EVALSYS_* settings (see README.md)
  test     the tests; ARGUMENTS go to pytest (none: all tests, in parallel, with the coverage thresholds)
  check    lint, types, floors, templates, security patterns, translations

Needs Python 3.11 or newer with venv. The first time it installs into .venv what the committed lock names.
"""

CHECKS = {
    "lint": "ruff check .",
    "format": "ruff format --check .",
    "types": "mypy evalsys tools run.py hatch_build.py",
    "floors": "lint-imports --no-cache --no-logo",
    "templates": "djlint templates --lint --quiet",
    # ruff holds the low ones, and B310, B608 and B704 as S310, S608 and S704, whose exceptions stand with their reasons
    "security": "bandit --quiet --recursive --severity-level medium --skip B310,B608,B704 evalsys tools run.py",
    "translations": "python tools/translations.py check",
}
THRESHOLDS = {"*": 95, "evalsys/scoring/*,evalsys/rules/*": 100}  # branch coverage in percent

OUT_OF_REACH = re.compile(
    r"NameResolutionError|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError"
    r"|name resolution|Network is unreachable|Connection (refused|reset)|No matching distribution found"
)


class Stopped(Exception):
    """Something outside this script has to be put right first; the message says what, and how."""


def main(arguments: Sequence[str]) -> int:
    commands = {"demo": site, "serve": site, "test": test, "check": check}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    command, rest = arguments[0], list(arguments[1:])
    if command not in commands:
        print(f"run.py: there is no command {command!r}\n\n{USAGE}", file=sys.stderr, end="")
        return 2
    try:
        with alone():
            prepare(RUN_LOCK if command in ("demo", "serve") else DEV_LOCK)
        return commands[command](command, rest)
    except Stopped as stop:
        print(f"run.py: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrun.py: stopped", file=sys.stderr)
        return 130


# The environment


@contextmanager
def alone() -> Iterator[None]:
    """Keep two of this script from installing into the same folder at once."""
    with Path(__file__).open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run.py is preparing .venv; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def prepare(lock: str) -> None:
    """Bring `.venv` in step with the lock; a matter of milliseconds when it already is."""
    ready = installed()
    if ready is None:
        make_venv()
        ready = set()
    if fingerprint(lock) not in ready:
        install(lock)


def installed() -> set[str] | None:
    """Fingerprints of the locks that `.venv` holds. None: there is no `.venv`; a half-made one is cleared away."""
    if not VENV.exists():
        return None
    if not STATE.exists():
        raise Stopped(
            f"{VENV} was made by something else, and this script would change what is in it.\n"
            "  -> Move it away (mv .venv .venv.old) and run the command again."
        )
    state = set(STATE.read_text("utf-8").split())
    if "installing" in state or not (BIN / "python").exists():
        say("the last installation was interrupted; starting afresh")
        shutil.rmtree(VENV)
        return None
    return state


def fingerprint(lock: str) -> str:
    """Changes with the lock, the Python and the place of this folder: `.venv` holds absolute paths."""
    parts = [(ROOT / lock).read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    start = time.monotonic()
    VENV.mkdir()
    STATE.write_text("installing", "utf-8")
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(VENV)
        raise Stopped(
            f"python3 could not make a virtual environment.\n{indented(made.stdout + made.stderr)}\n"
            "  -> On Debian or Ubuntu: sudo apt install python3-venv; then run the command again."
        )
    say("made .venv", since=start)


def install(lock: str) -> None:
    STATE.write_text("installing", "utf-8")
    pip_install(lock)
    link_project()
    held = (RUN_LOCK, DEV_LOCK) if lock == DEV_LOCK else (RUN_LOCK,)
    STATE.write_text("\n".join(fingerprint(name) for name in held), "utf-8")


def pip_install(lock: str) -> None:
    """Install what the lock names and nothing else: no resolving, and nothing that has to be built."""
    total = len(re.findall(r"^[a-z]", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
    say(f"installing {total} packages of {lock}")
    options = "--no-input --disable-pip-version-check --progress-bar=off --require-hashes --no-deps --only-binary=:all:"
    process = subprocess.Popen(
        [BIN / "python", "-m", "pip", "install", *options.split(), "--requirement", ROOT / lock],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    start, seen, log, act = time.monotonic(), 0, [""], "fetching"
    for line in lines_of(process):
        seen += line.startswith(("Collecting ", "Requirement already"))
        act = "unpacking" if line.startswith("Installing collected") else act
        log = [*log[-15:], line] if line else log
        show_progress(f"{lock}: {act} {min(seen, total)}/{total}", since=start)
    if process.wait() != 0:
        said = "\n".join(log)
        raise Stopped(f"pip could not install {lock}.\n{indented(said)}\n{remedy(said)}")
    say(f"installed {lock}", since=start)


def lines_of(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """A process's output line by line, with an empty line for every second of silence."""
    pipe, rest = process.stdout, b""
    while pipe is not None:
        if not select.select([pipe], [], [], 1.0)[0]:
            yield ""
            continue
        chunk = os.read(pipe.fileno(), 65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").strip() for line in lines)


def remedy(log: str) -> str:
    if "DO NOT MATCH THE HASHES" in log:
        return "  -> A package is not the one that was locked. Do not install it; find out where it came from."
    if OUT_OF_REACH.search(log):
        return (
            "  -> Is the package index in reach? Check the network and the proxy (HTTPS_PROXY), or name a mirror:\n"
            "     PIP_INDEX_URL=https://mirror.example/simple python3 run.py ...\n"
            "     or a folder of wheels: PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels python3 run.py ..."
        )
    return "  -> Put that right, then run the command again."


def link_project() -> None:
    """Do what an editable install would, without a build backend that had to be fetched first."""
    site_packages = next((VENV / "lib").glob("python*/site-packages"))
    (site_packages / "evalsys-source.pth").write_text(f"{ROOT}\n", "utf-8")
    script = BIN / "evalsys"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(BIN / "python"))} -m evalsys.cli "$@"\n', "utf-8")
    script.chmod(0o755)


# The commands


def site(command: str, arguments: list[str]) -> int:
    """Become `evalsys demo` or `evalsys serve`, so that signals reach it directly."""
    sys.stdout.flush()
    os.execv(BIN / "evalsys", ["evalsys", command, *arguments])  # noqa: S606 - a list, no shell


def test(_command: str, arguments: list[str]) -> int:
    """Run what pytest is asked for; with no arguments all of it, held to the thresholds."""
    if arguments:
        return run("python", "-m", "pytest", *arguments)
    for leftover in ROOT.glob(".coverage*"):
        leftover.unlink()
    code = run("python", "-m", "pytest", "-n", "auto", "--cov", "--cov-report=")
    if code != 0:
        return code
    for files, percent in THRESHOLDS.items():
        print(f"\ncoverage of {files}, at least {percent} %:", flush=True)
        code = run("coverage", "report", f"--include={files}", f"--fail-under={percent}", "--precision=2") or code
    return code


def check(_command: str, names: list[str]) -> int:
    """Run the checks, all or the named ones, to the end, and say which failed."""
    unknown = set(names) - set(CHECKS)
    if unknown:
        raise Stopped(f"there is no check {', '.join(sorted(unknown))}.\n  -> Name some of: {', '.join(CHECKS)}.")
    failed = []
    for name in names or CHECKS:
        start = time.monotonic()
        program, *arguments = CHECKS[name].split()
        if run(program, *arguments) != 0:
            failed.append(name)
        say(f"{name}: {'FAILED' if name in failed else 'ok'}", since=start)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def run(program: str, *arguments: str) -> int:
    return subprocess.run([BIN / program, *arguments], cwd=ROOT, check=False).returncode


# What the person sees


def say(text: str, *, since: float | None = None) -> None:
    elapsed = "" if since is None else f" ({time.monotonic() - since:.1f} s)"
    wipe = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{wipe}run.py: {text}{elapsed}", flush=True)


def show_progress(text: str, *, since: float) -> None:
    """One line that rewrites itself; where the output goes to a file, `say` alone speaks."""
    if sys.stdout.isatty():
        print(f"\r\033[Krun.py: {text} ({time.monotonic() - since:.0f} s)", end="", flush=True)


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
