"""How an answer came, in words."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from evalsys.collection.models import Helper, Mode

MODES: dict[Mode, LazyString] = {
    Mode.SELF: _l("Alone"),
    Mode.ASSISTED: _l("With help"),
    Mode.TELEPHONE: _l("By telephone"),
    Mode.PAPER: _l("On paper"),
}
HELPERS: dict[Helper, LazyString] = {
    Helper.RELATIVE: _l("Relative or friend"),
    Helper.WORKER: _l("Village, community or township worker"),
    Helper.INTERVIEWER: _l("Interviewer"),
    Helper.VOLUNTEER: _l("Volunteer"),
    Helper.OTHER: _l("Somebody else"),
}
