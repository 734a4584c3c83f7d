"""The files of a bundle and their columns; docs/open-data.md says the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Types of Table Schema, as far as a bundle has them."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Field:
    """A column. `required`: no cell of it is empty."""

    name: str
    kind: Kind
    description: str
    required: bool = True


def _text(name: str, description: str, *, required: bool = True) -> Field:
    return Field(name, Kind.STRING, description, required)


def _count(name: str, description: str, *, required: bool = True) -> Field:
    return Field(name, Kind.INTEGER, description, required)


def _number(name: str, description: str, *, required: bool = True) -> Field:
    return Field(name, Kind.NUMBER, description, required)


CONTRACT = _text("contract", "reference of the contract")
PARTY = _text("party", "code of the party")
DIMENSION = _text("dimension", "code of the dimension")

TABLES: dict[str, tuple[Field, ...]] = {
    "contracts.csv": (
        CONTRACT,
        _text("title", "what it is about"),
        _text("vendor", "unified social credit code of the vendor"),
        _text("vendor_name", "name of the vendor"),
        _text("purchaser", "name of the purchaser"),
        _text("region", "name of the region"),
        _text("service_type", "code of the service type"),
        _number("amount", "yuan", required=False),
        _count("recipients_served", "recipients served", required=False),
        Field("starts_on", Kind.DATE, "first day"),
        Field("ends_on", Kind.DATE, "last day"),
        _count("frame", "F: recipients who could have been asked; empty where not known", required=False),
    ),
    "inputs.csv": (
        CONTRACT,
        PARTY,
        _count("group", "counts from 1 inside a contract and party"),
        _text("rater", "pseudonym of the evaluator, of this edition only; empty for a group of people", required=False),
        _count("people", "respondents of the group"),
        DIMENSION,
        _text("other_dimension", "code of a second dimension; empty in the row about one alone", required=False),
        _count("n", "respondents with a composite on the dimension, or on both"),
        _number("weight", "their weights added up"),
        _number("squares", "the squares of their weights added up; in the row about one dimension", required=False),
        _number("centre", "points near the mean of the dimension, for this contract and party"),
        _number("sum", "weighted sum of (composite - centre) on the dimension"),
        _number("other_sum", "the same on the second dimension, around its own centre", required=False),
        _number("products", "weighted sum of squared deviations, or of products; empty for raters", required=False),
    ),
    "adjusted.csv": (
        CONTRACT,
        DIMENSION,
        _number("points", "what step 3 adds to the recipients' weighted mean"),
        _number("variance", "sample variance of their adjusted composites, squared points"),
    ),
    "raters.csv": (
        _text("rater", "pseudonym of the evaluator, of this edition only"),
        _number("severity", "points above what others would give; taken off"),
    ),
    "terms.csv": (
        _text("term", "dispersion, rater_variance, correlation or gap: frozen when the cycle was first scored"),
        PARTY,
        _text("dimension", "code of the dimension; empty for a gap", required=False),
        _text("other_dimension", "code of the second dimension of a correlation", required=False),
        _number("value", "the term"),
    ),
    "levels.csv": (
        CONTRACT,
        _text("criterion", "code of the criterion"),
        _count("lowest", "lowest of the levels told together, from 1"),
        _count("highest", "highest of them"),
        _count("answers", "answers that chose one of them"),
    ),
    "scores.csv": (
        CONTRACT,
        _text("status", "rated, provisional or withheld"),
        _number("score", "T, points, not rounded", required=False),
        _number("low", "lower end of its interval", required=False),
        _number("high", "upper end of its interval", required=False),
        _text("grade", "code of the grade", required=False),
        _text("peer_group", "code of the group it is compared in", required=False),
        _count("rank", "rank in the peer group", required=False),
        _count("rank_low", "best rank of its rank set", required=False),
        _count("rank_high", "worst rank of its rank set", required=False),
        _count("band", "1 for the best band", required=False),
        _number("shrunk", "the score drawn towards its peers", required=False),
        _number("shrunk_sd", "its standard deviation", required=False),
        _number("tau2", "variance between the contracts of the peer group, squared points", required=False),
        _number("leads", "share of the weight space in which it is above the next one down", required=False),
    ),
}
"""Every table, in the order of the bundle; adjusted.csv is there only where step 3 is on."""

EDITION = "edition.json"
RULES = "rules.toml"
LEAVES = "leaves.txt"
SIGNATURES = "signatures.json"
README = "README.md"
PACKAGE = "datapackage.json"

FORMAT = "evalsys-edition/1"


def datapackage(tables: tuple[str, ...]) -> dict[str, Any]:
    """The Data Package descriptor with the Table Schema of each table."""
    return {
        "profile": "tabular-data-package",
        "name": "evalsys-edition",
        "resources": [
            {
                "name": name.removesuffix(".csv"),
                "path": name,
                "profile": "tabular-data-resource",
                "encoding": "utf-8",
                "schema": {"fields": [_described(field) for field in TABLES[name]], "missingValues": [""]},
            }
            for name in tables
        ],
    }


def _described(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field.name, "type": field.kind.value, "description": field.description}
    return told | ({"constraints": {"required": True}} if field.required else {})
