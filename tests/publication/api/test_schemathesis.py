"""Strangers' questions, made from the API's own description: no answer breaks what the description promises."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

from evalsys.base.limits import Allowance
from evalsys.publication.api.endpoints import ALLOWANCE, OPERATIONS, WINDOW
from tests.publication.api.asking import bearer
from tests.publication.test_views import Published

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

EXAMPLES = 12


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_address_keeps_its_word(
    app: Flask, write: Callable[..., Any], published: Published, mode: GenerationMode
) -> None:
    app.extensions[ALLOWANCE] = Allowance(most=1_000_000, window=WINDOW)
    headers = bearer(write)
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    there = {"number": published.new, "credit_code": published.vendor, "reference": "QX-1", "code": "2025"}
    operations = [result.ok() for result in described.get_all_operations()]
    assert {one.definition.raw["operationId"] for one in operations} == {one.name for one in OPERATIONS}
    for operation in operations:
        parameters = list(operation.iter_parameters())
        if mode is GenerationMode.NEGATIVE and not parameters:
            continue  # nothing can be wrong in it
        captured = {one.name: there[one.name] for one in parameters if one.location == ParameterLocation.PATH}
        found = captured if mode is GenerationMode.POSITIVE and captured else None  # made-up ones are not found

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=found))
        def ask(case: schemathesis.Case) -> None:
            # an empty context, as in tests.pages: else the test's own would outlive the request
            contextvars.Context().run(case.call_and_validate, headers=headers)

        ask()
