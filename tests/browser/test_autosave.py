"""An assessment on a visit: saved while its rater writes, kept on the phone while there is no connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, PHONE, Site, follow

pytestmark = pytest.mark.browser

STATE = ".save-state"


def open_first(page: Page) -> None:
    page.goto("/collection/worklist?state=not_begun")
    follow(page, "main table tbody a[href*='/rate']")


def choose(page: Page, question: int, level: int) -> None:
    page.locator("fieldset.question:has(.level)").nth(question).locator("label.level").nth(level).click()


def chosen(page: Page) -> list[str]:
    return [one.get_attribute("value") or "" for one in page.locator(".level input:checked").all()]


def copies(page: Page) -> int:
    return int(page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('assessment/')).length"))


def test_what_is_written_without_a_connection_is_not_lost(open_browser: Callable[..., Page]) -> None:
    page = open_browser("evaluator", viewport=PHONE)
    open_first(page)
    assert page.locator("[data-fold]").get_attribute("open") is None  # folded on a phone
    choose(page, 0, 1)
    expect(page.locator(STATE)).to_contain_text("已保存")
    assert copies(page) == 0
    page.context.set_offline(True)
    choose(page, 1, 2)
    page.fill("[name=visit-1-place]", "清江镇服务站")
    expect(page.locator(STATE)).to_contain_text("网络中断")
    page.click("button[value=check]")
    expect(page.locator(STATE)).to_contain_text("网络中断")
    assert page.url.endswith("/rate")  # stays where the answers are
    address, again = page.url, page.context.new_page()
    page.close()  # the phone's browser is closed
    page.context.set_offline(False)
    again.goto(address)
    assert chosen(again) == ["2"]
    expect(again.locator(".alert-warning")).to_contain_text("未保存的内容")
    again.get_by_role("button", name="恢复").click()
    assert chosen(again) == ["2", "3"]
    expect(again.locator(STATE)).to_contain_text("已保存")
    assert copies(again) == 0
    again.reload()
    assert chosen(again) == ["2", "3"]
    expect(again.locator("[name=visit-1-place]")).to_have_value("清江镇服务站")


def test_signing_out_leaves_nothing_on_the_device(open_browser: Callable[..., Page]) -> None:
    page = open_browser("evaluator")
    open_first(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    page.route("**/autosave", lambda route: route.abort())
    choose(page, 0, 1)
    expect(page.locator(STATE)).to_contain_text("网络中断")
    assert copies(page) == 1
    follow(page, "form[data-leaving] button")
    assert len(asked) == 1
    assert copies(page) == 0


@pytest.fixture
def two_windows(browser: Browser, site: Site) -> Iterator[tuple[Page, Page]]:
    """Of one evaluator; a refusal to save is an answer here, not a complaint."""
    context = browser.new_context(locale="zh-CN", base_url=site.url)
    first = context.new_page()
    first.goto("/sign-in")
    first.fill("[name=username]", "evaluator1")
    first.fill("[name=password]", PASSWORD)
    follow(first, "main [type=submit]")
    yield first, context.new_page()
    context.close()


def test_two_windows_are_compared_and_neither_is_lost(two_windows: tuple[Page, Page]) -> None:
    one, other = two_windows
    open_first(one)
    other.goto(one.url)
    choose(other, 0, 1)
    expect(other.locator(STATE)).to_contain_text("已保存")
    choose(one, 0, 3)
    expect(one.locator(STATE)).to_contain_text("有变动")
    with one.expect_navigation():
        one.get_by_role("button", name="对比").click()
    assert one.locator("tr.differs td").count() == 2
    assert copies(one) == 1  # until one of the two is chosen and saved
    follow(one, "main form.actions button")
    assert chosen(one) == ["4"]
    assert copies(one) == 0
