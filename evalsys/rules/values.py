"""The kinds of values that a rules file is made of."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise PydanticCustomError("not_a_share", "not a share")
    return value


def _points(value: float) -> float:
    if not 0 <= value <= 100:
        raise PydanticCustomError("not_points", "not points")
    return value


def _part(value: float) -> float:
    if not 0 <= value <= 1:
        raise PydanticCustomError("not_a_part", "not a part")
    return value


def _printable(value: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in value):
        raise PydanticCustomError("control_character", "control character")
    return value


# Strict: a file that says "5" or true where a number belongs is faulty, not converted.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_printable)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1)]
Days = Annotated[int, Field(strict=True, ge=0, le=60)]
Flag = Annotated[bool, Field(strict=True)]
Share = Annotated[Number, AfterValidator(_share)]  # above 0, at most 1
Part = Annotated[Number, AfterValidator(_part)]  # 0 to 1
Points = Annotated[Number, AfterValidator(_points)]  # 0 to 100
Draws = Annotated[int, Field(strict=True, ge=1, le=100_000)]  # more would only cost time
Mode = Literal["self", "assisted", "telephone", "paper"]  # how a recipient answered


class Frozen(BaseModel):
    """A part of the rules: unknown keys are faults, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Frozen):
    """The same words in both languages."""

    zh: Words
    en: Words

    def in_language(self, language: str) -> str:
        """`zh` for any Chinese locale, else `en`."""
        return self.zh if language.startswith("zh") else self.en
