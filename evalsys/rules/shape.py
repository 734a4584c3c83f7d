"""Faults of form: keys that are unknown or missing, values of the wrong type or out of range."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evalsys.rules.faults import Finding, KeyPath, choice, dotted, found, quoted, shown
from evalsys.rules.model import BandScale, GoalpostScale, LevelScale, Rules, YesNoScale

SCALE_KINDS: dict[str, type[BaseModel]] = {
    "levels": LevelScale,
    "yes_no": YesNoScale,
    "bands": BandScale,
    "goalposts": GoalpostScale,
}

EXAMPLES = {
    "aggregation": 'aggregation = "arithmetic"',
    "at": "at = 0.5",
    "bands": "bands = [{ at = 0.5, points = 50 }, { at = 1, points = 100 }]",
    "best": "best = 1",
    "code": 'code = "care"',
    "coefficients": 'coefficients = [{ dimension = "outcomes", mode = "telephone", points = 3.0 }]',
    "criteria": "[[criteria]]",
    "dimension": 'dimension = "outcomes"',
    "dimension_below": "dimension_below = 40",
    "dimensions": "[[dimensions]]",
    "en": 'en = "Care"',
    "format": "format = 1",
    "from": "from = 80",
    "grade": 'grade = "fair"',
    "grades": "[[grades]]",
    "ground": 'ground = { zh = "依据", en = "Ground" }',
    "kind": 'kind = "levels"',
    "levels": 'levels = [{ zh = "差", en = "Poor" }, { zh = "好", en = "Good" }]',
    "minimum": "minimum = 5",
    "name": 'name = { zh = "照料护理", en = "Care" }',
    "parties": "[[parties]]",
    "party": 'party = "recipient"',
    "past_performance": 'past_performance = "beside"',
    "points": "points = 50",
    "scale": 'scale = "satisfaction"',
    "scales": "[[scales]]",
    "share": "share = 0.5",
    "text": 'text = { zh = "您满意吗？", en = "Are you satisfied?" }',
    "title": 'title = { zh = "评价规则", en = "Rules" }',
    "to": "to = 90",
    "unit": 'unit = { zh = "比例", en = "share" }',
    "version": 'version = "2026.1"',
    "weights": "[[weights]]",
    "worst": "worst = 0",
    "zh": 'zh = "照料护理"',
}
"""What a key that must be given looks like in the file."""

# type of error: (zh wrong, zh write, en wrong, en write); {value} is what the file says
_SAID = {
    "string_type": ("{value} 不是文字", "加上引号", "{value} is not text", "put it in quotes"),
    "string_too_short": ("没有文字", "写出文字", "the text is empty", "write the words"),
    "control_character": (
        "{value} 里有看不见的控制字符",
        "删去控制字符",
        "{value} holds a control character",
        "delete it",
    ),
    "string_pattern_mismatch": (
        "{value} 不能作代号",
        "用小写英文字母开头，只用小写英文字母、数字和下划线，最多 40 个字符",
        "{value} is not a code",
        "begin with a small letter; use small letters, digits and underscores, 40 characters at most",
    ),
    "int_type": (
        "{value} 不是整数",
        "写一个整数，不加引号",
        "{value} is not a whole number",
        "write one, without quotes",
    ),
    "float_type": ("{value} 不是数", "写一个数，不加引号", "{value} is not a number", "write one, without quotes"),
    "bool_type": (
        "{value} 不是 true 或 false",
        "写 true 或 false",
        "{value} is not true or false",
        "write one of them",
    ),
    "finite_number": ("{value} 不是有限的数", "写一个普通的数", "{value} is not finite", "write an ordinary number"),
    "not_a_share": (
        "{value} 不是比重",
        "写一个大于 0、不超过 1 的数",
        "{value} is not a share",
        "write a number above 0 and at most 1",
    ),
    "not_a_part": (
        "{value} 不在 0 到 1 之间",
        "写一个 0 到 1 的数",
        "{value} is not from 0 to 1",
        "write such a number",
    ),
    "not_points": (
        "{value} 不是百分制的分数",
        "写一个 0 到 100 的数",
        "{value} is not a number of points",
        "write a number from 0 to 100",
    ),
    "greater_than": ("{value} 太小", "写一个大于 {gt:g} 的数", "{value} is too small", "write a number above {gt:g}"),
    "greater_than_equal": (
        "{value} 太小",
        "写一个不小于 {ge:g} 的数",
        "{value} is too small",
        "write a number of at least {ge:g}",
    ),
    "less_than_equal": (
        "{value} 太大",
        "写一个不大于 {le:g} 的数",
        "{value} is too large",
        "write a number of at most {le:g}",
    ),
    "less_than": ("{value} 太大", "写一个小于 {lt:g} 的数", "{value} is too large", "write a number below {lt:g}"),
    "too_short": (
        "项数太少：{length}",
        "至少写 {min_length} 项",
        "too few entries: {length}",
        "write at least {min_length}",
    ),
    "too_long": (
        "项数太多：{length}",
        "最多写 {max_length} 项",
        "too many entries: {length}",
        "write at most {max_length}",
    ),
    "tuple_type": (
        "{value} 不是列表",
        "写成列表：方括号 […]，或每项一个 [[{name}]]",
        "{value} is not a list",
        "write a list in square brackets, or one [[{name}]] for each entry",
    ),
    "table": (
        "{value} 不是一组“名称 = 值”",
        "写成花括号 {{ 名称 = 值 }}，或用“{name}.名称 = 值”",
        "{value} is not a table",
        "write it as {{ key = value }} or {name}.key = value",
    ),
    "choice": ("{value} 不是可选的值", "写 {allowed_zh}", "{value} is not allowed", "write {allowed_en}"),
    "other": ("{value} 不合要求", "参照示例文件改写", "{value} does not fit", "follow the example file"),
}
_ALIASES = {
    "model_type": "table",
    "model_attributes_type": "table",
    "dict_type": "table",
    "enum": "choice",
    "literal_error": "choice",
    "union_tag_invalid": "choice",
}


def validated(document: dict[str, Any]) -> tuple[Rules | None, list[Finding]]:
    """The rules, or every fault of form."""
    try:
        return Rules.model_validate(document), []
    except ValidationError as error:
        return None, [finding for details in error.errors(include_url=False) for finding in _findings(details)]


def _findings(error: ErrorDetails) -> Iterator[Finding]:
    path, kind = _path(error), error["type"]
    if kind in {"missing", "union_tag_not_found"}:
        yield _missing(path)
        if kind == "union_tag_not_found":  # pydantic looks no further; the kind may stand there misspelt
            known = list(dict.fromkeys(key for model in SCALE_KINDS.values() for key in model.model_fields))
            yield from (_unknown((*path[:-1], key), known) for key in error["input"] if key not in known)
    elif kind == "extra_forbidden":
        yield _unknown(path, known_keys(error["loc"][:-1]))
    elif kind == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
        return  # pydantic counts only the entries without fault; the faults of the others are told already
    else:
        yield _misfit(path, kind, error)


def _path(error: ErrorDetails) -> KeyPath:
    """Pydantic's place as the file's: without the tag of a scale's kind and the mark of a key."""
    location = error["loc"]
    if location[0] == "scales" and len(location) > 2:
        location = (*location[:2], *location[3:])
    if location[-1] == "[key]":
        location = location[:-1]
    return (*location, "kind") if error["type"].startswith("union_tag") else location


def _missing(path: KeyPath) -> Finding:
    example = EXAMPLES[str(path[-1])]
    if path[0] == "weights" and path[-1] == "parties":  # the top-level key of that name is a list of tables
        example = "parties = { purchaser = 0.2, recipient = 0.5, third_party = 0.3 }"
    return found(
        path,
        zh=("没有写", f"加上，例如 {example}"),
        en=("it is missing", f"add it, for example {example}"),
    )


def _unknown(path: KeyPath, known: list[str]) -> Finding:
    zh, en = choice(str(path[-1]), known)
    return found(path, zh=("这里没有这个名称", zh), en=("unknown key", en))


def _misfit(path: KeyPath, kind: str, error: ErrorDetails) -> Finding:
    context: dict[str, Any] = dict(error.get("ctx", {}))
    value = error["input"]
    allowed = re.findall(r"'([^']*)'", context.get("expected_tags") or context.get("expected", ""))
    names = [quoted(name) for name in allowed] or [context.get("expected", "")]
    said = _SAID.get(_ALIASES.get(kind, kind), _SAID["other"])
    zh_wrong, zh_write, en_wrong, en_write = (
        part.format(
            **context,
            value=shown(context.get("tag", value)),
            length=len(value) if isinstance(value, list) else 0,
            name=dotted(path[-1:]),
            allowed_zh=" 或 ".join(names),
            allowed_en=" or ".join(names),
        )
        for part in said
    )
    return found(path, zh=(zh_wrong, zh_write), en=(en_wrong, en_write))


def known_keys(location: KeyPath) -> list[str]:
    """The keys that may stand in the table at a place as pydantic names it."""
    if location[:1] == ("scales",) and len(location) > 2:
        model, steps = SCALE_KINDS[str(location[2])], location[3:]
    else:
        model, steps = Rules, location
    for step in steps:
        if isinstance(step, str):
            field = next(f for name, f in model.model_fields.items() if (f.alias or name) == step)
            model = _model_in(field.annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel]:
    """The one model inside `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_in(part) for part in get_args(annotation) if part not in {type(None), Ellipsis})
