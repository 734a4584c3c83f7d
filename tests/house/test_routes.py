"""Every route names who may use it, and takes what it changes by POST only."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.routing import Rule

from evalsys.base.access import allowed_roles
from evalsys.config import Settings
from evalsys.web import create_app

APP = create_app(
    Settings(
        instance=Path("instance"),
        database_url="postgresql+psycopg://nobody@127.0.0.1:9/none",  # routes are looked at, never called
        secret_key="for looking at routes only",
        base_url="http://localhost",
        port=8000,
    )
)
RULES = [rule for rule in APP.url_map.iter_rules() if not rule.endpoint.endswith("static")]


def test_there_are_routes_to_look_at() -> None:
    assert "healthz" in {rule.endpoint for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_route_names_its_roles(rule: Rule) -> None:
    """A view without `access.allow`, `signed_in` or `public` is closed to everybody."""
    assert allowed_roles(APP.view_functions[rule.endpoint]) is not None


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_route_reads_or_posts(rule: Rule) -> None:
    """A form can send nothing else, and the forgery protection looks at nothing else."""
    assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST"}
