"""What the applications of one test process need not make each for itself: routes and translations, once made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from babel.support import Translations
from werkzeug.routing import Rule

_COMPILED = ("arguments", "_parts", "_trace", "_converters", "_build", "_build_unknown")  # what Rule.compile sets


@contextmanager
def parts_made_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _share_routes(patch)
        _share_catalogues(patch)
        yield


def _share_routes(patch: pytest.MonkeyPatch) -> None:
    """What a rule compiles to depends on what the key says; no converter of ours asks which application it serves."""
    compiled: dict[tuple[object, ...], dict[str, Any]] = {}
    compile_rule = Rule.compile

    def compile_once(self: Rule) -> None:
        assert self.map is not None
        key = (self.rule, repr(self.defaults), self.subdomain, tuple(self.map.converters.items()))
        if key in compiled:
            vars(self).update(compiled[key])
        else:
            compile_rule(self)
            compiled[key] = {name: vars(self)[name] for name in _COMPILED}

    patch.setattr(Rule, "compile", compile_once)


def _share_catalogues(patch: pytest.MonkeyPatch) -> None:
    loaded: dict[tuple[object, ...], Any] = {}
    load = Translations.load

    def load_once(dirname: Any = None, locales: Any = None, domain: Any = None) -> Any:
        key = (str(dirname), str(locales), domain)
        if key not in loaded:
            loaded[key] = load(dirname, locales, domain)
        return loaded[key]

    patch.setattr(Translations, "load", load_once)
