"""What may go wrong while answers come in, and that none is lost, doubled or left in pieces.

    python benchmarks/survey_loss.py kills [--times 200] [--postgresql]
    python benchmarks/survey_loss.py doubles [--codes 10000] [--postgresql]
    python benchmarks/survey_loss.py phones [--answers 500] [--postgresql]
    python benchmarks/survey_loss.py syncs
    python benchmarks/survey_loss.py disk [--postgresql]
    python benchmarks/survey_loss.py away [--postgresql]

kills: the server is ended by SIGKILL at random moments under load and started again; every acknowledged answer must be
there, none twice, none without all its ratings, and whoever sends the same form again gets a receipt.
doubles: eight clients post different forms of one code at once; one counts, and each is told the truth.
phones: posts are cut off before the answer, sent twice and out of order, until each phone has seen its receipt.
syncs: 200 posts one after the other under strace; each must reach the disk before it is acknowledged.
disk, away: the disk is full or read-only, the database gone, for half a minute; see survey_outages.py. disk needs root.

Exit code 1 where something was lost, doubled or half saved. Seeds are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import survey_outages  # noqa: E402 - after the path
from benchmarks.survey_posts import ANSWERS, SECRET, database_urls, prepare  # noqa: E402 - after the path
from benchmarks.survey_server import Form, Server, kept, post, running  # noqa: E402 - after the path

PATIENCE = 60  # tries of a phone before the script gives up
POSTS_A_KILL = 400  # at most; a machine that is quick enough for more lets the last kills come without load


def kills(url: str, times: int, seed: int) -> bool:
    """Kill the server again and again while eight clients post; then send every form without an answer again."""
    chance = random.Random(seed)
    forms = prepare(url, times * POSTS_A_KILL)
    statuses: dict[int, int] = {}
    server = Server(url)
    for _ in range(times):
        server.start()
        asyncio.run(_load_until_killed(server, forms, statuses, chance.uniform(0.05, 0.6)))
    acknowledged = sum(status == 303 for status in statuses.values())
    before = kept(url)
    server.start()
    again = asyncio.run(_all([forms[at] for at, status in statuses.items() if status != 303]))
    server.end(signal.SIGTERM)
    after = kept(url)
    print(f"{times} kills; {len(statuses)} posts begun, {acknowledged} acknowledged, {before.responses} stored")
    print(f"sent again without an answer: {Counter(again)}")
    print(f"started again in {statistics.median(server.ready):.2f} s (most {max(server.ready):.2f}): {_start_up()}")
    print(f"in the end: {after}")
    whole = before.of(before.responses) and before.responses >= acknowledged
    return whole and after.of(len(statuses)) and set(again) <= {303}


def _start_up() -> str:
    """What Python itself and the imports take of a start."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import evalsys.web"], cwd=ROOT, check=True)
    return f"of these, starting Python and importing the application {time.perf_counter() - began:.2f} s"


async def _load_until_killed(server: Server, forms: list[Form], statuses: dict[int, int], after: float) -> None:
    stopped = asyncio.Event()

    async def client() -> None:
        while not stopped.is_set() and len(statuses) < len(forms):
            at = len(statuses)
            statuses[at] = 0
            statuses[at] = await post(forms[at])

    async def killer() -> None:
        await asyncio.sleep(after)
        stopped.set()
        server.end(signal.SIGKILL)

    await asyncio.gather(killer(), *(client() for _ in range(8)))


async def _all(forms: list[Form]) -> list[int]:
    waiting, found = iter(forms), []

    async def client() -> None:
        for form in waiting:
            found.append(await post(form))  # noqa: PERF401 - clients share it

    await asyncio.gather(*(client() for _ in range(16)))
    return found


def doubles(url: str, codes: int, seed: int) -> bool:
    """Eight forms of each code at once."""
    from urllib.parse import urlencode

    from evalsys.base.tokens import Seal, derive_key
    from evalsys.collection.survey import TOKEN

    seal = Seal(derive_key(SECRET, "survey form"))
    paths = [path for path, _body in prepare(url, codes)]
    chance = random.Random(seed)

    async def race(path: str) -> tuple[int, ...]:
        forms = [(path, urlencode(ANSWERS | {TOKEN: seal.fresh(path[3:])})) for _ in range(8)]
        chance.shuffle(forms)
        return tuple(sorted(await asyncio.gather(*(post(form) for form in forms))))

    async def races() -> Counter[tuple[int, ...]]:
        waiting, found = iter(paths), Counter[tuple[int, ...]]()

        async def runner() -> None:
            for path in waiting:
                found[await race(path)] += 1

        await asyncio.gather(*(runner() for _ in range(4)))
        return found

    with running(url):
        began = time.perf_counter()
        found = asyncio.run(races())
        print(f"{codes} codes from 8 clients at once in {time.perf_counter() - began:.0f} s; what they were told:")
    for told, count in found.items():
        print(f"  {count} times {Counter(told)}")
    after = kept(url)
    print(f"in the end: {after}")
    return after.of(codes) and set(found) == {(303, *[409] * 7)}


def phones(url: str, answers: int, seed: int) -> bool:
    """Phones whose requests vanish, whose answers vanish, and that send twice, until they see their receipt."""
    chance = random.Random(seed)
    forms = prepare(url, answers)
    sent = Counter[str]()

    async def phone(form: Form) -> bool:
        for _ in range(PATIENCE):
            fate = chance.choice(["lost", "cut", "doubled", "whole"])
            sent[fate] += 1
            await asyncio.sleep(chance.uniform(0, 0.3))
            if fate == "lost":
                continue
            if fate == "cut":  # it arrives, but its answer does not
                await post(form, cut=True)
            elif fate == "doubled":
                if 303 in await asyncio.gather(post(form), post(form)):
                    return True
            elif await post(form) == 303:
                return True
        return False

    async def everybody() -> list[bool]:
        return await asyncio.gather(*(phone(form) for form in forms))

    with running(url):
        done = asyncio.run(everybody())
    after = kept(url)
    print(f"{answers} phones, {sum(done)} with a receipt; posts: {dict(sent)}")
    print(f"in the end: {after}")
    return all(done) and after.of(answers)


def syncs(url: str) -> bool:
    """SQLite: what the server did; PostgreSQL flushes in its own processes, so its own count is read instead."""
    posts = 200
    forms = prepare(url, posts)
    if not shutil.which("strace"):
        raise SystemExit("strace is missing: install it (Debian: apt-get install strace)")
    with running(url) as server:
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-p", str(server.worker())],
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(2)  # until it is attached
        for form in forms:
            if asyncio.run(post(form)) != 303:
                raise SystemExit("a post was not taken")
        tracer.send_signal(signal.SIGINT)
        told = tracer.communicate(timeout=60)[1]
    rows = [line.split() for line in told.splitlines() if line.endswith("sync")]
    counts = {row[-1]: int(row[3]) for row in rows}
    print(f"{posts} posts one after the other: {counts}")
    return sum(counts.values()) >= posts and kept(url).of(posts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["kills", "doubles", "phones", "syncs", "disk", "away"])
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--times", type=int, default=200, help="kills")
    parser.add_argument("--codes", type=int, default=10_000, help="that eight clients race for")
    parser.add_argument("--answers", type=int, default=500, help="of phones")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.what == "syncs" and given.postgresql:
        raise SystemExit("PostgreSQL flushes in processes of its own: look at synchronous_commit, which stays on")
    print(f"{given.what}, {'PostgreSQL' if given.postgresql else 'SQLite'}, seed {given.seed}", flush=True)
    if given.what in {"disk", "away"}:
        good = getattr(survey_outages, given.what)(postgresql=given.postgresql)
    else:
        with database_urls(postgresql=given.postgresql) as urls:
            good = {
                "kills": lambda url: kills(url, given.times, given.seed),
                "doubles": lambda url: doubles(url, given.codes, given.seed),
                "phones": lambda url: phones(url, given.answers, given.seed),
                "syncs": syncs,
            }[given.what](next(urls))
    print("holds" if good else "DOES NOT HOLD")
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
