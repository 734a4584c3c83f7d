"""The pages on which samples are drawn, and what of them is published."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.collection.codes import code_key
from evalsys.collection.invitations import invite
from evalsys.collection.models import Invitation
from evalsys.collection.sample_models import Sample, SampleSeed
from evalsys.collection.sample_queries import digest, statement_of
from tests.collection.world import World, make_world
from tests.factories import NOW, make_account, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
URL = "/collection/cycles/2026/sample/"
ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WISH = {"design": "proportional", "size": "10", "least": "3", "spare": "20"}


def world(session: Session, *, state: str = "collecting") -> World:
    made = make_world(session, code="2026", state=state)
    for township, size in (("甲镇", 60), ("乙镇", 40), ("丙镇", 2)):
        make_stratum(session, entry=made.entry, township=township, size=size)
    return made


def seen(page: str) -> dict[str, str]:
    """What the preview's confirmation sends."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def drawn(browser: CheckedClient, **wish: str) -> str:
    """The page after a draw by a seed that is typed."""
    browser.post(f"{URL}seed", data={"seed": "种子", "source": "彩票"})
    preview = browser.get(f"{URL}preview", query_string=WISH | wish)
    assert preview.status_code == 200, preview.text
    answer = browser.post(f"{URL}draw", data=seen(preview.text), follow_redirects=True)
    assert "已为 1 个服务项目抽样" in answer.text
    return answer.text


def ask(session: Session, made: World, outcome: str | None) -> None:
    """Give codes, and say of one recipient why there is no answer."""
    cycle = session.merge(made.cycle, load=True)
    invite(session, cycle, key=code_key("a"), actor=made.administrator.as_actor(), now=NOW)
    case = session.scalars(select(Invitation)).first()
    assert case is not None
    case.outcome = outcome


def test_from_the_seed_over_the_preview_to_the_draw(database: Database, write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    empty = browser.get(URL).text
    assert "还没有确定种子" in empty
    assert "全部调查" in empty
    assert "查看预览" not in empty
    browser.post(f"{URL}seed", data={"seed": "种子", "source": "彩票"})
    fixed = browser.get(URL).text
    assert digest("种子") in fixed
    preview = browser.get(f"{URL}preview", query_string=WISH).text
    assert "104" not in preview
    assert "102" in preview
    assert "偏少" in preview
    page = browser.post(f"{URL}draw", data=seen(preview), follow_redirects=True).text
    for part in ("甲镇", "乙镇", "丙镇"):
        assert part in page
    with database.reading() as session:
        kept = session.scalars(select(Sample)).one()
        assert (kept.size, kept.least, kept.spare_percent, kept.seed.seed) == (10, 3, 20, "种子")
    invitations = browser.get("/collection/cycles/2026/invitations/").text
    assert "按抽样应调查" in invitations
    assert "还有 10 名服务对象没有问卷码" in invitations
    assert "甲镇" in browser.get(f"{URL}?q=甲镇&sort=-frame").text
    assert "没有与" in browser.get(f"{URL}?q=没有的").text
    for column in ("reference", "title", "place", "drawn", "ended", "released", "left"):
        assert browser.get(f"{URL}?sort={column}").status_code == 200


@ONE_ENGINE
def test_the_files_hold_no_number_and_no_seed_before_collecting_is_over(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    drawn(sign_in(made.administrator))
    browser = sign_in(made.auditor)
    (row, *others) = csv.DictReader(io.StringIO(browser.get(f"{URL}?format=csv").data.decode("utf-8-sig")))
    assert len(others) == 2
    assert set(row.values()) >= {made.contract.reference, "10", digest("种子")}
    assert "种子" not in set(row.values())
    write(lambda session: setattr(session.merge(made.cycle), "state", "review"))
    (row, *_) = csv.DictReader(io.StringIO(browser.get(f"{URL}?format=csv").data.decode("utf-8-sig")))
    assert "种子" in set(row.values())
    assert browser.get(f"{URL}?format=xlsx").data.startswith(b"PK")


@ONE_ENGINE
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": "viele"}, "如 30"),
        ({"size": ""}, "请填写数目"),
        ({"least": "-1"}, "0 至 1,000"),
        ({"spare": "101"}, "0 至 100"),
        ({"design": "quota"}, "抽样方式"),
        ({"contracts": "HT-没有"}, "HT-没有"),
    ],
)
def test_a_wish_that_cannot_be_is_told(write: Write, sign_in: SignIn, wrong: dict[str, str], said: str) -> None:
    browser = sign_in(write(world).administrator)
    browser.post(f"{URL}seed")
    refused = browser.get(f"{URL}preview", query_string=WISH | wrong)
    assert refused.status_code == 422
    assert said in refused.text
    again = browser.post(f"{URL}draw", data=WISH | wrong)
    assert again.status_code in {409, 422}


@ONE_ENGINE
def test_a_preview_without_an_address_of_its_own_shows_the_usual_sample(write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    assert browser.get(f"{URL}preview").status_code == 409
    browser.post(f"{URL}seed")
    assert "分层抽样" in browser.get(f"{URL}preview").text


@ONE_ENGINE
def test_a_long_preview_is_cut(write: Write, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsys.collection.sample_views.MOST_SHOWN", 1)
    browser = sign_in(write(world).administrator)
    browser.post(f"{URL}seed")
    page = browser.get(f"{URL}preview").text
    assert "共 3" in page
    assert "甲镇" not in page


@ONE_ENGINE
def test_what_changed_since_the_preview_is_not_drawn(write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    browser.post(f"{URL}seed")
    preview = browser.get(f"{URL}preview", query_string=WISH).text
    assert browser.post(f"{URL}seed").status_code == 422
    browser.post(f"{URL}seed", data={"reason": "误录"})
    refused = browser.post(f"{URL}draw", data=seen(preview))
    assert refused.status_code == 409
    assert "没有抽取任何样本" in refused.text
    assert "误录" in refused.text


@ONE_ENGINE
def test_a_seed_that_is_too_long_is_told(write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    assert browser.post(f"{URL}seed", data={"seed": "1" * 101, "source": "x"}).status_code == 422


def test_spare_cases_are_released_and_need_codes(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    browser = sign_in(made.administrator)
    assert "撤回" in drawn(browser)
    nothing = browser.post(f"{URL}release", follow_redirects=True)
    assert "没有需要启用" in nothing.text
    write(ask, made, "refused")
    page = browser.get(URL).text
    assert "有 1 个样本未能答卷" in page
    assert "调查中" in page
    assert "待启用的备用样本" in browser.get("/collection/cycles/2026/desk/").text
    answer = browser.post(f"{URL}release", follow_redirects=True).text
    assert "已启用 1 个备用样本" in answer
    assert "还有 1 名服务对象没有问卷码" in answer
    assert "待启用的备用样本" not in browser.get("/collection/cycles/2026/desk/").text


@ONE_ENGINE
def test_a_draw_is_taken_back_with_a_reason(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    browser = sign_in(made.administrator)
    drawn(browser)
    url = f"{URL}entries/{made.entry.id}/withdraw"
    assert "留存备查" in browser.get(url).text
    assert browser.post(url).status_code == 422
    page = browser.post(url, data={"reason": "名册有误"}, follow_redirects=True).text
    assert "已撤销" in page
    assert "名册有误" in page
    assert browser.get(url).status_code == 404


@ONE_ENGINE
def test_nothing_is_taken_back_once_somebody_was_asked(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    browser = sign_in(made.administrator)
    drawn(browser)
    write(ask, made, "moved")
    refused = browser.post(f"{URL}entries/{made.entry.id}/withdraw", data={"reason": "不合意"})
    assert refused.status_code == 409
    assert "已有服务对象答卷" in refused.text


@ONE_ENGINE
def test_who_may_draw_and_who_may_look(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    officer = sign_in(write(lambda s: make_account(s, Role.OFFICER, region=s.merge(made.county))))
    drawn(officer)
    auditor = sign_in(made.auditor)
    page = auditor.get(URL)
    assert "种子" in page.text
    assert "查看预览" not in page.text
    assert auditor.post(f"{URL}release").status_code == 403
    for nobody in (made.purchaser, made.evaluator, write(make_account, Role.VENDOR)):
        assert sign_in(nobody).get(URL).status_code == 403
    assert sign_in(write(make_account, Role.ADMINISTRATOR)).get(URL).status_code == 403


def test_the_public_is_told_design_and_seed_when_collecting_is_over(
    database: Database, write: Write, sign_in: SignIn
) -> None:
    made = write(world)
    drawn(sign_in(made.administrator), design="simple")
    with database.transaction() as session:
        cycle = session.merge(made.cycle)
        assert statement_of(session, cycle.id, made.contract.reference) is None
        cycle.state = "published"
        session.flush()
        told = statement_of(session, cycle.id, made.contract.reference)
        assert told is not None
        assert (told.frame, told.drawn, told.released, told.seed, told.source) == (102, 10, 0, "种子", "彩票")
        assert "简单随机" in str(told.design)
        assert statement_of(session, cycle.id, "HT-other") is None
        assert session.scalars(select(SampleSeed.fixed_by)).all()
