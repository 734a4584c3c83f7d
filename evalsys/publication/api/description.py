"""The description of the API (OpenAPI 3.1), made from the models that read the questions and shape the answers."""

from __future__ import annotations

import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from evalsys import __version__
from evalsys.base.db import LARGEST_ID
from evalsys.base.problems import MIMETYPE, Problem
from evalsys.publication.api.endpoints import LARGEST_PAGE, MOST_REQUESTS, OPERATIONS, Operation, PageAnswer

REFERENCE = "#/components/schemas/{model}"
CAPTURED = re.compile(r"<(?:(\w+):)?(\w+)>")

TOLD = f"""Results of evaluating purchased public services, as they were published.

Numbers are not rounded: they have the digits that read back the same. Moments are in UTC, money is in fen, codes are
those of an edition's rules. Lists have at most {LARGEST_PAGE} rows a page and lead to the others by a Link header
(RFC 8288). Answers of the public part carry an ETag. What goes wrong is told as RFC 9457 says, in Chinese or, by
Accept-Language, in English. An address may ask {MOST_REQUESTS} times a minute; the bundle of an edition holds all of it
in one file. New fields may be added to answers at any time."""

PATH: dict[str, dict[str, Any]] = {
    "number": {"description": "Id of an edition.", "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}},
    "credit_code": {
        "description": "统一社会信用代码.",
        "schema": {"type": "string", "pattern": "^[0-9A-HJ-NPQRTUWXY]{18}$"},
    },
    "reference": {
        "description": "Reference of a contract.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 40, "pattern": r"^[^\u0000]+$"},
    },
    "code": {"description": "A receipt, or the code of a cycle.", "schema": {"type": "string", "pattern": r"^[\w-]+$"}},
}

FAULTS = (400, 404, 410, 422, 429, 503)
OF_STAFF = (401, 403)


@cache
def description(root: str) -> bytes:
    """The document. `root`: where the API stands, for a site below a path of its own too."""
    models: list[type[BaseModel]] = [*dict.fromkeys(one.answer for one in OPERATIONS), Problem]
    _map, schemas = models_json_schema([(model, "serialization") for model in models], ref_template=REFERENCE)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "evalsys",
            "version": __version__,
            "description": TOLD,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": root}],
        "paths": {CAPTURED.sub(r"{\2}", one.rule): {"get": _operation(one)} for one in OPERATIONS},
        "components": {
            "schemas": schemas["$defs"],
            "responses": {
                "Fault": {
                    "description": "What went wrong",
                    "content": {MIMETYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}},
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "An access token."}},
        },
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _operation(one: Operation) -> dict[str, Any]:
    faults = FAULTS if one.scope is None else (*FAULTS, *OF_STAFF)
    told: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": ["public" if one.scope is None else "staff"],
        "parameters": [*_captured(one.rule), *_asked(one)],
        "responses": {
            "200": _answer(one),
            **{str(status): {"$ref": "#/components/responses/Fault"} for status in sorted(faults)},
        },
        "security": [] if one.scope is None else [{"token": [one.scope.value]}],
    }
    if one.description:
        told["description"] = one.description
    if one.scope is None:
        told["responses"]["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
    return told


def _captured(rule: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, **PATH[name]} for _kind, name in CAPTURED.findall(rule)]


def _asked(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            "schema": _never_null(schema),
        }
        for name, schema in one.question.model_json_schema().get("properties", {}).items()
    ]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not there is not null: an address cannot say null."""
    told = {name: value for name, value in schema.items() if name not in {"title", "anyOf"} and value is not None}
    return told | next((choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}), {})


def _answer(one: Operation) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model=one.answer.__name__)}
    answer: dict[str, Any] = {
        "description": (one.answer.__doc__ or "").strip(),
        "content": {"application/json": {"schema": schema}},
    }
    headers = {}
    if one.scope is None:
        headers["ETag"] = {"schema": {"type": "string"}, "description": "Send it back as If-None-Match."}
    if issubclass(one.answer, PageAnswer):
        headers["Link"] = {"schema": {"type": "string"}, "description": "first, prev, next and last page."}
    return answer | ({"headers": headers} if headers else {})
