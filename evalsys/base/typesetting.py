"""Documents to print: a Typst template and what it is given become a PDF, with fonts that hold Chinese characters.

What is given reaches the template as JSON and is never read as markup, so a name prints as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from evalsys import config
from evalsys.base.errors import Conflict

if TYPE_CHECKING:
    import typst


def typeset(
    template: str,
    folder: Path | None,
    *,
    made_at: datetime | None = None,
    standards: Sequence[typst.PDFStandard] = (),
    **given: Any,
) -> bytes:
    """The PDF that a template makes of what it is given.

    Args:
        template: below the folder of templates, without its ending.
        folder: with the fonts; those that came with the program when not given.
        made_at: what the file says of its making; the same input then gives the same bytes.
        standards: that the file keeps, as far as what is given allows it.
        given: plain JSON; the template finds the names of the fonts beside it.

    Raises:
        Conflict: the folder of fonts has none.
    """
    import typst  # 80 MB that a process which prints nothing saves

    fonts, source = _fonts(folder), (config.TEMPLATES / f"{template}.typ").read_bytes()

    def compiled(kept: Sequence[typst.PDFStandard]) -> bytes:
        return typst.compile(
            source,
            font_paths=fonts,
            sys_inputs={"given": json.dumps(given | {"fonts": fonts.families()})},
            pdf_standards=list(kept),
            timestamp=made_at,
        )

    try:
        return compiled(standards)
    except typst.TypstError:
        if not standards:
            raise
        return compiled(())  # a name with a character that no font holds is printed all the same


def require_fonts(folder: Path | None) -> None:
    """Raises Conflict where the folder has no font; to be asked before what a failure would lose."""
    _fonts(folder)


@lru_cache
def _fonts(folder: Path | None) -> typst.Fonts:
    import pylopdf_fonts_zh_cn
    import typst

    folder = folder or pylopdf_fonts_zh_cn.sans_path().parent
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
    if not found.families():
        raise Conflict(
            _("The folder %(folder)s holds no font.", folder=folder),
            remedy=_("Put a font with Chinese characters (.ttf, .otf) there, or unset EVALSYS_FONTS."),
        )
    return found
