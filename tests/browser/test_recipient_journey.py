"""A recipient with a small phone: with and without script, twelve kilobytes; and what can go wrong on the way."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import PHONE, Site, follow

pytestmark = pytest.mark.browser

LARGEST_PAGE = 12_000
SEND = "main form button[type=submit]"


def answer_all(page: Page) -> None:
    """The first answer to every question."""
    for question in page.locator("fieldset").all():
        question.locator("label").first.click()


def receipt_on(page: Page) -> str:
    receipt = page.locator(".receipt").inner_text()
    assert re.fullmatch(r"([0-9A-Z]{4}-){4}[0-9A-Z]{4}", receipt), receipt
    return receipt


@pytest.mark.parametrize(("english", "thanks"), [(False, "谢谢"), (True, "Thank you")])
def test_from_the_link_to_the_receipt(
    site: Site, open_browser: Callable[..., Page], english: bool, thanks: str
) -> None:
    page = open_browser(viewport=PHONE, javascript=False)
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))  # noqa: PLW0108 - a builtin cannot be marked
    page.goto(site.new_link())
    assert len(loaded) <= 3
    assert sum(len(response.body()) for response in loaded) <= LARGEST_PAGE
    if english:
        follow(page, ".language a")
    answer_all(page)
    page.click(SEND)
    expect(page.locator("h1")).to_contain_text(thanks)
    receipt_on(page)
    assert not [response.url for response in loaded if "set-cookie" in response.all_headers()]
    assert page.context.cookies() == []


def test_the_keyboard_alone_is_enough(site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(viewport=PHONE)
    page.goto(site.new_link())
    for _stop in range(60):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.type")
        if kind == "radio":
            page.keyboard.press("Space")
            page.keyboard.press("ArrowDown")
        elif page.evaluate("document.activeElement.textContent") in {"下一题", "同意并提交"}:
            page.keyboard.press("Enter")
        if kind == "submit":
            break
    expect(page.locator(".receipt")).to_be_visible()


def step_through(page: Page) -> None:
    """Answer what is asked on each screen, up to the one that sends."""
    while page.locator("fieldset:not([hidden])").count():
        page.locator("fieldset:not([hidden]) label").last.click()
        page.get_by_role("button", name="下一题").click()


def test_one_question_a_screen_and_the_way_back(site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(viewport=PHONE)
    page.goto(site.new_link())
    shown = page.locator("fieldset:not([hidden])")
    expect(shown).to_have_count(1)
    first = shown.locator("legend").text_content() or ""
    page.get_by_role("button", name="下一题").click()
    expect(page.get_by_role("status")).to_contain_text("请选一个答案")
    shown.locator("label").first.click()
    page.get_by_role("button", name="下一题").click()
    expect(page.get_by_text("第 2 页")).to_be_visible()
    page.go_back()
    expect(shown.locator("legend")).to_have_text(first)
    expect(shown.locator(":checked")).to_have_count(1)
    page.get_by_role("button", name="大字").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "26.4px"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_answers_survive_a_closed_browser_and_a_lost_connection(site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(viewport=PHONE)
    link = site.new_link()
    page.goto(link)
    token = page.locator("[name=form-token]").input_value()
    for _question in range(2):
        page.locator("fieldset:not([hidden]) label").first.click()
        page.get_by_role("button", name="下一题").click()
    page.close()
    page = page.context.new_page()
    page.goto(link)
    expect(page.locator("input:checked")).to_have_count(2)
    expect(page.get_by_text("第 3 页")).to_be_visible()
    assert page.locator("[name=form-token]").input_value() == token
    step_through(page)
    expect(page.locator("h2")).to_be_focused()
    page.get_by_label("有人帮您作答吗").select_option("家人亲友")
    page.reload()
    expect(page.get_by_label("有人帮您作答吗")).to_have_value("relative")
    page.context.set_offline(offline=True)
    page.click(SEND)
    expect(page.get_by_role("status")).to_contain_text("连上网会自动发送")
    page.context.set_offline(offline=False)
    expect(page.locator(".receipt")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('/s/')).length") == 0


def test_a_missing_answer_is_named_and_the_given_ones_stay(site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(viewport=PHONE, javascript=False)
    page.goto(site.new_link())
    answer_all(page)
    chosen = page.locator("input:checked").count()
    link = page.url
    page.goto(link)
    for question in page.locator("fieldset").all()[1:]:
        question.locator("label").first.click()
    with page.expect_navigation() as came:
        page.click(SEND)
    assert came.value.status == 422
    assert page.locator("input:checked").count() == chosen - 1
    wrong = page.locator("fieldset.wrong")
    expect(wrong).to_have_count(1)
    expect(wrong.locator(".error")).to_be_visible()
    page.click("[role=alert] li a")
    assert page.url.endswith(f"#{wrong.locator('input').first.get_attribute('id')}")
    wrong.locator("label").first.click()
    page.click(SEND)
    receipt_on(page)


def test_the_back_button_and_sending_again_count_nothing_twice(site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(viewport=PHONE, javascript=False)
    link = site.new_link()
    page.goto(link)
    answer_all(page)
    checked = page.locator("input:checked, input[type=hidden]").all()
    sent = {str(field.get_attribute("name")): str(field.get_attribute("value")) for field in checked}
    page.click(SEND)
    receipt = receipt_on(page)
    again = page.request.post(link, form=sent)
    assert again.status == 200
    assert receipt in again.text()
    other = page.request.post(link, form=sent | {"form-token": "x"})
    assert other.status == 409
    page.go_back()
    expect(page.locator("fieldset")).to_have_count(0)  # the code is used: no form that could be sent once more
    assert page.goto(link).status == 410  # type: ignore[union-attr]  # it answers


def test_of_two_windows_one_counts_and_both_are_told(site: Site, open_browser: Callable[..., Page]) -> None:
    link = site.new_link()
    first, second = (open_browser(viewport=PHONE, javascript=False) for _ in range(2))
    for window in (first, second):
        window.goto(link)
        answer_all(window)
    first.click(SEND)
    receipt_on(first)
    with second.expect_navigation() as came:
        second.click(SEND)
    assert came.value.status == 409
    expect(second.locator("h1")).to_contain_text("已经用过")
