"""A rater's open assessments as one sheet to fill in without a connection, and back as drafts.

One row a question: the level is chosen from a list, what is not to be changed is locked. A file never submits, and
never overwrites what was saved after it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.base.language import words
from evalsys.base.tables import Column, Row, Sheet, read_table
from evalsys.collection.assessment_form import COMMENT_LIMIT
from evalsys.collection.assessments import save_draft, task_of
from evalsys.collection.models import AssessmentRating
from evalsys.collection.queries import open_entries
from evalsys.collection.questionnaire import Question, number_in
from evalsys.collection.ratings_files import NOT_APPLICABLE, folded
from evalsys.collection.tasks import Answer, Task
from evalsys.registry.imports import Known, Plan, Seen

MAX_ROWS = 20_000
COLUMNS = (
    Column("cycle", "评价年度", "Cycle"),
    Column("contract", "合同编号", "Contract"),
    Column("title", "项目名称", "Title", required=False),
    Column("criterion", "指标代码", "Criterion code"),
    Column("question", "评价指标", "Question", required=False),
    Column("meaning", "各级标准", "What each level means", required=False),
    Column("value", "评分", "Rating", explanation=_l("Choose from the list; “na” where it does not apply.")),
    Column("comment", "说明", "Comment"),
    Column("version", "草稿版本", "Version of the draft"),
)
_AT = {column.name: place for place, column in enumerate(COLUMNS)}
_WIDTHS = {"contract": 16, "title": 24, "question": 34, "meaning": 46, "value": 22, "comment": 40}


def open_tasks(session: Session, *, actor: Actor) -> Iterator[Task]:
    """What the rater has still to submit and may work on, in the order of the work list."""
    for entry_id in open_entries(session, actor=actor):
        try:
            yield task_of(session, entry_id, actor=actor)
        except NotAllowed:  # a tie came up after it was assigned
            continue
        except Conflict:  # the rules ask nothing, or a declaration is missing, which the work list says
            continue


def sheet_of(session: Session, *, actor: Actor) -> Sheet:
    """The sheet to fill in; a question that the record answers is left out."""
    rows: list[list[str]] = []
    choices: dict[tuple[int, int], list[str]] = {}
    for task in open_tasks(session, actor=actor):
        for question in _to_fill(task):
            if question.level_count:
                choices[len(rows), _AT["value"]] = _offered(question)
            rows.append(_row(task, question))
    return Sheet(
        _("Assessments"),
        [column.heading for column in COLUMNS],
        rows,
        widths=[_WIDTHS.get(column.name, 12) for column in COLUMNS],
        editable=frozenset({_AT["value"], _AT["comment"]}),
        hidden=frozenset({_AT["version"]}),
        choices=choices,
    )


def explanations() -> Sheet:
    """How the sheet is filled in."""
    lines = [
        _("Fill in “Rating” and “Comment”; the other columns are locked."),
        _("A rating is chosen from the list. The lowest and the highest level need a comment."),
        _("What you leave empty stays open. What you empty is taken back; a row that you delete stays as it is."),
        _("Send the file from your list of contracts. You see every change before anything is saved."),
        _("The file only fills drafts. Site visits, evidence and submitting are done on the site."),
    ]
    return Sheet(_("How to fill it in"), [_("How to fill it in")], [[line] for line in lines], widths=[90])


def _to_fill(task: Task) -> list[Question]:
    return [question for question in task.questionnaire if question.code not in task.locked]


def _offered(question: Question) -> list[str]:
    levels = [f"{level} {said}" for level, said in enumerate(question.levels, 1)]
    return [*levels, _("Not applicable")] if question.criterion.not_applicable else levels


def _row(task: Task, question: Question) -> list[str]:
    contract, answer = task.entry.contract, task.answers[question.code]
    anchors = zip(question.levels, question.criterion.anchors, strict=False)
    meaning = [f"{said}: {words(anchor)}" for said, anchor in anchors] or [question.unit]
    cells = {
        "cycle": task.entry.cycle.code,
        "contract": contract.reference,
        "title": contract.title,
        "criterion": question.code,
        "question": words(question.criterion.text),
        "meaning": "\n".join(meaning),
        "value": _written(question, answer),
        "comment": answer.comment,
        "version": task.version,
    }
    return [cells[column.name] for column in COLUMNS]


def _written(question: Question, answer: Answer) -> str:
    if answer.not_applicable:
        said: str = _("Not applicable")
        return said
    if answer.value is None:
        return ""
    return _offered(question)[int(answer.value) - 1] if question.level_count else f"{answer.value:.15g}"


# ── Back ──


@dataclass(frozen=True)
class Filled:
    """What a file would change, and the answers by entry: only of drafts that it changes."""

    plan: Plan
    answers: Mapping[int, Mapping[str, Answer]]
    tasks: Mapping[int, Task]


def read_sheet(session: Session, data: bytes, *, actor: Actor) -> Filled:
    """Find what a file would change; changes nothing.

    Raises:
        Invalid: the file as a whole, or cells in it (TableFaulty), are at fault; all are listed.
    """
    table = read_table(data, COLUMNS, max_rows=MAX_ROWS)
    tasks = {(t.entry.cycle.code, t.entry.contract.reference): t for t in open_tasks(session, actor=actor)}
    headings = {column.name: column.heading for column in COLUMNS}
    plan = Plan(AssessmentRating, lambda name, value: (headings[name], str(value)), most=MAX_ROWS)
    seen, changed = Seen(), dict[int, dict[str, Answer]]()
    for row in table:
        task = _task(row, tasks)
        question = _question(row, task) if task else None
        if task is None or question is None:
            continue
        seen.refuse_again(row, "criterion", (task.entry.id, question.code))
        answer, before = _answer(row, question), task.answers[question.code]
        if row.faulty or answer == before:
            plan.unchanged += not row.faulty
            continue
        label = f"{task.entry.contract.reference} · {words(question.criterion.text)}"
        values = {"entry": task.entry.id, "criterion": question.code} | _cells(question, answer)
        known = None if before == Answer() else Known(task.entry.id, values | _cells(question, before))
        plan.take(row.number, label, values, known)
        changed.setdefault(task.entry.id, {})[question.code] = answer
    table.finish()
    plan.digest = sha256(data).hexdigest()
    return Filled(plan, changed, {task.entry.id: task for task in tasks.values() if task.entry.id in changed})


def _cells(question: Question, answer: Answer) -> dict[str, str]:
    return {"value": _written(question, answer), "comment": answer.comment}


def _task(row: Row, tasks: Mapping[tuple[str, str], Task]) -> Task | None:
    cycle, reference = row.text("cycle"), row.text("contract")
    if cycle is None or reference is None:
        return None
    task = tasks.get((cycle, reference))
    if task is None:
        row.wrong(
            "contract",
            _("This contract is not among those that you have still to submit."),
            _("Download the sheet again; what is submitted or no longer assigned is not in it."),
        )
    elif (row.text("version", required=False) or "") != task.version:
        row.wrong(
            "contract",
            _("The draft was changed after this file was downloaded."),
            _("Download the sheet again and carry your changes over."),
        )
        return None
    return task


def _question(row: Row, task: Task) -> Question | None:
    code = row.text("criterion")
    found = next((question for question in _to_fill(task) if question.code == code), None)
    if code is not None and found is None:
        row.wrong("criterion", _("This is not asked about this contract."), _("Download the sheet again."))
    return found


def _answer(row: Row, question: Question) -> Answer:
    raw = row.raw("comment")
    comment = "" if raw is None else str(raw).replace("\r\n", "\n").strip()
    if len(comment) > COMMENT_LIMIT:
        row.wrong("comment", _("Shorten it to %(limit)s characters.", limit=COMMENT_LIMIT), "")
    said = row.text("value", required=False)
    if said is None:
        return Answer(comment=comment)
    if folded(said) in NOT_APPLICABLE | {folded(_("Not applicable"))} and question.criterion.not_applicable:
        return Answer(not_applicable=True, comment=comment)
    named = {folded(words): level for level, words in enumerate(question.levels, 1)}
    named |= {folded(words): level for level, words in enumerate(_offered(question)[: question.level_count], 1)}
    value = named.get(folded(said), number_in(said))
    if value is None or not question.takes(value):
        wrong = _("The value is not on the scale of %(criterion)s.", criterion=question.code)
        row.wrong("value", wrong, question.what_to_write())
        return Answer()
    return Answer(float(value), comment=comment)


def take_in(session: Session, data: bytes, *, fingerprint: str, actor: Actor, now: datetime) -> Filled:
    """Save a file's answers as drafts, all or none.

    Args:
        fingerprint: of the plan that the person saw.

    Raises:
        Invalid: as `read_sheet`.
        Conflict: the same file would now change something else, or a draft was saved meanwhile.
    """
    filled = read_sheet(session, data, actor=actor)
    if filled.plan.fingerprint != fingerprint:
        raise Conflict(
            _("Your drafts have changed since the preview; nothing was saved."),
            remedy=_("Go back, reload the preview and look at it again."),
        )
    for entry_id, answers in filled.answers.items():
        task = filled.tasks[entry_id]
        save_draft(session, entry_id, {**task.answers, **answers}, version=task.version, actor=actor, now=now)
    return filled
