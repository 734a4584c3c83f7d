"""What stands on a form on paper, and how many sheets it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typst
from flask_babel import force_locale

from evalsys import config
from evalsys.base.command import speaking
from evalsys.base.errors import Conflict
from evalsys.collection import paper_print
from evalsys.collection.codes import new_code, read_code
from evalsys.collection.paper_forms import Printed
from evalsys.collection.paper_print import Heading, forms_pdf, require_few
from evalsys.collection.survey import questions_of
from evalsys.config import Settings
from evalsys.rules.loading import load
from tests.collection.paper import KEYS
from tests.collection.test_slips import pages

RULES = load(config.SHIPPED_RULES)


@pytest.fixture(scope="module", autouse=True)
def in_english(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The context of a command whose user reads English; forms are Chinese all the same."""
    instance = str(tmp_path_factory.mktemp("instance"))
    with speaking(Settings.from_environment({"EVALSYS_INSTANCE": instance})), force_locale("en"):
        yield


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the last document was printed from."""
    kept: dict[str, Any] = {}
    compile_ = typst.compile

    def compiled(source: bytes, **options: Any) -> object:
        kept.update(json.loads(options["sys_inputs"]["given"]))
        return compile_(source, **options)

    monkeypatch.setattr(typst, "compile", compiled)
    return kept


def heading(service_type: str = "care", **changes: Any) -> Heading:
    known: dict[str, Any] = {
        "reference": "HT-1",
        "title": "居家照料项目",
        "vendor": "测试社工中心",
        "township": "三江镇",
        "region": "测试县",
        "rules": RULES.version,
        "questions": questions_of(RULES, service_type),
        "closes_on": date(2026, 11, 30),
    }
    return Heading(**(known | changes))


def forms(count: int) -> list[Printed]:
    return [Printed(s, KEYS.receipt_of(KEYS.hashed(s))) for s in (new_code() for _ in range(count))]


def printed(of: Heading, some: list[Printed]) -> bytes:
    return forms_pdf(of, some, phone="0763-8731234", fonts=None)


@pytest.mark.parametrize("service_type", ["care", "training"])
def test_a_form_of_the_shipped_rules_is_one_sheet(service_type: str) -> None:
    assert pages(printed(heading(service_type), forms(3))) == 6


def test_each_form_begins_on_a_sheet_of_its_own() -> None:
    short = heading(questions=questions_of(RULES, "care")[:1])
    assert pages(printed(short, forms(2))) == 3  # the back of the first stays empty


def test_a_form_says_what_is_ticked_and_promises_in_chinese(given: dict[str, Any]) -> None:
    (form,) = forms(1)
    printed(heading(), [form])
    assert given["words"]["title"] == "服务好不好，请您说"
    assert given["words"]["until"] == "请于2026年11月30日前交回 · 咨询：0763-8731234"
    assert any("不要写姓名" in line for line in given["words"]["promises"])
    assert given["heading"]["foot"] == f"HT-1 · 三江镇 · {RULES.version}"
    first, reachable = given["questions"][0], given["questions"][5]
    assert first["text"] == "1. 总的来说，您对这项服务满意吗？"
    assert [(one["key"], one["words"]) for one in first["levels"]][::4] == [("1", "很不满意"), ("5", "很满意")]
    assert all("viewBox" in one["face"] for one in first["levels"])
    assert [one["key"] for one in reachable["others"]] == ["0"]
    proxy = given["questions"][-1]
    assert {one["face"] for one in proxy["levels"]} == {""}
    assert read_code(given["forms"][0]["serial"]) == form.serial
    assert given["forms"][0]["receipt"].replace("-", "") == form.receipt


def test_without_help_or_telephone_nothing_is_said_of_them(given: dict[str, Any]) -> None:
    bare = [q.__class__(q.code, q.text, None, q.required, q.options, q.faces) for q in questions_of(RULES, "care")]
    forms_pdf(heading(questions=tuple(bare)), forms(1), phone="", fonts=None)
    assert given["words"]["until"] == "请于2026年11月30日前交回"
    assert {one["help"] for one in given["questions"]} == {""}


def test_the_code_holds_the_serial_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>"
    monkeypatch.setattr(paper_print, "qr_code", lambda text: made.append(text) or drawing)
    (form,) = forms(1)
    printed(heading(), [form])
    assert made == [form.serial]


def test_a_download_has_its_limit_and_needs_fonts(tmp_path: Path) -> None:
    require_few(paper_print.IN_A_DOWNLOAD)
    with pytest.raises(Conflict) as caught:
        require_few(paper_print.IN_A_DOWNLOAD + 1)
    assert "evalsys paper print" in caught.value.remedy
    with pytest.raises(Conflict):
        forms_pdf(heading(), forms(1), phone="", fonts=tmp_path)
