"""Step 11 of a cycle: the findings of a run against the same coefficients worked out from the rows, and their page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.base.errors import NotAllowed
from evalsys.collection.models import Assessment, AssessmentRating, RatingsImport, Response, ResponseRating
from evalsys.evaluation.answers import assessed
from evalsys.evaluation.models import Run
from evalsys.evaluation.reliability import Judgements, items_of, points_of
from evalsys.evaluation.reliability_page import in_words, reliability_page
from evalsys.evaluation.sums import label_of
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle, Entry, Region
from evalsys.registry.pins import rules_of
from evalsys.scoring.reliability import cronbach_alpha, krippendorff_alpha, raters_needed
from evalsys.scoring.severity import fit_crossed
from tests.evaluation.rated import all_at, assess, rated_entry
from tests.evaluation.trust import assess_by, judged_cycle, trust_rules
from tests.factories import NOW, actor, make_account, make_county, make_cycle
from tests.pages import CheckedClient

Browser = Callable[[Any], CheckedClient]


def run(session: Session, cycle: Cycle) -> Run:
    return run_cycle(session, cycle, actor=actor(), now=NOW)


def told(session: Session, cycle: Cycle) -> dict[str, Any]:
    found: dict[str, Any] = run(session, cycle).analyses["reliability"]
    return found


def of(said: dict[str, Any], party: str) -> dict[str, Any]:
    return next(one for one in said["raters"] if one["party"] == party)


def test_agreement_by_question_is_krippendorffs_alpha_of_the_rows(session: Session) -> None:
    cycle = judged_cycle(session)
    said = of(told(session, cycle), "third_party")
    rows = session.execute(
        select(Assessment.entry_id, Assessment.account_id, AssessmentRating.value)
        .join(AssessmentRating)
        .where(AssessmentRating.criterion == "third_records", Assessment.party == "third_party")
    ).all()
    entries, raters = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
    table = np.full((len(entries), len(raters)), np.nan)
    for entry, rater, value in rows:
        table[entries.index(entry), raters.index(rater)] = value
    kept = next(one for one in said["criteria"] if one["criterion"] == "third_records")
    assert kept["alpha"] == pytest.approx(krippendorff_alpha(table, draws=1).alpha, abs=1e-12)
    assert kept["low"] < kept["alpha"] < kept["high"]
    assert kept["contracts"] == 12
    assert (said["raters"], said["contracts"], said["twice"], said["parts"]) == (3, 12, 12, 1)


def test_raters_needed_follow_from_the_crossed_fit(session: Session) -> None:
    cycle = judged_cycle(session, contracts=15)
    said = of(told(session, cycle), "third_party")
    rules = rules_of(cycle)
    given = assessed(session, cycle, "third_party", rules)
    rater = np.unique(given.raters, return_inverse=True)[1]
    entry = np.array(given.entries)
    y = points_of(Judgements("third_party", rater, entry, given.answers, given.applies), rules)
    fit = fit_crossed(y, entry, rater)
    assert said["components"]["variance_target"] == pytest.approx(fit.variance_target, rel=1e-4)
    assert said["icc"]["raters"] == pytest.approx(2)
    assert said["icc"]["mean"] > said["icc"]["one"] > 0
    assert said["needed"] == raters_needed(fit, 0.8)
    assert (said["block"]["contracts"], said["block"]["raters"]) == (5, 2)
    assert [form["form"] for form in said["block"]["forms"]] == ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
    assert 0 < said["block"]["kendall"]["w"] <= 1


def test_a_questionnaire_is_cronbachs_alpha_of_its_complete_forms(session: Session) -> None:
    cycle = judged_cycle(session)
    said = told(session, cycle)
    kept = next(one for one in said["questionnaires"] if (one["party"], one["kind"]) == ("recipient", "personal"))
    codes = [item["criterion"] for item in kept["items"]]
    forms: dict[bytes, dict[str, float | None]] = {}
    for key, code, value in session.execute(
        select(ResponseRating.response_key, ResponseRating.criterion, ResponseRating.value)
        .join(Response)
        .join(Entry)
        .where(Entry.contract.has(service_type="care"))
    ):
        forms.setdefault(key, {})[code] = value
    table = np.array([[form[code] for code in codes] for form in forms.values()])
    whole = cronbach_alpha(table)
    assert kept["respondents"] == len(table) == 48
    assert (kept["alpha"], kept["low"]) == pytest.approx((whole.alpha, whole.low), abs=1e-12)
    assert [item["if_dropped"] for item in kept["items"]] == pytest.approx(whole.if_dropped.tolist(), abs=1e-12)
    assert "recipient_proxy" not in codes


def test_incomplete_and_held_forms_are_left_out(session: Session) -> None:
    cycle = judged_cycle(session)
    key, other = session.scalars(select(Response.key).join(Entry).where(Entry.contract.has(service_type="care"))).all()[
        :2
    ]
    session.get_one(ResponseRating, (key, "recipient_reachable")).value = None
    session.get_one(Response, other).held = True
    held = session.scalars(select(Assessment).where(Assessment.party == "third_party")).first()
    held.held = True
    session.flush()
    said = told(session, cycle)
    kept = next(one for one in said["questionnaires"] if (one["party"], one["kind"]) == ("recipient", "personal"))
    assert kept["respondents"] == 46
    assert of(said, "third_party")["twice"] == 11


def test_parties_are_compared_over_contracts(session: Session) -> None:
    said = told(session, judged_cycle(session))["parties"]
    third = next(gap for gap in said["gaps"] if gap["party"] == "third_party")
    assert third["contracts"] == 12
    assert third["mean"] < 0
    assert {tuple(pair["parties"]) for pair in said["pairs"]} == {
        ("purchaser", "recipient"),
        ("purchaser", "third_party"),
        ("recipient", "third_party"),
    }
    assert all(0.5 < pair["correlation"] <= 1 for pair in said["pairs"])


def test_four_recipients_are_compared_with_nobody(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    for _ in range(6):
        rated_entry(session, cycle, recipients=(5, 4, 3, 1))
    said = told(session, cycle)
    assert {tuple(pair["parties"]) for pair in said["parties"]["pairs"]} == {("purchaser", "third_party")}


def test_raters_who_always_say_the_same_leave_nothing_to_agree_on(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    people = [make_account(session, Role.EVALUATOR) for _ in range(2)]
    for _ in range(11):
        entry = rated_entry(session, cycle, third_party=None)
        for person in people:
            assess_by(session, entry, person, all_at(cycle, "third_party", "care", 4))
    said = told(session, cycle)
    third = of(said, "third_party")
    assert (third["twice"], third["components"], third["icc"], third["block"], third["criteria"]) == (
        11,
        None,
        None,
        None,
        [],
    )
    flat = next(one for one in said["questionnaires"] if one["party"] == "third_party")
    assert (flat["alpha"], flat["items"]) == (None, [])
    pair = next(one for one in said["parties"]["pairs"] if one["parties"] == ["purchaser", "third_party"])
    assert (pair["correlation"], pair["difference"]) == (None, pytest.approx(0, abs=30))


def test_no_number_of_raters_is_enough_where_one_tells_nothing(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session, steps=b"[reliability]\n"))
    people = [make_account(session, Role.EVALUATOR) for _ in range(2)]
    for n in range(10):
        entry = rated_entry(session, cycle, third_party=None)
        for person, level in zip(people, (1 + n % 5, 5 - n % 5), strict=True):
            answers = all_at(cycle, "third_party", "care", level)
            assess_by(session, entry, person, answers | {"third_privacy": 2.0})
    third = of(told(session, cycle), "third_party")
    assert third["icc"] == {"one": 0.0, "mean": 0.0, "raters": 2.0}
    assert third["needed"] is None


def test_a_single_question_is_no_questionnaire(session: Session) -> None:
    rules = rules_of(make_cycle(session, rules=trust_rules(session)))
    one = rules.model_copy(update={"criteria": rules.criteria_for("recipient")[:1]})
    assert items_of(one, "recipient", ["care"]) == {}


def test_an_assessment_with_too_few_answers_has_no_points(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    entry = rated_entry(session, cycle)
    assess(session, entry, "third_party", {"third_records": 4.0})
    assert of(told(session, cycle), "third_party")["raters"] == 1


def test_agreement_is_learned_with_the_pooled_terms(session: Session) -> None:
    cycle = judged_cycle(session)
    first = told(session, cycle)
    session.scalars(select(Assessment).where(Assessment.party == "third_party")).first().held = True
    session.flush()
    assert told(session, cycle) == first
    again = run_cycle(session, cycle, refit=True, actor=actor(), now=NOW).analyses["reliability"]
    assert of(again, "third_party")["twice"] == 11


def test_nothing_is_said_where_the_step_is_off(session: Session) -> None:
    cycle = judged_cycle(session, rules=trust_rules(session, steps=b""))
    assert "reliability" not in run(session, cycle).analyses


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.49, "较差"), (0.5, "中等"), (0.75, "良好"), (0.9, "很好")],
    ids=["poor", "fair", "good", "best"],
)
def test_agreement_in_words(app: object, share: float, said: str) -> None:
    assert in_words(share) == said


# The page


def judged(
    session: Session, *, steps: bytes | None = None, scored: bool = True, contracts: int = 12
) -> dict[Role, Any]:
    county = make_county(session)
    rules = trust_rules(session) if steps is None else trust_rules(session, steps=steps)
    cycle = judged_cycle(session, region=county, code="2026", title="2026 年度评价", rules=rules, contracts=contracts)
    if scored:
        run(session, cycle)
    return {role: make_account(session, role, region=county) for role in Role}


def with_raters(session: Session, **changes: Any) -> None:
    """What the run learned of three evaluators, the last of them unknown to the accounts."""
    made = session.scalars(select(Run)).one()
    known = sorted(session.scalars(select(Assessment.account_id).where(Assessment.party == "third_party").distinct()))
    from_file = session.scalars(select(Assessment).where(Assessment.account_id == known[2])).first()
    kept = RatingsImport(cycle_id=made.cycle_id, hash="a" * 64, rows=1, imported_at=NOW, imported_by="甲")
    session.add(kept)
    session.flush()
    from_file.account_id, from_file.import_id, from_file.rater_label = None, kept.id, "丙"
    raters = {
        "labels": [f"account:{known[0]}", f"account:{known[1]}", label_of(None, "丙")],
        "severity": [-6.5, 2.0, 0.0],
        "sd": [1.5, 1.5, None],
        "component": [0, 0, 1],
        "overlapping": 12,
        "variance_target": 60.0,
        "variance_rater": 20.0,
        "variance_residual": 20.0,
        "assumed": False,
    }
    made.pooled = made.pooled | {"raters": raters | changes}


ADDRESS = "/evaluation/cycles/2026/reliability"


def test_the_page_says_it_in_words_and_names_evaluators_to_the_administrator_alone(
    write: Callable[..., Any], sign_in: Browser
) -> None:
    people = write(judged)
    write(with_raters)
    page = sign_in(people[Role.ADMINISTRATOR]).get(ADDRESS)
    assert page.status_code == 200
    for words in ("评价是否可信", "评价员0", "评价员1", "丙", "至少两人评价", "Cronbach", "购买主体与服务对象"):
        assert words in page.text, words
    for role in (Role.OFFICER, Role.AUDITOR):
        browser = sign_in(people[role])
        shown = browser.get(ADDRESS).text
        assert "评价员 1" in shown
        assert "评价员0" not in shown
        assert "丙" not in shown
        assert "评价员0" not in browser.get(ADDRESS + "/severity.svg").text
    assert sign_in(people[Role.EVALUATOR]).get(ADDRESS).status_code == 403
    chart = sign_in(people[Role.ADMINISTRATOR]).get(ADDRESS + "/severity.svg")
    assert chart.mimetype == "image/svg+xml"
    assert "评价员0" in chart.text
    assert sign_in(people[Role.OFFICER]).get(ADDRESS + "/agreement.svg?party=third_party").status_code == 200
    assert sign_in(people[Role.OFFICER]).get(ADDRESS + "/agreement.svg?party=nobody").status_code == 404


def test_assumed_severities_are_said_to_be(write: Callable[..., Any], sign_in: Browser) -> None:
    people = write(judged)
    write(with_raters, assumed=True, variance_target=None, variance_residual=None)
    browser = sign_in(people[Role.OFFICER])
    assert "假定" in browser.get(ADDRESS).text
    assert browser.get(ADDRESS + "/severity.svg").status_code == 404


def test_before_the_first_scoring_and_with_the_step_off_the_page_says_so(
    write: Callable[..., Any], sign_in: Browser
) -> None:
    people = write(judged, steps=b"", scored=False)
    browser = sign_in(people[Role.OFFICER])
    assert "尚未计分" in browser.get(ADDRESS).text
    write(lambda session: run(session, session.scalars(select(Cycle)).one()))
    assert "未启用" in browser.get(ADDRESS).text
    assert browser.get(ADDRESS + "/agreement.svg?party=third_party").status_code == 404


def test_too_few_contracts_with_two_raters_are_said_to_be(write: Callable[..., Any], sign_in: Browser) -> None:
    people = write(judged, contracts=4)
    assert "无法进一步判断" in sign_in(people[Role.OFFICER]).get(ADDRESS).text


def test_parts_without_a_common_rater_are_named(write: Callable[..., Any], sign_in: Browser) -> None:
    people = write(judged)

    def split(session: Session) -> None:
        made = session.scalars(select(Run)).one()
        said = dict(made.analyses["reliability"])
        raters = [one | {"parts": 2, "needed": None} for one in said["raters"]]
        said |= {"raters": raters, "questionnaires": [], "parties": {"pairs": [], "gaps": []}}
        made.analyses = made.analyses | {"reliability": said}

    write(split)
    page = sign_in(people[Role.OFFICER]).get(ADDRESS).text
    assert "分成 2 组" in page
    assert "再多的评价人也不够" in page


def test_another_region_does_not_open_it(session: Session) -> None:
    cycle = judged_cycle(session, contracts=1)
    other = actor(Role.OFFICER, region=session.get_one(Region, make_county(session).id))
    with pytest.raises(NotAllowed):
        reliability_page(session, cycle, actor=other)
