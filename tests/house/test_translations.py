"""The tool that keeps the Chinese catalogue in step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import translations

CODE = """
from flask_babel import gettext as _, lazy_gettext as _l, ngettext
greeting = _l("Hello")
def say(count):
    return _("Goodbye, %(name)s.", name="x") + ngettext("%(num)s vendor", "%(num)s vendors", count)
"""


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house of one module and one template, with no catalogue yet."""
    (tmp_path / "evalsys").mkdir()
    (tmp_path / "evalsys" / "said.py").write_text(CODE, "utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text('{{ _("Search") }} {% trans %}Empty{% endtrans %}', "utf-8")
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    monkeypatch.setattr(translations, "CATALOGUE", tmp_path / "catalogue" / "messages.po")
    return tmp_path


def act(name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["translations.py", name])
    return translations.main()


def write(text: str) -> None:
    translations.CATALOGUE.write_text(text, "utf-8")


def text() -> str:
    return translations.CATALOGUE.read_text("utf-8")


def translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete catalogue."""
    act("update", monkeypatch)
    filled = text()
    for english, chinese in {
        '"Empty"': "空",
        '"Goodbye, %(name)s."': "%(name)s，再见。",
        '"Hello"': "你好",
        '"Search"': "搜索",
    }.items():
        filled = filled.replace(f'msgid {english}\nmsgstr ""', f'msgid {english}\nmsgstr "{chinese}"')
    write(filled.replace('msgstr[0] ""', 'msgstr[0] "%(num)s 家承接主体"'))


def test_update_takes_strings_in_sorted_by_their_english(monkeypatch: pytest.MonkeyPatch) -> None:
    assert act("update", monkeypatch) == 0
    lines = [line for line in text().splitlines() if line.startswith("msgid ")]
    assert lines == [
        'msgid ""',
        'msgid "%(num)s vendor"',
        'msgid "Empty"',
        'msgid "Goodbye, %(name)s."',
        'msgid "Hello"',
        'msgid "Search"',
    ]


def test_check_names_what_has_no_translation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    act("update", monkeypatch)
    assert act("check", monkeypatch) == 1
    assert "no translation: 'Hello'" in capsys.readouterr().err


def test_check_is_content_with_a_complete_catalogue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    translated(monkeypatch)
    assert act("check", monkeypatch) == 0
    assert capsys.readouterr().err == ""


def test_update_keeps_translations_and_drops_what_is_unused(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translated(monkeypatch)
    (house / "templates" / "page.html").write_text('{{ _("Filter") }}', "utf-8")
    assert translations.faults()[0].startswith("the catalogue is not in step")
    act("update", monkeypatch)
    assert 'msgid "Hello"\nmsgstr "你好"' in text()
    assert "Search" not in text()
    assert 'msgid "Filter"\nmsgstr ""' in text()


def test_a_lost_placeholder_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    translated(monkeypatch)
    write(text().replace("%(name)s，再见。", "再见。"))
    assert translations.faults() == ["other placeholders than the English: 'Goodbye, %(name)s.' -> '再见。'"]


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_of_entries_that_a_merge_doubled_the_translated_one_stays(gap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    translated(monkeypatch)
    whole = text()
    write(whole.replace('msgid "Hello"', f'msgid "Hello"\nmsgstr ""{gap}msgid "Hello"'))
    act("update", monkeypatch)
    assert text() == whole


def test_a_house_without_templates_is_searched_too(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (house / "templates" / "page.html").unlink()
    (house / "templates").rmdir()
    act("update", monkeypatch)
    assert "Search" not in text()
