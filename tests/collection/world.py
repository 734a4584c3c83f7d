"""A small county that collects: a contract, its purchaser, an assigned evaluator, an administrator."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.collection.interest_models import InterestDeclaration
from evalsys.collection.models import Assignment
from evalsys.collection.questionnaire import Questionnaire
from evalsys.collection.tasks import Answer, Beside
from evalsys.registry.models import Contract, Cycle, Entry, Region
from tests.factories import NOW, make_account, make_contract, make_county, make_cycle, make_entry


@dataclass(frozen=True)
class World:
    county: Region
    cycle: Cycle
    contract: Contract
    entry: Entry
    administrator: Account
    purchaser: Account
    evaluator: Account
    auditor: Account


def make_world(session: Session, *, state: str = "collecting", service_type: str = "care", **columns: object) -> World:
    county = make_county(session, name="测试县")
    purchaser = make_account(session, Role.PURCHASER, region=county, name="购买员")
    cycle = make_cycle(session, region=county, state=state, **columns)
    contract = make_contract(
        session, region=county, purchaser=purchaser.purchaser, service_type=service_type, title="居家照料项目"
    )
    entry = make_entry(session, cycle=cycle, contract=contract)
    evaluator = make_account(session, Role.EVALUATOR, region=county, name="评价员甲")
    session.add(Assignment(entry_id=entry.id, account_id=evaluator.id))
    sign_nothing(session, evaluator, cycle)
    administrator = make_account(session, Role.ADMINISTRATOR, region=county)
    auditor = make_account(session, Role.AUDITOR, region=county)
    for account in (administrator, auditor, purchaser, evaluator):
        assert account.as_actor().region_path == county.path  # loads what is asked for after the session's end
    return World(county, cycle, contract, entry, administrator, purchaser, evaluator, auditor)


def sign_nothing(session: Session, account: Account, cycle: Cycle) -> InterestDeclaration:
    """An evaluator's declaration that there are no ties."""
    signed = InterestDeclaration(
        cycle_id=cycle.id, account_id=account.id, number=1, words="无", signed_by=account.name, signed_at=NOW
    )
    session.add(signed)
    session.flush()
    return signed


WOULD_BUY_AGAIN = Beside(buy_again=True)


def full_answers(asked: Questionnaire, value: float = 2) -> dict[str, Answer]:
    """An answer to every question that has levels."""
    return {question.code: Answer(value) for question in asked if question.level_count}


def sent(answers: dict[str, Answer], version: str = "", **more: str) -> dict[str, str]:
    """Answers as a browser sends them."""
    fields = {"version": version, **more}
    for code, answer in answers.items():
        fields[f"value-{code}"] = "na" if answer.not_applicable else f"{answer.value or '':}".removesuffix(".0")
        fields[f"comment-{code}"] = answer.comment
    return fields
