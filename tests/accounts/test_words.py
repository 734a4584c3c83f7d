"""Roles, acts and subjects have names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from evalsys.accounts import words
from evalsys.base.access import Role

PACKAGE = Path(words.__file__).parents[1]


def acts_written() -> Iterator[str]:
    """Every act that a call names: `record(…, act="room.verb")`."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "act" and isinstance(node.value, ast.Constant):
                yield str(node.value.value)


@pytest.mark.parametrize("act", sorted(set(acts_written())))
def test_an_act_has_a_name(act: str) -> None:
    """The audit trail shows it: name a new act in `accounts/words.py`."""
    assert act in words.ACTS


def test_every_role_has_a_name_and_a_duty(app: Flask) -> None:
    for role in Role:
        assert str(words.ROLES[role])
        assert str(words.DUTIES[role])
    assert words.role_or_none("king") is None


def test_a_detail_is_one_readable_line() -> None:
    said = words.detail({"name": "李伟", "weights": ["70", "30"], "before": None, "reason": "", "QX-1": 3, "new": True})
    assert said == 'name: 李伟; weights: ["70", "30"]; QX-1: 3; new: yes'
    assert words.detail({"holds": False}) == "holds: no"
    assert words.detail({}) == ""
