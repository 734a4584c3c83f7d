"""Routes are closed until they name who may enter; people act inside their branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from evalsys.accounts.models import Account
from evalsys.base import access
from evalsys.base.access import Actor, Role
from evalsys.base.errors import NotAllowed
from tests.factories import make_account
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def rooms(app: Flask) -> None:
    """One view of each kind."""

    def view() -> Callable[[], ResponseReturnValue]:
        def answer() -> ResponseReturnValue:
            actor = access.actor_or_none()
            return jsonify(actor.name if actor else "nobody")

        return answer

    app.add_url_rule("/t/forgotten", "forgotten", view())
    app.add_url_rule("/t/public", "public", access.public(view()))
    app.add_url_rule("/t/people", "people", access.signed_in(view()))
    app.add_url_rule("/t/officers", "officers", access.allow(Role.OFFICER)(view()))
    app.add_url_rule("/t/vendors", "vendors", access.allow(Role.VENDOR)(view()))
    app.add_url_rule("/t/letters", "letters", access.by_letter(access.allow(Role.VENDOR)(view())))


@pytest.mark.usefixtures("rooms")
def test_a_view_that_names_nobody_is_closed_to_all(client: CheckedClient, sign_in: SignIn, write: Any) -> None:
    assert client.get("/t/forgotten").status_code == 403
    assert sign_in(write(make_account)).get("/t/forgotten").status_code == 403


@pytest.mark.usefixtures("rooms")
def test_the_anonymous_see_the_public_and_are_asked_to_sign_in_elsewhere(client: CheckedClient) -> None:
    assert client.get("/t/public").json == "nobody"
    assert client.get("/t/people").location == "/sign-in?next=/t/people"
    assert client.get("/t/officers").status_code == 303


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize("role", Role)
def test_a_role_opens_what_names_it(sign_in: SignIn, write: Any, role: Role) -> None:
    browser = sign_in(write(make_account, role, name="陈静"))
    assert browser.get("/t/people").json == "陈静"
    assert browser.get("/t/public").json == "陈静"
    answer = browser.get("/t/officers")
    assert answer.status_code == (200 if role == Role.OFFICER else 403)
    assert role == Role.OFFICER or "您的角色" in answer.text


def test_a_route_is_marked_with_at_least_one_role() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        access.allow()


def test_an_act_needs_an_actor(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(RuntimeError):
        access.current_actor()


@pytest.mark.parametrize(
    ("mine", "theirs", "inside"),
    [
        ("", "4418/", True),
        ("4418/", "4418/", True),
        ("4418/", "4418/441802/", True),
        ("4418/441802/", "4418/", False),
        ("4418/", "44180/", False),
    ],
)
def test_a_branch_is_a_prefix(app: Flask, mine: str, theirs: str, *, inside: bool) -> None:
    actor = Actor(account_id=1, name="某人", role=Role.OFFICER, region_path=mine)
    assert actor.acts_in(theirs) is inside
    if inside:
        actor.require_region(theirs)
        return
    with pytest.raises(NotAllowed) as caught:
        actor.require_region(theirs)
    assert caught.value.remedy


@pytest.mark.usefixtures("rooms")
def test_a_letter_opens_what_names_it_and_nothing_else(
    app: Flask, client: CheckedClient, sign_in: SignIn, write: Any
) -> None:
    holder = Actor(account_id=None, name="来函人", role=Role.VENDOR, vendor_id=7, cycle_id=3)
    app.extensions["actor_of_letter"] = lambda: holder
    assert client.get("/t/letters").json == "来函人"
    assert client.get("/t/public").json == "nobody"
    assert {client.get(f"/t/{closed}").status_code for closed in ("vendors", "people", "officers")} == {303}
    assert sign_in(write(make_account, Role.OFFICER)).get("/t/letters").status_code == 403  # who signed in counts
    app.extensions["actor_of_letter"] = lambda: None
    assert client.get("/t/letters").location == "/sign-in?next=/t/letters"


def test_the_menu_shows_the_holder_of_a_letter_what_would_open() -> None:
    holder = Actor(account_id=None, name="来函人", role=Role.VENDOR, vendor_id=7, cycle_id=3)

    def view() -> ResponseReturnValue:
        return ""

    assert access.may_open(access.public(view), holder)
    assert not access.may_open(access.allow(Role.VENDOR)(view), holder)
    assert access.may_open(access.by_letter(view), holder)
    assert not access.may_open(access.allow(Role.OFFICER)(view), holder)
    assert not access.may_open(view, None)
