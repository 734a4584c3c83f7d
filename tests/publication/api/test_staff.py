"""The staff part of the API: what a token opens, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evalsys.accounts.models import AccessToken, Account, Scope
from evalsys.base.access import Role
from evalsys.base.clock import now
from evalsys.registry.models import Contract, Cycle, Region
from tests.factories import make_account, make_contract, make_county, make_cycle
from tests.pages import CheckedClient
from tests.publication.api.asking import bearer, overseer, token_of
from tests.publication.test_views import Published

Write = Callable[..., Any]
STAFF = "/api/v1/staff"
ADDRESSES = {
    Scope.CYCLES: f"{STAFF}/cycles",
    Scope.PROGRESS: f"{STAFF}/cycles/2025/progress",
    Scope.SCORES: f"{STAFF}/cycles/2025/scores",
    Scope.CONTRACTS: f"{STAFF}/contracts",
}


def told(client: CheckedClient, address: str, headers: dict[str, str], status: int = 200) -> Any:
    answer = client.get(address, headers=headers | {"Accept-Language": "en"})
    assert answer.status_code == status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    return json.loads(answer.data)


def test_cycles_of_the_branch(client: CheckedClient, write: Write, published: Published) -> None:
    write(make_cycle, code="elsewhere")
    headers = bearer(write)
    [cycle] = told(client, f"{STAFF}/cycles", headers)["items"]
    assert (cycle["code"], cycle["state"], cycle["region"]["name"]) == ("2025", "published", "乙县")
    assert (cycle["opens_on"], cycle["closes_on"]) == ("2026-10-01", "2026-11-30")
    assert told(client, f"{STAFF}/cycles?q=nothing", headers)["items"] == []


def test_progress_by_contract_and_party(client: CheckedClient, write: Write, published: Published) -> None:
    lines = told(client, f"{STAFF}/cycles/2025/progress", bearer(write))["items"]
    assert [line["contract"] for line in lines] == ["QX-1", "QX-2", "QX-3", "QX-4"]
    first = lines[0]
    assert first["recipients"] == {
        "frame": 0,
        "invited": 0,
        "answered": 0,
        "response_rate": None,
        "counted": 24,
        "held": 0,
    }
    assert first["purchaser"] == {"due": 1, "submitted": 1, "overdue": 0, "counted": 1, "held": 0}
    assert first["third_party"]["counted"] == 1
    assert first["open_flags"] > 0
    assert [
        line["contract"] for line in told(client, ADDRESSES[Scope.PROGRESS] + "?q=排查", bearer(write))["items"]
    ] == ["QX-3"]


def test_scores_of_the_newest_run(client: CheckedClient, write: Write, published: Published) -> None:
    headers = bearer(write)
    page = told(client, f"{STAFF}/cycles/2025/scores", headers)
    first = next(item for item in page["items"] if item["contract"] == "QX-1")
    assert first["moved"] < 0
    assert page["run"]["rules_hash"]
    withheld = told(client, f"{STAFF}/cycles/2025/scores?status=withheld", headers)
    assert [item["contract"] for item in withheld["items"]] == [published.gap]
    told(client, f"{STAFF}/cycles/2025/scores?status=lost", headers, 422)


def test_a_cycle_that_is_not_scored(client: CheckedClient, write: Write, published: Published) -> None:
    def beside(session: Session) -> None:
        made = session.scalars(select(Cycle).where(Cycle.code == "2025")).one()
        make_cycle(session, code="2026", region=made.region)

    write(beside)
    found = told(client, f"{STAFF}/cycles/2026/scores", bearer(write), 404)
    assert found["detail"] == "The cycle 2026 has not been scored."


def test_contracts_as_they_are_registered(client: CheckedClient, write: Write, published: Published) -> None:
    write(make_contract, reference="ELSEWHERE-1")
    items = told(client, f"{STAFF}/contracts", bearer(write))["items"]
    assert [item["contract"] for item in items] == ["QX-1", "QX-2", "QX-3", "QX-4"]
    assert (items[0]["amount_fen"], items[0]["procurement_method"]) == (10_000_000, "open_tender")


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_opens_what_its_scopes_say(
    client: CheckedClient, write: Write, published: Published, scope: Scope
) -> None:
    headers = bearer(write, scopes=[scope])
    for other, address in ADDRESSES.items():
        answer = client.get(address, headers=headers)
        assert answer.status_code == (200 if other is scope else 403), address
        if other is not scope:
            assert f'error="insufficient_scope", scope="{other.value}"' in answer.headers["WWW-Authenticate"]


def test_without_a_good_token_nothing_opens(
    client: CheckedClient, write: Write, sign_in: Callable[[Account], CheckedClient], published: Published
) -> None:
    good = bearer(write)["Authorization"]
    assert told(client, f"{STAFF}/cycles", {}, 401)["title"] == "A valid access token is needed"
    assert client.get(f"{STAFF}/cycles").headers["WWW-Authenticate"] == 'Bearer realm="evalsys"'
    for wrong in ("Bearer", "Bearer evalsys_none", good + "x", good.replace("Bearer", "Basic"), "Basic Zm9vOmJhcg=="):
        answer = client.get(f"{STAFF}/cycles", headers={"Authorization": wrong})
        assert answer.status_code == 401, wrong
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert client.get(f"{STAFF}/cycles", headers={"Authorization": good.replace("Bearer", "bearer")}).status_code == 200
    browser = sign_in(write(make_account, Role.AUDITOR))
    assert browser.get(f"{STAFF}/cycles").status_code == 401, "a cookie opens no address of programs"
    assert client.get("/desk", headers={"Authorization": good}).status_code == 303, "and a token no page"


def ended(session: Session, **values: Any) -> None:
    session.execute(update(AccessToken).values(**values))


def test_a_token_ends(client: CheckedClient, write: Write, published: Published) -> None:
    headers = bearer(write)
    told(client, f"{STAFF}/cycles", headers)
    write(ended, created_at=now() - timedelta(days=90), expires_at=now())
    told(client, f"{STAFF}/cycles", headers, 401)
    headers = bearer(write)
    write(lambda session: session.execute(update(Account).values(active=False)))
    told(client, f"{STAFF}/cycles", headers, 401)


def test_a_token_reads_its_own_branch(client: CheckedClient, write: Write, published: Published) -> None:
    def foreign(session: Session) -> str:
        county = make_county(session)
        return token_of(session, make_account(session, Role.OFFICER, region=county))

    headers = {"Authorization": f"Bearer {write(foreign)}"}
    assert told(client, f"{STAFF}/cycles", headers)["items"] == []
    assert told(client, f"{STAFF}/contracts", headers)["items"] == []
    told(client, ADDRESSES[Scope.PROGRESS], headers, 403)
    told(client, ADDRESSES[Scope.SCORES], headers, 403)


def test_a_token_for_a_part_of_the_branch_reads_that_part(
    client: CheckedClient, write: Write, published: Published
) -> None:
    def for_a_town(session: Session) -> str:
        town = session.scalars(select(Region).where(Region.path == published.town)).one()
        county = session.get_one(Region, town.parent_id)
        return token_of(session, make_account(session, Role.OFFICER, region=county), region=town)

    headers = {"Authorization": f"Bearer {write(for_a_town)}"}
    inside = ["QX-1", "QX-2"]
    assert [one["contract"] for one in told(client, f"{STAFF}/contracts", headers)["items"]] == inside
    assert [one["contract"] for one in told(client, ADDRESSES[Scope.PROGRESS], headers)["items"]] == inside
    told(client, ADDRESSES[Scope.SCORES], headers, 403)  # scores are the whole cycle's


def test_who_is_moved_away_takes_no_token_along(client: CheckedClient, write: Write, published: Published) -> None:
    headers = write(overseer)

    def move(session: Session) -> None:
        session.execute(update(Account).values(region_id=make_county(session).id))

    write(move)
    told(client, f"{STAFF}/cycles", headers, 401)


def test_the_last_day_of_use_is_noted_once_a_day(
    client: CheckedClient, write: Write, published: Published, database: Any
) -> None:
    headers = bearer(write)
    for _ in range(2):
        told(client, f"{STAFF}/cycles", headers)
    with database.reading() as session:
        [token] = session.scalars(select(AccessToken))
        assert abs((token.last_used_on - now().date()).days) <= 1


def test_no_answer_names_anybody(client: CheckedClient, write: Write, published: Published, database: Any) -> None:
    headers = bearer(write)
    answers = "".join(client.get(address, headers=headers).text for address in ADDRESSES.values())
    with database.reading() as session:
        people = session.scalars(select(Account.name)).all()
        assert session.scalars(select(Contract.id)).first()
    assert len(people) > 3
    assert [name for name in people if name in answers] == []
