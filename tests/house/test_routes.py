"""Every route names who may use it and takes changes by POST only; nobody but the application knows the views."""

from __future__ import annotations

from pathlib import Path

import grimp
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


def test_only_the_application_and_the_same_rooms_views_import_a_view() -> None:
    """`views` or `…_views`; what two rooms need of a view belongs in a module of its own."""
    graph = grimp.build_graph("evalsys", cache_dir=None)
    views = {module for module in graph.modules if module.endswith("views")}
    assert "evalsys.accounts.views" in views
    strangers = {
        f"{importer} imports {view}"
        for view in views
        for importer in graph.find_modules_that_directly_import(view)
        if importer != "evalsys.web" and (importer not in views or importer.split(".")[1] != view.split(".")[1])
    }
    assert strangers == set()


def test_every_view_function_stands_in_a_views_module() -> None:
    modules = {APP.view_functions[rule.endpoint].__module__ for rule in RULES}
    assert [name for name in modules if not name.endswith("views") and name != "evalsys.web"] == []
