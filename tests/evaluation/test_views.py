"""The pages of scoring, and the whole way from collecting to the ranking through a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.clock import now
from evalsys.evaluation.models import Run
from evalsys.evaluation.queries import Compared
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.models import Edition
from evalsys.registry.cycles import cycle_by_code, move
from evalsys.registry.models import CycleState, Entry, Region
from tests.collection.surveys import make_invitation
from tests.evaluation.rated import all_at, rated_cycle, rated_entry, respond
from tests.factories import NOW, make_account, make_cycle, make_region
from tests.pages import CheckedClient

WHY = "补入漏登的纸质问卷，重新计算。"
SURE = {"sure": "y"}


@pytest.fixture
def people(write: Callable[..., Any]) -> dict[Role, Account]:
    """One person a role in the county of the cycle 2026, whose ratings are being collected."""

    def make(session: Session) -> dict[Role, Account]:
        county = make_region(session, parent=make_region(session))
        cycle = make_cycle(session, region=county, code="2026", title="2026 年度评价")
        for purchaser in (5, 4):
            rated_entry(session, cycle, purchaser=purchaser)
        rated_entry(session, cycle, third_party=None)
        return {role: make_account(session, role, region=county) for role in Role}

    made: dict[Role, Account] = write(make)
    return made


@pytest.fixture
def officer(people: dict[Role, Account], sign_in: Callable[..., CheckedClient]) -> CheckedClient:
    return sign_in(people[Role.OFFICER])


def close(session: Session) -> None:
    move(session, cycle_by_code(session, "2026"), CycleState.REVIEW, actor=COMMAND_LINE, now=NOW)


def more_answers(session: Session) -> None:
    """The best contract's recipients turn against it, after the fact."""
    entry = session.scalars(select(Entry).order_by(Entry.id)).first()
    assert entry is not None
    for _ in range(9):
        respond(session, entry, all_at(entry.cycle, "recipient", "care", 1))


def text_of(client: CheckedClient, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.text
    return response.text


def run_of(page: str) -> str:
    """The run that a publishing form carries."""
    return page.split('name="run" type="hidden" value="')[1].split('"', maxsplit=1)[0]


def test_from_collecting_to_the_ranking_and_to_a_correction(
    officer: CheckedClient, client: CheckedClient, write: Callable[..., Any]
) -> None:
    assert "请先结束评分收集" in text_of(officer, "/evaluation/cycles/2026")
    assert officer.post("/evaluation/cycles/2026/run").status_code == 409
    assert "不符合" in text_of(officer, "/publication/cycles/2026")
    write(close)
    assert "等待计分" in text_of(officer, "/desk")
    assert "开始计分" in text_of(officer, "/evaluation/cycles/2026/run")
    answer = officer.post("/evaluation/cycles/2026/run")
    assert (answer.status_code, answer.location) == (303, "/evaluation/cycles/2026")
    page = text_of(officer, "/evaluation/cycles/2026")
    assert "已完成 3 个项目的计分" in page
    assert "第三方评价机构有效评价 0 份，至少需要 1 份。" in page
    assert "待核对、公告的初步结果" in text_of(officer, "/desk")
    assert "尚无公告" in text_of(client, "/rankings")

    preview = text_of(officer, "/publication/cycles/2026")
    assert "不符合" not in preview
    assert "将要公告的全部内容" in preview
    form = text_of(officer, "/publication/cycles/2026/publish")
    assert "更正理由" not in form
    answer = officer.post("/publication/cycles/2026/publish", data=SURE | {"run": run_of(form)})
    assert answer.status_code == 303
    assert "第 1 版已公告" in text_of(officer, answer.location)
    assert "2026 年度评价 · 第 1 版" in text_of(client, "/rankings")

    write(more_answers)
    assert "请重新计分" in text_of(officer, "/publication/cycles/2026")
    assert officer.post("/evaluation/cycles/2026/run", data={"refit": "y"}).status_code == 303
    compared = text_of(officer, "/evaluation/cycles/2026?sort=moved")
    assert "较上次计分" in compared
    assert "原第 1 名" in compared
    form = text_of(officer, "/publication/cycles/2026/publish")
    assert "更正理由" in form
    data = SURE | {"run": run_of(form)}
    refused = officer.post("/publication/cycles/2026/publish", data=data | {"reason": "错"})
    assert refused.status_code == 422
    assert "更正必须说明理由" in refused.text
    answer = officer.post("/publication/cycles/2026/publish", data=data | {"reason": WHY})
    assert answer.status_code == 303
    assert WHY in text_of(client, answer.location)
    again = officer.post("/publication/cycles/2026/publish", data=data | {"reason": WHY})
    assert again.status_code == 409


def test_publishing_asks_for_a_tick(officer: CheckedClient, write: Callable[..., Any]) -> None:
    write(close)
    officer.post("/evaluation/cycles/2026/run")
    form = text_of(officer, "/publication/cycles/2026/publish")
    refused = officer.post("/publication/cycles/2026/publish", data={"run": run_of(form)})
    assert refused.status_code == 422
    assert "请勾选后再公告" in refused.text
    assert write(lambda session: session.scalar(select(Edition))) is None


@pytest.mark.parametrize("run", ["0", "999999", "x", "１", ""])
def test_publishing_something_else_than_was_looked_at_is_refused(
    officer: CheckedClient, write: Callable[..., Any], run: str
) -> None:
    write(close)
    officer.post("/evaluation/cycles/2026/run")
    answer = officer.post("/publication/cycles/2026/publish", data=SURE | {"run": run})
    assert answer.status_code == (409 if run else 422)
    assert write(lambda session: session.scalar(select(Edition))) is None


def test_the_form_of_a_cycle_that_is_not_ready_says_why(officer: CheckedClient) -> None:
    assert "请先结束评分收集" in text_of(officer, "/publication/cycles/2026/publish")
    assert officer.post("/publication/cycles/2026/publish", data=SURE | {"run": "1"}).status_code == 409


@pytest.mark.parametrize("address", ["/evaluation/", "/publication/"])
def test_lists_show_the_cycles_of_the_branch(
    people: dict[Role, Account],
    sign_in: Callable[..., CheckedClient],
    write: Callable[..., Any],
    address: str,
) -> None:
    write(rated_cycle, code="elsewhere", contracts=1)
    write(make_cycle, state="draft", code="draft")
    for role in (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR):
        page = text_of(sign_in(people[role]), address)
        assert "2026 年度评价" in page
        assert "elsewhere" not in page
        assert "draft" not in page
    assert "还没有" in text_of(sign_in(people[Role.OFFICER]), f"{address}?q=nothing-like-it")


@pytest.mark.parametrize("address", ["/evaluation/cycles/{}", "/publication/cycles/{}", "/evaluation/cycles/{}/run"])
def test_cycles_of_other_regions_are_closed(officer: CheckedClient, write: Callable[..., Any], address: str) -> None:
    write(rated_cycle, code="elsewhere", contracts=1)
    text_of(officer, address.format("elsewhere"), 403)
    text_of(officer, address.format("nowhere"), 404)


@pytest.mark.parametrize(
    ("role", "address"),
    [
        (Role.AUDITOR, "/evaluation/cycles/2026/run"),
        (Role.AUDITOR, "/publication/cycles/2026/publish"),
        (Role.ADMINISTRATOR, "/publication/cycles/2026/publish"),
        (Role.VENDOR, "/evaluation/cycles/2026"),
        (Role.EVALUATOR, "/publication/cycles/2026"),
        (Role.PURCHASER, "/evaluation/"),
    ],
)
def test_other_roles_stay_outside(
    people: dict[Role, Account], sign_in: Callable[..., CheckedClient], role: Role, address: str
) -> None:
    text_of(sign_in(people[role]), address, 403)


def test_an_auditor_sees_the_preview_without_the_button(
    people: dict[Role, Account], sign_in: Callable[..., CheckedClient], write: Callable[..., Any]
) -> None:
    write(close)
    write(lambda session: run_cycle(session, cycle_by_code(session, "2026"), actor=COMMAND_LINE, now=NOW))
    auditor = sign_in(people[Role.AUDITOR])
    page = text_of(auditor, "/publication/cycles/2026")
    assert "由采购经办人公告" in page
    assert "/publish" not in page
    assert "计分……" not in text_of(auditor, "/evaluation/cycles/2026")


def test_the_review_can_be_narrowed_searched_and_sorted(officer: CheckedClient, write: Callable[..., Any]) -> None:
    write(close)
    officer.post("/evaluation/cycles/2026/run")
    withheld = text_of(officer, "/evaluation/cycles/2026?status=withheld")
    assert withheld.count('<th scope="row">') == 1
    assert text_of(officer, "/evaluation/cycles/2026?status=nonsense").count('<th scope="row">') == 3
    assert "没有符合条件的项目" in text_of(officer, "/evaluation/cycles/2026?q=nothing-like-it")
    text_of(officer, "/evaluation/cycles/2026?sort=-moved")


def test_rules_pinned_after_the_run_are_marked(officer: CheckedClient, write: Callable[..., Any]) -> None:
    from evalsys import config
    from tests.factories import make_rules

    write(close)
    officer.post("/evaluation/cycles/2026/run")

    def pin(session: Session) -> None:
        other = make_rules(session, config.SHIPPED_RULES.read_bytes().replace(b"level = 0.95", b"level = 0.90"))
        cycle_by_code(session, "2026").rules_id = other.id

    write(pin)
    assert "现已选定其他规则" in text_of(officer, "/evaluation/cycles/2026")


def test_a_score_is_compared_only_with_a_score() -> None:
    from evalsys.evaluation.models import Score

    some, none = Score(score=80.0), Score(score=None)
    assert Compared(some, Score(score=77.5)).moved == 2.5
    assert Compared(some, None).moved is None
    assert Compared(some, none).moved is None
    assert Compared(none, some).moved is None


def test_runs_are_kept(officer: CheckedClient, write: Callable[..., Any]) -> None:
    write(close)
    for _ in range(2):
        officer.post("/evaluation/cycles/2026/run")
    assert len(write(lambda session: session.scalars(select(Run)).all())) == 2
    assert isinstance(write(lambda session: session.scalars(select(Region)).first()), Region)


def test_a_contract_can_be_looked_at_before_it_is_public(officer: CheckedClient, write: Callable[..., Any]) -> None:
    write(close)
    text_of(officer, "/evaluation/cycles/2026/contracts/none", 404)
    officer.post("/evaluation/cycles/2026/run")
    found = re.findall(r'href="(/evaluation/cycles/2026/contracts/[^"]+)"', text_of(officer, "/evaluation/cycles/2026"))
    assert len(found) == 3
    page = text_of(officer, found[0])
    assert "公告之前均不对外公开" in page
    assert f'src="{found[0]}/waterfall.svg"' in page
    assert "得分" in officer.get(f"{found[0]}/waterfall.svg").text
    assert "暂不评级" in text_of(officer, found[-1])


def test_only_an_administrator_can_say_that_open_surveys_are_not_waited_for(
    people: dict[Role, Account],
    sign_in: Callable[..., CheckedClient],
    write: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "/evaluation/cycles/2026/run"
    write(lambda session: make_invitation(session, entry=session.scalars(select(Entry)).first()))
    write(lambda s: move(s, cycle_by_code(s, "2026"), CycleState.REVIEW, actor=COMMAND_LINE, now=now()))
    officer, administrator = sign_in(people[Role.OFFICER]), sign_in(people[Role.ADMINISTRATOR])
    page = text_of(officer, address)
    assert "打开着的问卷" in page
    assert "<button" not in page.split("<main")[1]
    assert officer.post(address, data={"early": "y"}).status_code == 409
    assert 'name="early"' in text_of(administrator, address)
    refused = administrator.post(address)
    assert refused.status_code == 409
    assert "打开着的问卷" in refused.text
    mixed: list[object] = []
    monkeypatch.setattr("evalsys.evaluation.views.mix", mixed.append)
    assert administrator.post(address, data={"early": "y"}).status_code == 303
    assert administrator.post(address).status_code == 303
    assert len(mixed) == 1
    assert 'name="early"' not in text_of(administrator, address)
