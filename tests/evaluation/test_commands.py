import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evalsys import cli
from evalsys.base.language import compile_catalogues
from evalsys.evaluation import commands
from evalsys.evaluation.file_faults import _l
from tests.evaluation.written import ONE_PARTY, write

GOOD = "contract,rater,value\n" + "".join(f"A,r{n},4\n" for n in range(5)) + "B,r,2\n"


@pytest.fixture(autouse=True)
def speak_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


def run(ratings: Path, out: Path, *more: str) -> int:
    return cli.run(["score", str(ratings), "--rules", str(ONE_PARTY), "--out", str(out), *more])


def test_scores_are_written_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write(tmp_path, GOOD), tmp_path / "out", "--seed", "7") == 0
    said = capsys.readouterr()
    assert said.out == f"Scored 1 of 2 contracts: {tmp_path}/out/scores.csv, {tmp_path}/out/scores.json\n"
    assert '"seed": 7' in (tmp_path / "out" / "scores.json").read_text("utf-8")
    assert '"sha256"' in (tmp_path / "out" / "scores.json").read_text("utf-8")


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    ratings = write(tmp_path, GOOD)
    for out in ("one", "two"):
        run(ratings, tmp_path / out)
    for name in ("scores.csv", "scores.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_faulty_files_exit_2_and_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = write(tmp_path, GOOD + "B,q,9\n")
    with pytest.raises(SystemExit) as caught:
        run(ratings, tmp_path / "out")
    assert caught.value.code == 2
    fault, count = capsys.readouterr().err.splitlines()
    assert fault.startswith("ratings.csv, row 8, column value “9”: The value is not on the scale of overall. Write a")
    assert count == "Faults: 1; nothing was written."
    assert not (tmp_path / "out").exists()


def test_faults_are_told_in_the_language_of_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_catalogues()
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh")
    with pytest.raises(SystemExit):
        run(write(tmp_path, "contract,rater,value\nA,r,9\n"), tmp_path / "out")
    assert "第 2 行" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none.csv", tmp_path / "out") == 2
    assert "none.csv: No such file" in capsys.readouterr().err


def test_progress_is_told_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    commands._told_on_a_terminal(_l("writing"))
    assert not capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    commands._told_on_a_terminal(_l("writing"))
    assert capsys.readouterr().err == "\r\x1b[Kwriting"


def test_help_shows_the_conversion_on_one_line() -> None:
    said = CliRunner().invoke(commands.score, ["--help"], terminal_width=120, max_content_width=120).output
    assert 'awk -F, \'BEGIN{print "contract,vendor,rater,value"} NR>1{print $2","$2","$1","$7}\'' in said


@pytest.mark.parametrize("unwanted", ["flask", "sqlalchemy", "scipy.stats"])
def test_scoring_a_file_needs_neither_web_nor_database(tmp_path: Path, unwanted: str) -> None:
    ratings, out = write(tmp_path, GOOD), tmp_path / "out"
    arguments = ["score", str(ratings), "--rules", str(ONE_PARTY), "--out", str(out)]
    code = (
        f"import sys\nfrom evalsys.cli import run\nassert run({arguments}) == 0\nsys.exit({unwanted!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
