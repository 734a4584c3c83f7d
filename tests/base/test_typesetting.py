"""What the press does with a template that is wrong, and with one that cannot keep a standard."""

from __future__ import annotations

from pathlib import Path

import pytest
import typst

from evalsys import config
from evalsys.base.typesetting import typeset


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "TEMPLATES", tmp_path)
    return tmp_path


def test_a_fault_of_a_template_is_told(templates: Path) -> None:
    (templates / "a.typ").write_text("#nothing-of-that-name")
    with pytest.raises(typst.TypstError, match="unknown variable"):
        typeset("a", None)
    with pytest.raises(typst.TypstError, match="unknown variable"):
        typeset("a", None, standards=("ua-1",))


def test_a_document_that_cannot_keep_a_standard_is_made_without(templates: Path) -> None:
    (templates / "a.typ").write_text("#json(bytes(sys.inputs.given)).name")  # without the title that PDF/UA asks for
    assert typeset("a", None, standards=("ua-1",), name="甲").startswith(b"%PDF-")
