"""Ratings in a long file: a row for each contract, party, rater and criterion. Every fault is found before any is kept.

A recipient's label only groups the rows of one file into a response; it is not stored and not shown again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.tables import Column, Row, Sheet, Table, TableFile, ValueWrong, as_text
from evalsys.collection.models import Helper, Mode
from evalsys.collection.questionnaire import Question, number_in, questionnaire
from evalsys.collection.ratings_staging import Staging
from evalsys.registry.models import Contract, Cycle, Entry, Region, Stratum
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Rules

RECIPIENT = "recipient"
MAX_ROWS = 5_000_000
LABEL_LIMIT = 60
NOT_APPLICABLE = frozenset({"na", "n/a", "不适用"})
COLUMNS = (
    Column(
        "contract",
        "合同编号",
        "Contract",
        others=("项目编号", "合同", "服务项目", "服务项目(合同)", "Contract reference"),
        example="QY-2026-001",
        explanation=_l("The number of a contract that is entered into the cycle."),
    ),
    Column(
        "party",
        "评价主体",
        "Party",
        example="服务对象",
        explanation=_l("A party of the rules, by its name or its code."),
    ),
    Column(
        "rater",
        "评价人",
        "Rater",
        others=("评分人", "评价员"),
        example="1",
        explanation=_l("Any label that keeps one rater's rows together. A recipient's label is not stored."),
    ),
    Column(
        "criterion",
        "评价指标",
        "Criterion",
        others=("指标", "指标代码"),
        example="recipient_satisfied",
        explanation=_l("A criterion of the rules, by its code or its full text."),
    ),
    Column(
        "value",
        "评分",
        "Value",
        others=("得分", "分值", "值"),
        example=5,
        explanation=_l("The level, the worst being 1; a number where it is measured; na where it does not apply."),
    ),
    Column(
        "mode",
        "作答方式",
        "Mode",
        others=("评价方式", "方式"),
        required=False,
        example="本人填写",
        explanation=_l("Of recipients only: self, assisted, telephone or paper. Empty means self."),
    ),
    Column(
        "helper",
        "协助人",
        "Helper",
        others=("代填人", "协助者"),
        required=False,
        example="",
        explanation=_l("Of recipients with help only: relative, worker, interviewer, volunteer or other."),
    ),
    Column(
        "stratum",
        "分层",
        "Stratum",
        others=("层", "乡镇", "乡镇/服务内容"),
        required=False,
        example="",
        explanation=_l("Of recipients only: the township, or township/item, as in the contract's frame."),
    ),
)
_MODES = {
    Mode.SELF: ("本人填写", "本人", "自填"),
    Mode.ASSISTED: ("协助填写", "协助", "代填"),
    Mode.TELEPHONE: ("电话访问", "电话"),
    Mode.PAPER: ("纸质问卷", "纸质"),
}
_HELPERS = {
    Helper.RELATIVE: ("家人亲友", "家人", "亲友"),
    Helper.WORKER: ("村(社区)或乡镇工作人员", "工作人员"),
    Helper.INTERVIEWER: ("访问员", "调查员"),
    Helper.VOLUNTEER: ("志愿者",),
    Helper.OTHER: ("其他人", "其他"),
}


def template() -> Sheet:
    """An empty file with its headings and one example row."""
    return Sheet(_("Ratings"), [column.heading for column in COLUMNS], [[str(column.example) for column in COLUMNS]])


def explanations() -> Sheet:
    """What each column means, for the template."""
    rows = [
        [column.heading, _("Required") if column.required else _("optional"), str(column.explanation)]
        for column in COLUMNS
    ]
    return Sheet(_("Explanations"), [_("Column"), _("Needed"), _("Explanation")], rows, widths=(14, 10, 80))


@dataclass(frozen=True)
class Rateable:
    """What a row may say of one contract of the cycle."""

    service_type: str
    strata: Mapping[str, str]  # every way to write a stratum, and "township/item"
    own: bool  # in the branch of who imports


class _Wrong(Exception):
    """A cell that cannot be understood, with what to write instead."""

    def __init__(self, column: str, wrong: str, remedy: str, *, shown: bool = True) -> None:
        super().__init__(wrong)
        self.column, self.wrong, self.remedy, self.shown = column, wrong, remedy, shown


def stage_ratings(
    session: Session,
    stream: BinaryIO,
    cycle: Cycle,
    *,
    actor: Actor,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Staging:
    """Read a file of ratings and look at every cell.

    Args:
        stream: the open file.
        cycle: which the ratings belong to; its rules say what may be rated.
        progress: told the number of rows read so far, now and then.

    Raises:
        TableFaulty: with every cell at fault.
        Invalid: the file is broken, or is no such table.
    """
    rules = rules_of(cycle)
    file = TableFile(stream, COLUMNS, max_rows=MAX_ROWS)
    reading = _Reading(rules, rateable(session, cycle, actor))
    staging = Staging()
    try:
        for read, row in enumerate(file, 1):
            reading.take(row, file.table, staging)
            if read % 50_000 == 0:
                progress(read)
        _tell_doubles(staging, file)
        file.table.finish()
        staging.seal(cycle=cycle.code, rules=str(cycle.rules_id))
    except BaseException:
        staging.close()
        raise
    return staging


def rateable(session: Session, cycle: Cycle, actor: Actor) -> dict[str, Rateable]:
    """The cycle's contracts by their number."""
    strata: dict[int, list[tuple[str, str]]] = {}
    for entry_id, township, item in session.execute(
        select(Stratum.entry_id, Stratum.township, Stratum.item).join(Entry).where(Entry.cycle_id == cycle.id)
    ):
        strata.setdefault(entry_id, []).append((township, item))
    entries = session.execute(
        select(Entry.id, Contract.reference, Contract.service_type, Region.path)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Entry.cycle_id == cycle.id)
    )
    return {
        reference: Rateable(service_type, stratum_names(strata.get(entry_id, [])), actor.acts_in(path))
        for entry_id, reference, service_type, path in entries
    }


def stratum_names(strata: list[tuple[str, str]]) -> dict[str, str]:
    """How each stratum may be written: township/item, or the township alone where it has one item only."""
    names = {folded(f"{township}/{item}"): f"{township}/{item}" for township, item in strata}
    for township, item in strata:
        if not item or sum(other == township for other, _item in strata) == 1:
            names[folded(township)] = f"{township}/{item}"
    return names


def folded(text: str) -> str:
    """Without case, width and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


class _Reading:
    """Understands rows; what was understood once is remembered, for a long file says the same again and again."""

    def __init__(self, rules: Rules, contracts: Mapping[str, Rateable]) -> None:
        self.rules, self.contracts = rules, contracts
        self.parties = {folded(name): p.code for p in rules.parties for name in (p.code, p.name.zh, p.name.en)}
        self.modes = {folded(name): mode for mode, names in _MODES.items() for name in (mode.value, *names)}
        self.helpers = {folded(name): kind for kind, names in _HELPERS.items() for name in (kind.value, *names)}
        self.contract_of, self.party_of = cache(self._contract), cache(self._party)
        self.question_of, self.value_of = cache(self._question), cache(self._value)

    def take(self, row: Row, table: Table, staging: Staging) -> None:
        """Stage a row, or note what is wrong with it."""
        try:
            contract = self.contract_of(self._text(row, "contract"))
            party = self.party_of(self._text(row, "party"))
            rater = self._rater(row, party)
            question = self._asked(row, contract, party)
            value = self.value_of(question, self._text(row, "value"))
            mode, stratum = self._mode(row, party), self._stratum(row, contract, party)
            helper = self._helper(row, party, mode)
        except _Wrong as error:
            shown = row.raw(error.column) if error.shown else ""
            table.fault(row.number, error.column, shown, error.wrong, error.remedy)
            return
        staging.add((contract, party, rater, question.code, value, mode, helper, stratum, row.number))

    @staticmethod
    def _text(row: Row, column: str) -> str:
        raw = row.raw(column)
        if raw is None:
            raise _Wrong(column, _("The cell is empty."), _("Fill it in."))
        return raw if isinstance(raw, str) else _written(column, raw)

    def _contract(self, text: str) -> str:
        reference = text.strip()
        known = self.contracts.get(reference)
        if known is None:
            raise _Wrong(
                "contract",
                _("No contract of this cycle has this number."),
                _("Copy the number from the list of the cycle's contracts, or enter the contract first."),
            )
        if not known.own:
            raise _Wrong("contract", _("This contract belongs to another region."), _("Leave its rows to that region."))
        return reference

    def _party(self, text: str) -> str:
        code = self.parties.get(folded(text))
        if code is None:
            names = ", ".join(party.code for party in self.rules.parties)
            raise _Wrong("party", _("The rules have no such party."), _("Write one of: %(names)s.", names=names))
        return code

    def _rater(self, row: Row, party: str) -> str:
        label = " ".join(self._text(row, "rater").split()).replace("\x1f", "")
        if len(label) > LABEL_LIMIT:
            raise _Wrong(
                "rater",
                _("The label is longer than %(most)s characters.", most=LABEL_LIMIT),
                _("Shorten it."),
                shown=party != RECIPIENT,
            )
        return label

    def _asked(self, row: Row, contract: str, party: str) -> Question:
        return self.question_of(self.contracts[contract].service_type, party, self._text(row, "criterion"))

    def _question(self, service_type: str, party: str, text: str) -> Question:
        asked = questionnaire(self.rules, party, service_type)
        wanted = folded(text)
        for question in asked:
            criterion = question.criterion
            if wanted in {folded(criterion.code), folded(criterion.text.zh), folded(criterion.text.en)}:
                return question
        codes = ", ".join(question.code for question in asked)
        raise _Wrong(
            "criterion",
            _("This party is not asked this about a contract of this service type."),
            _("Write one of: %(names)s.", names=codes) if codes else _("Leave this party's rows out."),
        )

    def _value(self, question: Question, text: str) -> float | None:
        if folded(text) in NOT_APPLICABLE and question.criterion.not_applicable:
            return None
        value = number_in(text)
        if value is None or not question.takes(value):
            raise _Wrong(
                "value",
                _("The value is not on the scale of %(criterion)s.", criterion=question.code),
                question.what_to_write(),
            )
        return value

    def _mode(self, row: Row, party: str) -> str:
        raw = row.raw("mode")
        if raw is None:
            return Mode.SELF.value if party == RECIPIENT else ""
        _require_recipient(party, "mode")
        mode = self.modes.get(folded(str(raw)))
        if mode is None:
            known = ", ".join(mode.value for mode in Mode)
            raise _Wrong("mode", _("There is no such mode."), _("Write one of: %(names)s.", names=known))
        return mode.value

    def _helper(self, row: Row, party: str, mode: str) -> str:
        raw = row.raw("helper")
        if raw is None:
            return ""
        _require_recipient(party, "helper")
        if mode == Mode.SELF:
            raise _Wrong(
                "helper", _("Whoever answered alone had no helper."), _("Leave the cell empty, or write another mode.")
            )
        kind = self.helpers.get(folded(str(raw)))
        if kind is None:
            known = ", ".join(kind.value for kind in Helper)
            raise _Wrong("helper", _("There is no such kind of helper."), _("Write one of: %(names)s.", names=known))
        return kind.value

    def _stratum(self, row: Row, contract: str, party: str) -> str:
        raw = row.raw("stratum")
        if raw is None:
            return ""
        _require_recipient(party, "stratum")
        strata = self.contracts[contract].strata
        found = strata.get(folded(str(raw)))
        if found is None:
            known = "、".join(sorted(set(strata.values()))[:10])
            raise _Wrong(
                "stratum",
                _("The contract's frame has no such stratum, or several of this township."),
                _("Write one of: %(names)s.", names=known) if known else _("Enter the contract's frame first."),
            )
        return found


def _written(column: str, raw: object) -> str:
    """A spreadsheet's number as a person reads it; a long one has lost its last figures and is refused."""
    if isinstance(raw, float) and not raw.is_integer():
        return f"{raw:.15g}"
    try:
        return as_text(raw)  # type: ignore[arg-type]  # a cell's value
    except ValueWrong as error:
        raise _Wrong(column, error.wrong, error.remedy) from error


def _require_recipient(party: str, column: str) -> None:
    if party != RECIPIENT:
        raise _Wrong(column, _("Only recipients have one."), _("Leave the cell empty."))


def _tell_doubles(staging: Staging, file: TableFile) -> None:
    """A rater rates a criterion of a contract once, in one mode and one stratum."""
    table = file.table
    for first, again in staging.doubles():
        table.fault(
            again,
            "criterion",
            "",
            _("Row %(row)s already has this rater's rating of this criterion.", row=first),
            _("Delete one of the two rows."),
        )
    for column in ("mode", "helper", "stratum"):
        for line, one, other in staging.changes(column):
            table.fault(
                line,
                column,
                "",
                _("This rater's rows say both “%(one)s” and “%(other)s”.", one=one, other=other),
                _("Write the same in every row of one rater."),
            )
