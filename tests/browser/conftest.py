"""A real browser on a real server: the simulated county on SQLite, headless Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from werkzeug.serving import make_server

from evalsys.accounts.passwords import hashed
from evalsys.base.command import application
from evalsys.config import Settings
from evalsys.demo.loading import load, ready_link
from evalsys.web import create_app

PASSWORD = "demo-2026-evalsys"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}


def chromium_path() -> str | None:
    """Debian's Chromium or Chrome, or the one named by EVALSYS_CHROMIUM."""
    named = os.environ.get("EVALSYS_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def follow(page: Page, selector: str) -> None:
    """Click what leads to another page, and wait for it: a click alone returns before the new page is there."""
    with page.expect_navigation():
        page.click(selector)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("NO BROWSER TESTED: there is no Chromium here; install the package chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@dataclass(frozen=True)
class Site:
    """The county being served."""

    url: str
    app: Flask
    settings: Settings

    def new_link(self) -> str:
        """A recipient's unused link."""
        with application(self.settings) as database, database.transaction() as session:
            link = ready_link(session, self.settings)
        assert link is not None, "the county does not collect any more"
        return link


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """A county of this module's own, so that what one module does is not seen by another."""
    instance = tmp_path_factory.mktemp("site")
    shutil.copyfile(sqlite_template, instance / "evalsys.sqlite")
    settings = Settings(
        instance=instance,
        database_url=f"sqlite:///{instance / 'evalsys.sqlite'}",
        secret_key="a secret for the browser tests, long enough to be one",
        base_url="http://127.0.0.1",
        port=8000,
    )
    with application(settings) as database:
        load(database, password=hashed(PASSWORD), say=lambda _line: None)
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(url, app, replace(settings, base_url=url))
    server.shutdown()
    thread.join()
    app.extensions["database"].dispose()


@pytest.fixture
def open_browser(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a window, Chinese unless told otherwise; with a user name, already signed in.

    At the end the test fails if any window had something to complain of.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        username: str = "", *, viewport: dict[str, int] | None = None, javascript: bool = True, locale: str = "zh-CN"
    ) -> Page:
        context = browser.new_context(
            viewport=viewport or DESK,  # type: ignore[arg-type]  # a TypedDict of the library's own
            java_script_enabled=javascript,
            locale=locale,
            base_url=site.url,
        )
        contexts.append(context)
        _listen(context, site, complaints)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if username:
            page.goto("/sign-in")
            page.fill("[name=username]", username)
            page.fill("[name=password]", PASSWORD)
            follow(page, "main [type=submit]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, complaints


def _listen(context: BrowserContext, site: Site, complaints: list[str]) -> None:
    """Note what a window says on its console (a breach of the content security policy, too), what it loads from another
    host, and what it cannot load."""

    def said(message: ConsoleMessage) -> None:
        told_better_below = message.text.startswith("Failed to load resource")
        if message.type in {"error", "warning"} and not told_better_below:
            complaints.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{site.url}/", "data:", "about:")):
            complaints.append(f"loads from another host: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            complaints.append(f"cannot load: {response.status} {response.url}")

    context.on("console", said)
    context.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
    context.on("request", asked)
    context.on("response", answered)
