"""Compile the translations into the wheel; a working copy compiles them when the site starts."""

import os
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledTranslations(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for source in Path(self.root, "evalsys", "translations").glob("*/LC_MESSAGES/*.po"):
            part = source.with_suffix(f".{os.getpid()}.tmp")
            with source.open("rb") as text, part.open("wb") as binary:
                write_mo(binary, read_po(text))
            part.replace(source.with_suffix(".mo"))  # whole at any moment, for a site that runs from here
