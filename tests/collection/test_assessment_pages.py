"""The raters' pages: list, form, check, submission, and what the overseers see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.accounts.todo import todos
from evalsys.base.access import Role
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.collection.assessment_models import MeasuredValue
from evalsys.collection.assessments import save_draft, submit, task_of
from evalsys.collection.models import Assessment, AssessmentRating, Assignment
from evalsys.collection.tasks import Answer
from evalsys.registry.models import Cycle
from tests.collection.files import pdf
from tests.collection.world import WOULD_BUY_AGAIN, World, full_answers, make_world, sent
from tests.factories import NOW, make_account, make_contract, make_entry
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def world(write: Callable[..., Any], app: Flask) -> World:
    made: World = write(
        make_world, opens_on=now().date() - timedelta(days=9), closes_on=now().date() + timedelta(days=30)
    )
    return made


def rate(world: World) -> str:
    return f"/collection/entries/{world.entry.id}/rate"


def check(world: World) -> str:
    return f"/collection/entries/{world.entry.id}/check"


def asked_of(write: Callable[..., Any], world: World, account: Account) -> dict[str, Answer]:
    return full_answers(write(lambda session: task_of(session, world.entry.id, actor=account.as_actor())).questionnaire)


def version(browser: CheckedClient, world: World) -> str:
    return browser.get(rate(world)).text.split('name="version" value="')[1].split('"')[0]


def kept(write: Callable[..., Any]) -> dict[str, float | None]:
    found: dict[str, float | None] = write(
        lambda session: {row.criterion: row.value for row in session.scalars(select(AssessmentRating))}
    )
    return found


@pytest.mark.parametrize("who", ["evaluator", "purchaser"])
def test_from_the_list_to_the_submitted_assessment(
    write: Callable[..., Any], world: World, sign_in: SignIn, who: str
) -> None:
    account = getattr(world, who)
    browser = sign_in(account)
    assert rate(world) in browser.get("/collection/worklist").text
    answers = asked_of(write, world, account)
    first = next(iter(answers))
    saved = browser.post(rate(world), data=sent({first: Answer(4, comment="现场 <查看>")}))
    assert (saved.status_code, saved.location) == (303, rate(world))
    page = browser.get(rate(world)).text
    assert "草稿已保存" in page
    assert "现场 &lt;查看&gt;" in page
    assert f"已答 1/{len(answers) + (who == 'purchaser')} 项" in browser.get("/collection/worklist").text
    given = sent(answers, version(browser, world), then="check", buy_again="yes")
    checked = browser.post(rate(world), data=given)
    assert (checked.status_code, checked.location) == (303, check(world))
    before = browser.get(check(world)).text
    assert "正式提交" in before
    done = browser.post(check(world), data={"version": version(browser, world)})
    assert (done.status_code, "声明未勾选" in done.text) == (422, True)
    done = browser.post(check(world), data={"version": version(browser, world), "signed": "y"})
    assert done.status_code == 303
    final = browser.get(done.location).text
    assert "本人声明" in before
    assert "本人声明" in final
    assert "提交后不能再修改" in final
    assert account.name in final
    for address in (rate(world), check(world)):
        assert browser.get(address).location == done.location
    listed = browser.get("/collection/worklist?state=submitted").text
    assert done.location in listed


def test_a_value_outside_the_scale_comes_back_with_everything_given(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.purchaser)
    given = sent({"purchaser_quality": Answer(4, comment="验收合格")})
    given |= {
        "value-purchaser_records": "9",
        "value-purchaser_staff_share": "八成",
        "comment-purchaser_timely": "x" * 2001,
    }
    answer = browser.post(rate(world), data=given)
    assert answer.status_code == 422
    assert 'href="#q-purchaser_records"' in answer.text
    assert "请填写 1 至 5 的整数等级。" in answer.text
    assert 'value="八成"' in answer.text
    assert "验收合格" in answer.text
    assert "2000 个字以内" in answer.text
    assert kept(write) == {}


def test_not_applicable_is_kept_and_shown_again(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.purchaser)
    browser.post(rate(world), data=sent({"purchaser_correction": Answer(not_applicable=True)}))
    chosen = 'checked class="form-check-input" id="value-purchaser_correction-5" name="value-purchaser_correction"'
    assert chosen in browser.get(rate(world)).text
    assert "不适用" in browser.get(check(world)).text


def test_the_check_lists_what_is_missing_and_does_not_submit(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.evaluator)
    assert browser.get(check(world)).location == rate(world)  # nothing saved yet
    answer = browser.post(rate(world), data=sent({"third_goals": Answer(4)}, then="check"), follow_redirects=True)
    assert f'{rate(world)}#q-third_team"' in answer.text
    assert "正式提交" not in answer.text
    forced = browser.post(check(world), data={"version": version(browser, world)})
    assert (forced.status_code, "必答指标未答" in forced.text) == (422, True)
    assert write(lambda session: session.scalars(select(Assessment.state)).all()) == ["draft"]


def test_the_check_lists_extremes_without_a_comment(write: Callable[..., Any], world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.evaluator)
    answers = asked_of(write, world, world.evaluator) | {"third_goals": Answer(5)}
    answer = browser.post(rate(world), data=sent(answers, then="check"), follow_redirects=True)
    assert "最低一级和最高一级须填写说明" in answer.text
    assert f'{rate(world)}#q-third_goals"' in answer.text
    assert "正式提交" not in answer.text
    form = browser.get(rate(world)).text
    assert form.count("<details open>") == 1
    assert browser.post(check(world), data={"version": version(browser, world), "signed": "y"}).status_code == 422


def test_two_windows_both_contents_are_shown_and_neither_is_lost(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.evaluator)
    browser.post(rate(world), data=sent({"third_goals": Answer(5)}))
    behind = browser.post(rate(world), data=sent({"third_goals": Answer(2, comment="另一窗口")}, version=""))
    assert behind.status_code == 409
    assert "全部做到" in behind.text
    assert "少部分做到" in behind.text
    assert kept(write) == {"third_goals": 5}
    taken = behind.text.split('name="version" value="')[1].split('"')[0]
    browser.post(rate(world), data=sent({"third_goals": Answer(2, comment="另一窗口")}, version=taken))
    assert kept(write) == {"third_goals": 2}


def test_submitting_what_another_window_has_changed_shows_it_first(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.evaluator)
    browser.post(rate(world), data=sent(asked_of(write, world, world.evaluator)))
    answer = browser.post(check(world), data={"version": "2026-01-01T00:00:00+00:00"})
    assert answer.status_code == 409
    assert "请核对后再提交" in answer.text


def test_after_collecting_the_pages_say_so_and_save_nothing(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.evaluator)
    browser.post(rate(world), data=sent({"third_goals": Answer(4)}))
    seen = version(browser, world)

    def close(session: Session) -> None:
        session.get_one(Cycle, world.cycle.id).state = "review"

    write(close)
    for address in (rate(world), check(world)):
        assert browser.get(address).status_code == 410
        assert browser.post(address, data=sent({"third_goals": Answer(1)}, seen)).status_code == 410
    assert kept(write) == {"third_goals": 4}
    page = browser.get("/collection/worklist").text
    assert "目前没有分派" in page
    assert rate(world) not in browser.get(f"/collection/worklist?cycle={world.cycle.code}").text


def test_others_are_kept_out(write: Callable[..., Any], world: World, sign_in: SignIn) -> None:
    for role, status in ((Role.EVALUATOR, 403), (Role.PURCHASER, 403), (Role.VENDOR, 403), (Role.OFFICER, 403)):
        stranger = write(make_account, role)
        assert sign_in(stranger).get(rate(world)).status_code == status
        assert sign_in(stranger).post(rate(world), data={}).status_code == status
    assert sign_in(world.evaluator).get("/collection/entries/999999/rate").status_code == 404


# ── The list ──


def test_the_list_searches_sorts_and_tells_the_days(write: Callable[..., Any], world: World, sign_in: SignIn) -> None:
    def more(session: Session) -> None:
        today = now().date()
        for title, due in (("逾期项目", today - timedelta(days=3)), ("今日项目", today)):
            entry = make_entry(
                session, cycle=world.cycle, contract=make_contract(session, region=world.county, title=title)
            )
            session.add(Assignment(entry_id=entry.id, account_id=world.evaluator.id, due_on=due))

    write(more)
    browser = sign_in(world.evaluator)
    page = browser.get("/collection/worklist").text
    assert page.index("逾期项目") < page.index("今日项目") < page.index("居家照料项目")
    assert "已逾期" in page
    assert "还剩" in page
    assert "今日项目" not in browser.get("/collection/worklist?q=逾期").text
    for sort in ("reference", "title", "vendor", "due", "state"):
        assert browser.get(f"/collection/worklist?sort=-{sort}&state=not_begun").status_code == 200
    assert "没有符合条件" in browser.get("/collection/worklist?state=draft").text


def test_a_purchaser_without_contracts_is_told_when_they_appear(write: Callable[..., Any], sign_in: SignIn) -> None:
    assert "贵单位" in sign_in(write(make_account, Role.PURCHASER)).get("/collection/worklist").text


def test_the_desk_counts_what_is_left(world: World, app: Flask, database: Database) -> None:
    with app.test_request_context(), database.reading() as session:
        own = [todo for todo in todos(session, world.evaluator.as_actor()) if "collection" in todo.url]
        assert [(todo.count, todo.due, todo.url) for todo in own] == [
            (1, world.cycle.closes_on, url_for("collection.worklist"))
        ]
        assert not [t for t in todos(session, world.auditor.as_actor()) if t.url == url_for("collection.worklist")]


def test_the_desk_names_the_earliest_due_date(write: Callable[..., Any], app: Flask, database: Database) -> None:
    def early(session: Session) -> World:
        world = make_world(session)
        session.scalars(select(Assignment)).one().due_on = date(2026, 11, 10)
        return world

    world = write(early)
    with app.test_request_context(), database.reading() as session:
        assert [t.due for t in todos(session, world.evaluator.as_actor()) if t.count] == [date(2026, 11, 10)]


# ── Those who oversee ──


@pytest.fixture
def submitted(write: Callable[..., Any], world: World) -> int:
    def both(session: Session) -> int:
        identity = 0
        for account in (world.purchaser, world.evaluator):
            actor = account.as_actor()
            answers = full_answers(task_of(session, world.entry.id, actor=actor).questionnaire)
            draft = save_draft(
                session, world.entry.id, answers, version="", actor=actor, now=NOW, beside=WOULD_BUY_AGAIN
            )
            done = submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW)
            assert done.assessment is not None
            identity = done.assessment.id
        return identity

    made: int = write(both)
    return made


def test_the_overview_counts_who_has_rated(world: World, submitted: int, sign_in: SignIn) -> None:
    browser = sign_in(world.auditor)
    page = browser.get("/collection/").text
    assert world.cycle.title in page
    assert page.count('<td class="number">1</td>') == 3  # contracts, by purchaser, by third party
    assert page.count('<td class="number">0</td>') == 1  # without evaluator


def test_an_overview_without_contracts_says_what_comes_first(write: Callable[..., Any], sign_in: SignIn) -> None:
    assert "请先新建评价年度" in sign_in(write(make_account, Role.OFFICER)).get("/collection/").text


def test_the_auditor_reads_what_was_submitted(world: World, submitted: int, sign_in: SignIn) -> None:
    browser = sign_in(world.auditor)
    address = f"/collection/cycles/{world.cycle.code}/assessments"
    page = browser.get(address).text
    assert world.purchaser.name in page
    assert f"/collection/assessments/{submitted}" in page
    assert world.purchaser.name not in browser.get(address + "?party=third_party&sort=rater").text
    assert "没有符合条件" in browser.get(address + "?q=nothing").text
    assert world.evaluator.name in browser.get(f"/collection/assessments/{submitted}").text
    assert sign_in(world.purchaser).get(f"/collection/assessments/{submitted}").status_code == 403


def test_before_anybody_submits_the_list_leads_to_the_assignments(world: World, sign_in: SignIn) -> None:
    page = sign_in(world.auditor).get(f"/collection/cycles/{world.cycle.code}/assessments").text
    assert "还没有人提交" in page


# ── Beside the questions ──


def autosave(world: World) -> str:
    return f"/collection/entries/{world.entry.id}/autosave"


def test_the_page_saves_by_itself_and_is_told_what_became_of_it(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.evaluator)
    first = browser.post(autosave(world), data=sent({"third_goals": Answer(4, comment="现场")}))
    assert first.status_code == 200
    seen = first.get_json()["version"]
    assert version(browser, world).replace("&#43;", "+") == seen
    wrong = browser.post(autosave(world), data={"version": seen, "value-third_goals": "9", "visit-1-day": "2199-01-01"})
    assert (wrong.status_code, wrong.get_json()) == (422, {"message": "请填写 1 至 5 的整数等级。 这一天还没有到。"})
    behind = browser.post(autosave(world), data=sent({"third_goals": Answer(2)}))
    assert behind.status_code == 409
    assert "有变动" in behind.get_json()["message"]
    assert sign_in(world.purchaser).post("/collection/entries/999999/autosave").status_code == 404
    assert kept(write) == {"third_goals": 4}


def test_visits_and_buying_again_come_back_as_they_were_written(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    browser = sign_in(world.purchaser)
    day = world.cycle.opens_on.isoformat()
    given = {"version": "", "buy_again": "no", "visit-1-notes": "只记了这一句", "visit-3-day": day}
    assert browser.post(rate(world), data=given | {"then": "visit"}).location == rate(world) + "#visits"
    page = browser.get(rate(world)).text
    assert "只记了这一句" in page
    assert f'value="{day}"' in page  # the third became the second
    assert page.count("第 3 次走访") == 1  # an empty one to go on with
    checked = browser.get(check(world)).text
    assert "第 1 次走访的日期、地点和所见情况" in checked
    assert "检查验收材料" not in checked
    late = browser.post(rate(world), data=given | {"version": version(browser, world), "visit-1-day": "2199-01-01"})
    assert late.status_code == 422
    assert "这一天还没有到" in late.text
    behind = browser.post(rate(world), data={"version": "", "buy_again": "yes", "visit-1-place": "另一处"})
    assert behind.status_code == 409
    assert '<input type="hidden" name="visit-1-place" value="另一处">' in behind.text
    assert "只记了这一句" in behind.text


def test_what_the_record_says_is_shown_and_locked(write: Callable[..., Any], world: World, sign_in: SignIn) -> None:
    row = {"criterion": "purchaser_staff_share", "value": 0.8, "recorded_at": NOW, "recorded_by": "管理员"}
    write(lambda session: session.add(MeasuredValue(entry_id=world.entry.id, source="人员台账 <10 月>", **row)))
    page = sign_in(world.purchaser).get(rate(world)).text
    assert 'name="value-purchaser_staff_share"' not in page
    assert page.count("人员台账 &lt;10 月&gt;") == 2  # beside the form, and in the place of the field
    assert "人员台账" in sign_in(world.evaluator).get(rate(world)).text
    assert "一次验收合格，且优于合同和服务标准" in page  # what each level means


def test_acceptance_evidence_is_marked_as_such(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.purchaser)
    page = f"/collection/entries/{world.entry.id}/evidence"
    file = (BytesIO(pdf()), "验收报告.pdf")
    assert browser.post(page, data={"file": file, "criterion": "", "acceptance": "y"}).status_code == 303
    assert '<span class="tag tag-good">检查验收</span>' in browser.get(page).text


def test_the_overview_counts_who_would_buy_again(
    write: Callable[..., Any], world: World, submitted: int, sign_in: SignIn
) -> None:
    browser = sign_in(world.auditor)
    assert '<td class="number">1/1</td>' in browser.get("/collection/").text

    def hold(session: Session) -> None:
        session.scalars(select(Assessment).where(Assessment.buy_again)).one().held = True

    write(hold)
    assert "1/1" not in browser.get("/collection/").text
