"""A pile that was keyed in another program: a table with a form in each row, taken in as what one person keyed.

As with keys that are typed here, no act writes an audit entry, and the file itself is not kept.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import Fault
from evalsys.base.tables import Column, Row, Sheet, read_table
from evalsys.collection.paper_batches import SECOND, batch_of
from evalsys.collection.paper_forms import PaperKeys
from evalsys.collection.paper_keying import KeysFaulty, form_to_key, keep_keys, key_all_where_many_differ
from evalsys.collection.paper_models import PaperBatch
from evalsys.collection.survey import Question, questions_of
from evalsys.registry.pins import rules_of

MOST = 500  # forms of a file; meanwhile nobody else writes
SERIAL = Column("serial", "问卷编号", "Number of the form")


def key_file(session: Session, batch_id: int, data: bytes, *, keys: PaperKeys, actor: Actor) -> int:
    """Keep what somebody read off forms and typed into a table, all of it or nothing.

    Returns:
        How many forms.

    Raises:
        NotFound: as `batch_of`.
        Invalid: it is no such table; TableFaulty with every cell at fault.
    """
    batch = batch_of(session, batch_id, actor=actor)
    asked = [question.code for question in _questions(batch)]
    table = read_table(data, _columns(batch), max_rows=MOST)
    seen, turns = set[int](), set[int]()
    for row in table:
        serial = row.text("serial", most=40)
        if serial is None:
            continue
        typed = {code: _key(row, code) for code in asked}
        try:
            found = form_to_key(session, batch_id, serial, keys=keys, actor=actor)
            _refuse_strangers(row, typed, found.questions)
            number = keep_keys(session, found, typed, actor=actor).number
        except KeysFaulty as fault:
            for code, remedy in fault.faults.items():
                row.wrong(code, _("This is no answer to the question."), remedy)
        except Fault as fault:
            row.wrong("serial", fault.message, fault.remedy)
        else:
            if number in seen:
                row.wrong("serial", _("The form stands in the file twice."), _("Keep one of the rows."))
            seen.add(number)
            turns.add(found.turn)
    table.finish()
    if SECOND in turns:
        key_all_where_many_differ(session, batch)
    return len(seen)


def template(batch: PaperBatch) -> Sheet:
    """An empty table to fill in."""
    return Sheet(_("Forms on paper"), [column.heading for column in _columns(batch)], [])


def _questions(batch: PaperBatch) -> list[Question]:
    """All that forms of the cycle ask, whatever the service."""
    rules = rules_of(batch.cycle)
    found = {q.code: q for service in rules.service_types for q in questions_of(rules, service.code)}
    return [found[criterion.code] for criterion in rules.criteria if criterion.code in found]


def _columns(batch: PaperBatch) -> list[Column]:
    return [SERIAL, *(Column(q.code, q.text.zh, q.text.en, required=False) for q in _questions(batch))]


def _key(row: Row, code: str) -> str:
    """What stands in a cell; some programs save whole numbers with a decimal place."""
    return (row.text(code, most=10, required=False) or "").removesuffix(".0")


def _refuse_strangers(row: Row, typed: dict[str, str], questions: tuple[Question, ...]) -> None:
    on_the_form = {question.code for question in questions}
    for code, key in typed.items():
        if key.strip("- ") and code not in on_the_form:
            row.wrong(code, _("This question does not stand on the form."), _("Empty the cell, or compare the number."))
