"""How long the survey's page takes to load on a slow phone.

    python benchmarks/survey_page.py [--times 5]

Headless Chromium with 400 kbit/s, 400 ms latency and a processor slowed down four times opens the page with an empty
cache: with and without scripts, in Chinese and English, with all questions that the shipped rules ask, for a contract,
a vendor and a county with long names, marked as simulated. Bytes are counted before compression. The server stands on
the same machine and takes part of the same processor. Exit code 1 where a bar is missed; it holds without scripts.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Response, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.survey_posts import SECRET, database_urls, served  # noqa: E402 - after the path

PORT = 8768
SPEED = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
SLOWER = 4
LARGEST_HTML, LARGEST, MOST_REQUESTS, LONGEST = 6_000, 12_000, 3, 1.0
TIMES = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const [first] = performance.getEntriesByName("first-contentful-paint");
    return first ? [page.loadEventEnd / 1000, first.startTime / 1000] : null;
}"""


@dataclass(frozen=True)
class Loaded:
    """One visit: seconds until everything is loaded and until something is seen, bytes of HTML and in all, requests."""

    load: float
    seen: float
    html: int
    total: int
    requests: int


@contextmanager
def survey(*, threads: int = 8) -> Iterator[str]:
    """The address of a survey with every question of the shipped rules, being served."""
    from evalsys import config
    from evalsys.base import migrations
    from evalsys.base.db import Database
    from evalsys.collection.codes import code_hash, code_key, new_code
    from evalsys.collection.models import Invitation
    from evalsys.collection.survey import questions_of
    from evalsys.rules.loading import loads
    from tests.factories import make_contract, make_county, make_cycle, make_entry, make_vendor

    rules = loads(config.SHIPPED_RULES.read_bytes(), config.SHIPPED_RULES.name)
    longest = max((service.code for service in rules.service_types), key=lambda code: len(questions_of(rules, code)))
    code = new_code()
    with database_urls(postgresql=False) as urls:
        url = next(urls)
        database = Database(url)
        migrations.upgrade(database)
        with database.transaction() as session:
            cycle = make_cycle(session, region=make_county(session, name="连山壮族瑶族自治县"), simulated=True)
            vendor = make_vendor(session, name="清远市仁爱社会工作综合服务中心")
            contract = make_contract(
                session,
                service_type=longest,
                vendor=vendor,
                title="2026年度困难群众居家照料护理服务项目（二期）",
            )
            entry = make_entry(session, cycle=cycle, contract=contract)
            session.add(Invitation(code_hmac=code_hash(code, code_key(SECRET)), entry_id=entry.id))
        database.dispose()
        with served("evalsys.web:create_app", url, PORT, threads):
            yield f"http://127.0.0.1:{PORT}/s/{code}"


def visit(browser: Browser, address: str, *, scripts: bool) -> Loaded:
    """Open the page once, with nothing in the cache."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 360, "height": 640})
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a builtin cannot be marked
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SPEED)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="load")
    while not (times := page.evaluate(TIMES)):
        page.wait_for_timeout(50)  # what is loaded is not yet drawn
    load, seen = times
    fetched = [answer for answer in answers if answer.url.startswith("http")]
    sizes = [len(answer.body()) for answer in fetched]
    context.close()
    return Loaded(load, seen, sizes[0], sum(sizes), len(sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="visits of each kind; the median is told")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no Chromium here: install the package chromium")
    good = True
    with survey() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        visit(browser, address, scripts=True)  # the server's first page is slow: it reads the rules
        for scripts in (False, True):
            for language in ("zh", "en"):
                where = address if language == "zh" else f"{address}?lang=en"
                visits = [visit(browser, where, scripts=scripts) for _ in range(given.times)]
                load = statistics.median(one.load for one in visits)
                seen = statistics.median(one.seen for one in visits)
                one = visits[0]
                print(
                    f"{language}, {'with' if scripts else 'without'} scripts: loaded after {load:.2f} s, seen after "
                    f"{seen:.2f} s; HTML {one.html} bytes, in all {one.total} in {one.requests} requests",
                    flush=True,
                )
                small = one.html <= LARGEST_HTML and one.total <= LARGEST and one.requests <= MOST_REQUESTS
                good = good and (scripts or (small and load < LONGEST))
        browser.close()
    print("holds" if good else "DOES NOT HOLD")
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
