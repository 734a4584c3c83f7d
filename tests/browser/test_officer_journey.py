"""Officers at a desk: scoring, publishing, choosing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from evalsys.appeals.models import PreliminaryNotice
from evalsys.registry.models import Cycle, Entry
from tests.browser.conftest import Site, follow
from tests.evaluation.rated import all_at, assess

pytestmark = pytest.mark.browser

YEAR = "2026"
BUTTON = "main form button.btn-primary[type=submit]"


@pytest.fixture
def rated(site: Site) -> Site:
    """The county when everybody has rated."""
    database = site.app.extensions["database"]
    with site.app.app_context(), database.transaction() as session:
        cycle = session.scalars(select(Cycle).where(Cycle.code == YEAR)).one()
        for n, entry in enumerate(session.scalars(select(Entry).where(Entry.cycle_id == cycle.id))):
            for party in ("purchaser", "third_party"):
                assess(session, entry, party, all_at(cycle, party, entry.contract.service_type, 5 - n % 3))
    return site


def test_close_score_publish_and_choose(rated: Site, open_browser: Callable[..., Page]) -> None:
    link = rated.new_link()
    reader = open_browser()
    reader.goto("/rankings")
    expect(reader.locator(f"main a[href*='QH{YEAR}-']")).to_have_count(0)

    admin = open_browser("admin")
    admin.goto(f"/registry/cycles/{YEAR}")
    follow(admin, "main a[href*='move?to=review']")
    follow(admin, BUTTON)
    expect(admin.locator(".alert-success")).to_be_visible()
    assert reader.goto(link).status == 410  # type: ignore[union-attr]  # it answers

    admin.goto(f"/evaluation/cycles/{YEAR}/run")
    admin.check("[name=early]")
    follow(admin, BUTTON)
    expect(admin.locator(".alert-success")).to_be_visible()
    officer = open_browser("officer")
    officer.goto(f"/publication/cycles/{YEAR}")
    expect(officer.locator(f"main a[href$='/cycles/{YEAR}/publish']")).to_have_count(0)
    follow(officer, f"main a[href$='/appeals/cycles/{YEAR}']")
    follow(officer, BUTTON)
    expect(officer.locator(".alert-success")).to_be_visible()
    vendor = open_browser("vendor")
    vendor.goto("/appeals/results")
    follow(vendor, "main table tbody a")
    expect(vendor.locator("main")).to_contain_text("距异议期满还有")
    let_the_notice_period_pass(rated)
    officer.goto(f"/publication/cycles/{YEAR}")
    follow(officer, f"main a[href$='/cycles/{YEAR}/publish']")
    officer.check("[name=sure]")
    follow(officer, BUTTON)
    expect(officer.locator(".alert-success")).to_be_visible()
    reader.goto("/rankings")
    expect(reader.locator(f"main a[href*='QH{YEAR}-']").first).to_be_visible()


def let_the_notice_period_pass(site: Site) -> None:
    with site.app.extensions["database"].transaction() as session:
        notice = session.scalars(select(PreliminaryNotice).order_by(PreliminaryNotice.id.desc())).first()
        assert notice is not None
        notice.issued_at -= timedelta(days=30)


def test_choosing_takes_points_a_ground_and_a_second_look(open_browser: Callable[..., Page]) -> None:
    page = open_browser("officer")
    page.goto("/selection/")
    follow(page, "main table tbody a")
    plan = page.url
    page.goto(f"{plan}/points")
    for field in page.locator("input.points").all():
        field.fill("85.5")
    follow(page, BUTTON)
    assert page.url == plan
    page.goto(f"{plan}/decision")
    page.locator("main input[type=radio]").first.check()
    page.fill("[name=ground]", "技术分、价格分相同，以往评价结果最好。")
    follow(page, BUTTON)
    expect(page.locator("main")).to_contain_text("以往评价结果最好")
    follow(page, BUTTON)
    assert page.url == plan
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator("main")).to_contain_text("以往评价结果最好")
    assert page.goto(f"{plan}/points").status == 409  # type: ignore[union-attr]  # it answers
