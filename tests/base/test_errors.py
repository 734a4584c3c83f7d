"""Faults carry their remedy and their status; navigation and forms show them."""

from __future__ import annotations

import pytest
from flask import Flask
from wtforms import Form, StringField

from evalsys.base import access, errors, forms
from evalsys.base.errors import Fault
from tests.pages import CheckedClient


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.Fault, 400),
        (errors.NotAllowed, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.Gone, 410),
        (errors.Invalid, 422),
        (errors.TooMany, 429),
    ],
)
def test_a_fault_becomes_a_page_with_its_remedy(
    app: Flask, client: CheckedClient, kind: type[Fault], status: int
) -> None:
    def view() -> str:
        raise kind("出了问题", remedy="请这样做", details=["第一处", "第二处"])

    app.add_url_rule("/t/fault", "fault", access.public(view))
    answer = client.get("/t/fault")
    assert answer.status_code == status
    for said in ("出了问题", "请这样做", "第一处", "第二处"):
        assert said in answer.text


def test_a_fault_reads_as_its_message() -> None:
    fault = Fault("said")
    assert (str(fault), fault.remedy, fault.details) == ("said", "", ())


def test_a_form_shows_a_use_cases_refusal() -> None:
    form = Form()
    assert forms.refuse(form, errors.Conflict("taken", remedy="choose another", details=["a"])) == 409
    assert form.errors == {"": ["taken choose another", "a"]}


def test_a_control_names_its_hint_and_its_error() -> None:
    class Asked(Form):
        plain = StringField()
        hinted = StringField(description="hint")

    form = Asked()
    assert forms.aria(form.plain) == {}
    assert forms.aria(form.hinted) == {"aria-describedby": "hinted-hint"}
    form.hinted.errors = ["wrong"]
    assert forms.aria(form.hinted) == {"aria-describedby": "hinted-hint hinted-error", "aria-invalid": "true"}


@pytest.mark.parametrize("address", ["/sign-in?next=a%00b", "/sign%00in"])
def test_a_null_character_is_turned_away(client: CheckedClient, address: str) -> None:
    assert client.get(address).status_code in {400, 404}
