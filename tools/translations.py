"""Keep the Chinese catalogue in step with the strings in code and templates.

`update` takes new strings in and drops unused ones; `check` fails where a string has no translation.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "evalsys" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"

_KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "lazy_gettext": None,
    "lazy_pgettext": ((1, "c"), 2),
    "lazy_ngettext": (1, 2),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|\{(\w*)\}")


def extracted() -> Catalog:
    """Every translatable string of `evalsys/` and `templates/`, without its places."""
    found = Catalog(locale="zh", domain="messages")
    for folder, pattern, method in (("evalsys", "**.py", "python"), ("templates", "**.html", "jinja2")):
        if not (ROOT / folder).is_dir():
            continue
        options = {pattern: {"encoding": "utf-8", "silent": "false"}}
        for _file, _line, message, _comments, context in extract_from_dir(
            ROOT / folder, method_map=[(pattern, method)], options_map=options, keywords=_KEYWORDS
        ):
            found.add(message, context=context)
    return found


def stored() -> Catalog:
    """The catalogue on disk; of an entry that a merge doubled, the translated one stays."""
    if not CATALOGUE.exists():
        return Catalog(locale="zh", domain="messages")
    return read_po(io.BytesIO(_without_doubles(CATALOGUE.read_text("utf-8")).encode()), locale="zh", domain="messages")


def _without_doubles(text: str) -> str:
    """Drop repeated entries, which a union merge leaves; a translation wins over an empty one."""
    kept: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        for entry in _entries(block):
            source = entry.split("\nmsgstr", 1)[0]
            if source not in kept or kept[source].rstrip().endswith('msgstr ""'):
                kept[source] = entry
    return "\n\n".join(kept.values()) + "\n"


def _entries(block: str) -> Iterator[str]:
    """Split a block in which a merge put two entries without a blank line between them."""
    lines: list[str] = []
    for line in block.splitlines():
        starts = line.startswith(("msgctxt", "msgid ", "#"))
        if starts and any(earlier.startswith("msgstr") for earlier in lines):
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield "\n".join(lines)


def updated() -> Catalog:
    """What the catalogue should be: the strings in use, sorted, with the translations there are."""
    known = stored()
    fresh = Catalog(locale="zh", domain="messages", fuzzy=False)
    for message in sorted((m for m in extracted() if m.id), key=lambda m: (_singular(m.id), m.context or "")):
        old = known.get(message.id, context=message.context)
        fresh.add(message.id, old.string if old is not None else None, context=message.context)
    return fresh


def _singular(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def as_text(catalogue: Catalog) -> str:
    """The catalogue as its file: sorted, unwrapped, without places, so that merges stay easy."""
    out = io.BytesIO()
    write_po(out, catalogue, width=0, no_location=True, omit_header=True, ignore_obsolete=True)
    header = (
        'msgid ""\nmsgstr ""\n"Language: zh\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    return header + out.getvalue().decode().lstrip("\n").rstrip("\n") + "\n"


def faults() -> list[str]:
    """What keeps the catalogue from being complete, one line each."""
    found = []
    catalogue = updated()
    if not CATALOGUE.exists() or CATALOGUE.read_text("utf-8") != as_text(catalogue):
        found.append("the catalogue is not in step with the strings in use; run `python tools/translations.py update`")
    for message in catalogue:
        if not message.id:
            continue
        strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
        if not all(strings):
            found.append(f"no translation: {_singular(message.id)!r}")
        elif any(_placeholders(string) != _placeholders(_plural(message.id)) for string in strings):
            found.append(f"other placeholders than the English: {_singular(message.id)!r} -> {strings[0]!r}")
    return found


def _plural(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[-1]


def _placeholders(text: str) -> set[str]:
    return {named or positional for named, positional in _PLACEHOLDER.findall(text)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=("update", "check"))
    act = parser.parse_args().act
    if act == "update":
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_text(as_text(updated()), "utf-8")
        missing = sum(fault.startswith("no translation") for fault in faults())
        print(f"{CATALOGUE.relative_to(ROOT)}: {len(updated())} strings, {missing} without a translation")
        return 0
    found = faults()
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
