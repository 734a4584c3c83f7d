"""Faults of naming: a code given twice, and a name of something that the file does not define."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalsys.rules.draft import Draft
from evalsys.rules.faults import Finding, KeyPath, choice, found, quoted

# what a name may name: (zh, en)
_KINDS = {
    "parties": ("评价主体", "party"),
    "dimensions": ("评价维度", "dimension"),
    "scales": ("量表", "scale"),
    "service_types": ("服务类别", "service type"),
    "peer_groups": ("比较组", "peer group"),
    "grades": ("等级", "grade"),
    "criteria": ("指标", "criterion"),
}
_REQUIRED = {
    "parties",
    "dimensions",
    "scales",
    "grades",
    "criteria",
}  # without one, that is told, and not each name as well
# (list, key in its entries, list of what it names); the value is a name, a list of names or a table by name
_REFERENCES = (
    ("criteria", "party", "parties"),
    ("criteria", "dimension", "dimensions"),
    ("criteria", "scale", "scales"),
    ("criteria", "service_types", "service_types"),
    ("weights", "dimension", "dimensions"),
    ("weights", "parties", "parties"),
    ("peer_groups", "parent", "peer_groups"),
    ("peer_groups", "service_types", "service_types"),
)


def naming_findings(draft: Draft) -> Iterator[Finding]:
    """Reads the tables as written, so that other faults of an entry hide none of these."""
    for name, part in draft.lists.items():
        yield from _duplicates(name, part.codes, "dimension" if name == "weights" else "code")
    for name, key, kind in _REFERENCES:
        known = draft.lists[kind].names
        for place, entry in draft.lists[name].tables.items():
            for path, written in _names_in((name, place, key), entry.get(key)):
                yield from _unknown(path, written, kind, known)
    if draft.cap is not None:
        yield from _unknown(("cap", "grade"), draft.cap.grade, "grades", draft.grades.names)
    if draft.severity is not None:
        yield from _unknown(("severity", "party"), draft.severity.party, "parties", draft.parties.names)
    yield from _in_coefficients(draft)
    yield from _repeated_in_criteria(draft)
    yield from _shared_by_peer_groups(draft)


def _in_coefficients(draft: Draft) -> Iterator[Finding]:
    for place, entry in draft.coefficients.tables.items():
        for key, kind in (("dimension", "dimensions"), ("criterion", "criteria")):
            for path, written in _names_in(("adjustment", "coefficients", place, key), entry.get(key)):
                yield from _unknown(path, written, kind, draft.lists[kind].names)


def _names_in(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name in value:
                yield (*path, name), name
        case list():
            for at, name in enumerate(value):
                if isinstance(name, str):
                    yield (*path, at), name


def _unknown(path: KeyPath, name: str, kind: str, known: list[str]) -> Iterator[Finding]:
    if name in known or (kind in _REQUIRED and not known):
        return
    zh, en = (
        choice(name, known) if known else (f"先写它的 [[{kind}]]，或删去这里", f"add its [[{kind}]], or delete it here")
    )
    what_zh, what_en = _KINDS[kind]
    yield found(
        path,
        zh=(f"没有代号为 {quoted(name)} 的{what_zh}", zh),
        en=(f"there is no {what_en} {quoted(name)}", en),
    )


def _duplicates(name: str, codes: tuple[tuple[int, str], ...], key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, code in codes:
        if code in seen:
            yield found(
                (*name.split("."), place, key),
                zh=(f"{quoted(code)} 前面已经有了", "换一个不重复的代号，或删去这一项"),
                en=(f"{quoted(code)} is there already", "choose another code, or delete this entry"),
            )
        seen.add(code)


def _repeated_in_criteria(draft: Draft) -> Iterator[Finding]:
    for place, entry in draft.criteria.tables.items():
        seen: set[str] = set()
        for path, name in _names_in(("criteria", place, "service_types"), entry.get("service_types")):
            if name in seen:
                yield found(
                    path,
                    zh=(f"{quoted(name)} 写了两次", "删去一个"),
                    en=(f"{quoted(name)} is named twice", "delete one"),
                )
            seen.add(name)


def _shared_by_peer_groups(draft: Draft) -> Iterator[Finding]:
    """A contract is compared inside one group."""
    holder: dict[str, str] = {}
    for place, entry in draft.peer_groups.tables.items():
        for path, name in _names_in(("peer_groups", place, "service_types"), entry.get("service_types")):
            if name in holder:
                yield found(
                    path,
                    zh=(f"{quoted(name)} 已在比较组 {holder[name]} 中", "只留在一个组里"),
                    en=(f"{quoted(name)} is in peer group {holder[name]} already", "keep it in one group"),
                )
            holder.setdefault(name, quoted(str(entry.get("code", place))))
