from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, g
from flask_babel import force_locale

from evalsys import config
from evalsys.registry import catalogue
from tests.factories import make_rules


def test_the_shipped_types_have_names_in_both_languages(app: Flask) -> None:
    with force_locale("zh"):
        assert catalogue.service_type_name("care") == "照料护理"
        assert catalogue.procurement_method_name("competitive_consultation") == "竞争性磋商"
        assert catalogue.service_kind_name("personal") == "服务性"
    with force_locale("en"):
        assert catalogue.service_type_name("care") == "Daily care and nursing"
        assert len(catalogue.procurement_methods()) == 6


def test_an_unknown_type_stays_readable(app: Flask) -> None:
    assert catalogue.service_type_name("gone") == "gone"


def test_stored_rules_add_their_own_types(app: Flask, write: Callable[..., Any]) -> None:
    text = config.SHIPPED_RULES.read_text("utf-8")
    addition = '\n[[service_types]]\ncode = "meals"\nname = { zh = "助餐", en = "Meals" }\nkind = "personal"\n'
    write(make_rules, (text + addition).encode())
    g.pop("service_types", None)
    assert catalogue.service_type_name("meals") == "助餐"
    assert next(iter(catalogue.service_types())) == "screening"
