"""Purchasers and evaluators at a desk: from the list to what is submitted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import follow

pytestmark = pytest.mark.browser

BUTTON = "main form button.btn-primary[type=submit]"


@pytest.mark.parametrize(
    ("username", "locale", "submitted"), [("evaluator", "zh-CN", "已提交"), ("purchaser", "en-GB", "Submitted")]
)
def test_a_rater_drafts_checks_and_submits(
    open_browser: Callable[..., Page], username: str, locale: str, submitted: str
) -> None:
    page = open_browser(username, locale=locale)
    page.goto("/collection/worklist?state=not_begun")
    follow(page, "main table tbody a[href*='/rate']")
    address = page.url
    page.locator("fieldset.question").first.locator("label.level").nth(1).click()
    follow(page, "main form button:not([name])")
    expect(page.locator(".alert-success")).to_be_visible()
    page.goto(address)
    assert page.locator("input:checked").count() == 1
    for question in page.locator("fieldset.question:has(label.level)").all():
        question.locator("label.level").nth(1).click()
    if username == "purchaser":
        page.locator("#buy-again input").first.check()
    follow(page, "main form button[value=check]")
    assert page.url.endswith("/check")
    page.locator("#signed").check()
    follow(page, BUTTON)
    expect(page.locator(".alert-success")).to_contain_text(submitted)
    page.goto(address)
    assert "/collection/assessments/" in page.url  # final: it can be read, not changed
