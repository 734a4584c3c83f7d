import pytest

from evalsys.base.language import compile_catalogues
from evalsys.evaluation.file_faults import MOST, FilesFaulty, Findings, _l


def test_a_fault_names_its_place_its_value_and_the_remedy() -> None:
    findings = Findings("r.csv")
    findings.add(7, "value", "9", _l("Wrong by %(by)s.", by=4), _l("Write 5."))
    assert findings.faults[0].said("en") == "r.csv, row 7, column value “9”: Wrong by 4. Write 5."


def test_a_long_value_is_cut() -> None:
    findings = Findings("r.csv")
    findings.add(0, "", "x" * 61, _l("Wrong."), _l("Right."))
    assert findings.faults[0].said("en") == f"r.csv “{'x' * 60}…”: Wrong. Right."


@pytest.mark.parametrize(
    ("found", "listed", "last"),
    [
        (2, 2, "Faults: 2; nothing was written."),
        (MOST, MOST, f"Faults: {MOST}; nothing was written."),
        (MOST + 5, MOST, f"At least {MOST} faults; nothing was written."),
    ],
)
def test_up_to_a_hundred_are_listed_in_the_order_of_rows(found: int, listed: int, last: str) -> None:
    findings = Findings("r.csv")
    for row in range(found, 0, -1):
        findings.add(row, "", "", _l("Wrong."), _l("Right."))
    with pytest.raises(FilesFaulty) as caught:
        findings.raise_if_any()
    assert [fault.row for fault in caught.value.faults] == sorted(fault.row for fault in caught.value.faults)
    assert len(caught.value.faults) == listed
    assert caught.value.lines("en")[-1] == last
    assert str(caught.value).count("\n") == listed - 1


def test_without_faults_nothing_is_raised() -> None:
    Findings("r.csv").raise_if_any()


def test_faults_speak_chinese() -> None:
    compile_catalogues()
    said = _l("Write a whole number from 1 to %(top)s.", top=5).said("zh")
    assert "1 到 5" in said
