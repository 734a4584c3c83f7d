"""Seeds, draws, spare cases, and draws taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.words import ACTS
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.collection.codes import code_key
from evalsys.collection.counting import figures
from evalsys.collection.drawing import Design, Part, Size, first_of
from evalsys.collection.invitations import invite, withdraw_unused
from evalsys.collection.models import Invitation
from evalsys.collection.sample_models import Sample, SamplePart
from evalsys.collection.sample_plans import Wish, plan_sample
from evalsys.collection.sampling import draw_sample, fix_seed, release_spares, withdraw_sample
from evalsys.registry.cycles import move, withdraw
from evalsys.registry.frames import set_stratum
from evalsys.registry.models import Cycle, CycleState, Entry, RosterMember, Stratum
from tests.factories import NOW, actor, make_contract, make_county, make_cycle, make_entry, make_region, make_stratum

pytestmark = pytest.mark.usefixtures("app")  # where the registry asks what a sample was drawn from
ACT: dict[str, Any] = {"actor": COMMAND_LINE, "now": NOW}
TEN = Wish(Design.PROPORTIONAL, Size(10), least=3, spare=20)


def seeded(session: Session, *sizes: int) -> Entry:
    """An entry with parts of these sizes, in a cycle with a seed."""
    entry = make_entry(session)
    for n, size in enumerate(sizes):
        make_stratum(session, entry=entry, township=f"示例{n}镇", size=size)
    fix_seed(session, entry.cycle, seed="种子", source="彩票", **ACT)
    return entry


def numbers_invited(session: Session, entry: Entry) -> dict[str, list[int | None]]:
    rows = session.execute(
        select(Stratum.township, Invitation.number)
        .join(Invitation, Invitation.stratum_id == Stratum.id)
        .where(Invitation.entry_id == entry.id)
        .order_by(Invitation.id)
    )
    found: dict[str, list[int | None]] = {}
    for township, number in rows:
        found.setdefault(township, []).append(number)
    return found


def give(session: Session, cycle: Cycle, **who: Any) -> int:
    return len(invite(session, cycle, key=code_key("a"), **(ACT | who)))


def end(session: Session, entry: Entry, count: int, outcome: str = "refused") -> None:
    some = select(Invitation).where(Invitation.entry_id == entry.id, Invitation.outcome.is_(None)).limit(count)
    for case in session.scalars(some):
        case.outcome = outcome
    session.flush()


def test_only_those_drawn_are_invited_by_their_numbers(session: Session) -> None:
    entry = seeded(session, 60, 40)
    preview = draw_sample(session, entry.cycle, TEN, **ACT)
    assert [(planned.drawn, planned.spare, planned.frame) for planned in preview.planned] == [(10, 3, 100)]
    assert give(session, entry.cycle) == 10
    reference = entry.contract.reference
    assert numbers_invited(session, entry) == {
        "示例0镇": first_of("种子", reference, Part("示例0镇", "", 60), 6),
        "示例1镇": first_of("种子", reference, Part("示例1镇", "", 40), 4),
    }
    assert give(session, entry.cycle) == 0
    found = figures(session, entry.cycle, actor=COMMAND_LINE)
    assert (found.frame, found.unsampled, found.invited, found.missing) == (100, 90, 10, 0)


def test_members_of_a_roster_are_known_by_their_place_in_it(session: Session) -> None:
    entry = seeded(session, 12)
    (stratum,) = session.scalars(select(Stratum).where(Stratum.entry_id == entry.id))
    session.add_all(RosterMember(stratum_id=stratum.id, name=f"示例对象{n}") for n in range(1, 9))  # 9 to 12 have none
    session.flush()
    draw_sample(session, entry.cycle, TEN, **ACT)
    invited = invite(session, entry.cycle, key=code_key("a"), **ACT)
    assert [one.number for one in invited] == first_of("种子", entry.contract.reference, Part("示例0镇", "", 12), 10)
    named = session.execute(
        select(Invitation.number, RosterMember.name).join(RosterMember, Invitation.roster_member_id == RosterMember.id)
    ).all()
    assert named
    assert all(name == f"示例对象{number}" for number, name in named)
    nameless = {one.number for one in invited} - {number for number, _name in named}
    assert nameless == {one.number for one in invited if one.number is not None and one.number > 8}


def test_contracts_without_a_sample_are_asked_in_full(session: Session) -> None:
    entry = seeded(session, 30)
    other = make_entry(session, cycle=entry.cycle)
    make_stratum(session, entry=other, size=7)
    draw_sample(session, entry.cycle, Wish(Design.SIMPLE, Size(4), contracts=(entry.contract.reference,)), **ACT)
    assert give(session, entry.cycle) == 11
    assert figures(session, entry.cycle, actor=COMMAND_LINE).unsampled == 26


def test_codes_of_a_lost_list_are_given_anew_to_the_same(session: Session) -> None:
    entry = seeded(session, 30)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    before = numbers_invited(session, entry)
    end(session, entry, 1)
    assert withdraw_unused(session, entry.cycle, **ACT) == 10
    assert give(session, entry.cycle) == 9
    after = numbers_invited(session, entry)
    assert {town: set(numbers) for town, numbers in after.items()} == {
        town: set(numbers) for town, numbers in before.items()
    }


def test_the_same_seed_and_frame_draw_the_same(session: Session) -> None:
    entry = seeded(session, 30, 50, 20)
    wish = Wish(Design.SIMPLE, Size(20, is_percent=True), spare=50)
    first = plan_sample(session, entry.cycle, wish, actor=COMMAND_LINE)
    again = draw_sample(session, entry.cycle, wish, seen=first.fingerprint, **ACT)
    assert first.fingerprint == again.fingerprint
    kept = session.scalars(select(Sample)).one()
    assert (kept.size, kept.size_is_percent, kept.least, kept.spare_percent) == (20, True, 0, 50)
    assert str(kept.wanted) == "20%"
    assert sum(part.drawn for part in kept.parts) == 20
    assert sum(part.spare for part in kept.parts) == 10


def test_something_else_than_was_seen_is_not_drawn(app: Flask, session: Session) -> None:
    entry = seeded(session, 30)
    seen = plan_sample(session, entry.cycle, TEN, actor=COMMAND_LINE).fingerprint
    fix_seed(session, entry.cycle, seed="另一个", source="彩票", reason="误录", **ACT)
    with pytest.raises(Conflict, match="没有抽取任何样本"):
        draw_sample(session, entry.cycle, TEN, seen=seen, **ACT)
    assert session.scalar(select(func.count()).select_from(Sample)) == 0


def test_without_a_seed_nothing_is_drawn(session: Session) -> None:
    stratum = make_stratum(session)
    with pytest.raises(Conflict, match="没有确定"):
        draw_sample(session, stratum.entry.cycle, TEN, **ACT)


def test_a_seed_that_nobody_types_is_drawn(session: Session) -> None:
    cycles = [make_cycle(session) for _ in range(2)]
    seeds = {fix_seed(session, cycle, source="not kept", **ACT).seed for cycle in cycles}
    assert all(len(seed) == 32 for seed in seeds)
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": "1"}, "来源"),
        ({"seed": "1" * 101, "source": "x"}, "太长"),
        ({"seed": "1", "source": "x" * 201}, "太长"),
        ({"reason": "x" * 501}, "太长"),
    ],
)
def test_a_seed_has_a_source_and_an_end(session: Session, given: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        fix_seed(session, make_cycle(session), **given, **ACT)


def test_another_seed_needs_a_reason(session: Session) -> None:
    entry = seeded(session, 5)
    with pytest.raises(Invalid, match="已经确定"):
        fix_seed(session, entry.cycle, reason=" ", **ACT)
    assert fix_seed(session, entry.cycle, seed="b", source="x", reason="名册更正", **ACT).reason == "名册更正"
    preview = draw_sample(session, entry.cycle, TEN, **ACT)
    assert preview.seed.seed == "b"


def test_a_list_is_not_made_once_the_seed_is_known(session: Session) -> None:
    entry = seeded(session, 30)
    later = NOW + timedelta(minutes=1)
    set_stratum(session, entry, township="新镇", item="", size=9, actor=COMMAND_LINE, now=later)
    with pytest.raises(Conflict, match="种子确定之后") as caught:
        draw_sample(session, entry.cycle, TEN, **ACT)
    assert "理由" in caught.value.remedy
    fix_seed(session, entry.cycle, reason="新增乡镇", actor=COMMAND_LINE, now=later)
    assert draw_sample(session, entry.cycle, TEN, actor=COMMAND_LINE, now=later).planned


def test_contracts_that_cannot_be_sampled_are_left_out_with_the_reason(session: Session) -> None:
    entry = seeded(session, 30)
    cycle = entry.cycle
    draw_sample(session, cycle, TEN, **ACT)
    empty, asked, fresh = (make_entry(session, cycle=cycle) for _ in range(3))
    make_stratum(session, entry=empty, size=0)
    make_stratum(session, entry=asked, size=2)
    give(session, cycle)
    end(session, asked, 1)
    make_stratum(session, entry=fresh, size=20)
    preview = draw_sample(session, cycle, TEN, **ACT)
    assert [planned.contract.id for planned in preview.planned] == [fresh.contract_id]
    assert {contract.id: why for contract, why in preview.left_out} == {
        entry.contract_id: "已经抽样。",
        empty.contract_id: "没有名册。",
        asked.contract_id: "已经开始调查其服务对象。",
    }
    with pytest.raises(Conflict, match="没有可以抽样的服务项目") as caught:
        draw_sample(session, cycle, TEN, **ACT)
    assert len(caught.value.details) == 4


def test_a_contract_that_is_not_there_is_named(session: Session) -> None:
    entry = seeded(session, 30)
    with pytest.raises(Invalid, match="HT-没有"):
        draw_sample(session, entry.cycle, Wish(Design.SIMPLE, Size(3), contracts=("HT-没有",)), **ACT)


def test_codes_given_before_the_draw_become_worthless(session: Session) -> None:
    entry = seeded(session, 30)
    give(session, entry.cycle)
    preview = draw_sample(session, entry.cycle, TEN, **ACT)
    assert preview.planned[0].worthless == 30
    assert session.scalar(select(func.count()).select_from(Invitation)) == 0
    assert give(session, entry.cycle) == 10


def test_small_parts_are_told(session: Session) -> None:
    entry = seeded(session, 30, 3, 0)
    (planned,) = plan_sample(session, entry.cycle, TEN, actor=COMMAND_LINE).planned
    assert [stratum.size for stratum in planned.small] == [3]


def test_as_many_spare_cases_as_ended_are_released_and_they_are_the_next(session: Session) -> None:
    entry = seeded(session, 60)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    assert release_spares(session, entry.cycle, **ACT) == 0
    end(session, entry, 1, "moved")
    assert release_spares(session, entry.cycle, **ACT) == 1
    assert release_spares(session, entry.cycle, **ACT) == 0
    assert figures(session, entry.cycle, actor=COMMAND_LINE).missing == 1
    assert give(session, entry.cycle) == 1
    order = first_of("种子", entry.contract.reference, Part("示例0镇", "", 60), 12)
    assert numbers_invited(session, entry)["示例0镇"] == order[:11]
    end(session, entry, 5)
    assert release_spares(session, entry.cycle, **ACT) == 1  # two in reserve
    give(session, entry.cycle)
    found = figures(session, entry.cycle, actor=COMMAND_LINE)
    assert (found.invited, found.refused, found.moved) == (12, 5, 1)
    answering = session.scalars(select(Invitation).where(Invitation.outcome.is_(None))).all()
    answering[0].used = True
    session.flush()
    rate = figures(session, entry.cycle, actor=COMMAND_LINE).rate
    assert rate == pytest.approx(1 / 11)  # whoever was released counts as asked


def test_an_outcome_taken_back_takes_no_spare_case_back(session: Session) -> None:
    entry = seeded(session, 60)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    end(session, entry, 2)
    assert release_spares(session, entry.cycle, **ACT) == 2
    for case in session.scalars(select(Invitation)):
        case.outcome = None
    session.flush()
    assert release_spares(session, entry.cycle, **ACT) == 0
    assert session.scalars(select(SamplePart.released)).all() == [2]


def test_a_draw_is_taken_back_with_a_reason_and_stays_on_record(session: Session) -> None:
    entry = seeded(session, 30)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    with pytest.raises(Invalid, match="理由"):
        withdraw_sample(session, entry.cycle, entry.id, " ", **ACT)
    assert withdraw_sample(session, entry.cycle, entry.id, "名册有误", **ACT).id == entry.contract_id
    assert session.scalar(select(func.count()).select_from(Invitation)) == 0
    with pytest.raises(NotFound, match="没有抽取"):
        withdraw_sample(session, entry.cycle, entry.id, "再一次", **ACT)
    set_stratum(session, entry, township="示例0镇", item="", size=40, actor=COMMAND_LINE, now=NOW)
    draw_sample(session, entry.cycle, TEN, **ACT)
    told = session.execute(select(Sample.withdrawn_because).order_by(Sample.id)).scalars().all()
    assert told == ["名册有误", None]


def test_a_contract_whose_draw_was_taken_back_can_leave_the_cycle(session: Session) -> None:
    entry = seeded(session, 30)
    entry.cycle.state = "draft"
    draw_sample(session, entry.cycle, TEN, **ACT)
    with pytest.raises(Conflict, match="已按此名册抽样"):
        withdraw(session, entry, **ACT)
    withdraw_sample(session, entry.cycle, entry.id, "不再评价", **ACT)
    withdraw(session, entry, **ACT)
    assert session.scalar(select(func.count()).select_from(Sample)) == 0


@pytest.mark.parametrize("change", [{"used": True}, {"outcome": "refused"}])
def test_nothing_is_taken_back_once_somebody_was_asked(session: Session, change: dict[str, Any]) -> None:
    entry = seeded(session, 30)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    case = session.scalars(select(Invitation)).first()
    for name, value in change.items():
        setattr(case, name, value)
    session.flush()
    with pytest.raises(Conflict, match="已有服务对象"):
        withdraw_sample(session, entry.cycle, entry.id, "不合意", **ACT)


@pytest.mark.parametrize("state", ["review", "published"])
def test_after_collecting_nothing_changes(session: Session, state: str) -> None:
    entry = seeded(session, 30)
    draw_sample(session, entry.cycle, TEN, **ACT)
    entry.cycle.state = state
    session.flush()
    for act in (
        lambda: fix_seed(session, entry.cycle, reason="x", **ACT),
        lambda: draw_sample(session, entry.cycle, TEN, **ACT),
        lambda: withdraw_sample(session, entry.cycle, entry.id, "x", **ACT),
        lambda: release_spares(session, entry.cycle, **ACT),
    ):
        with pytest.raises(Conflict, match="不再收集"):
            act()


def test_a_county_samples_its_own_part_of_the_citys_cycle(session: Session) -> None:
    city = make_region(session)
    cycle = make_cycle(session, region=city)
    entries = []
    for _ in range(2):
        county = make_region(session, parent=city)
        entries.append(make_entry(session, cycle=cycle, contract=make_contract(session, region=county)))
        make_stratum(session, entry=entries[-1], size=30)
    mine = {"actor": actor(Role.OFFICER, region=entries[0].contract.region), "now": NOW}
    fix_seed(session, cycle, **mine)
    assert [planned.entry.id for planned in draw_sample(session, cycle, TEN, **mine).planned] == [entries[0].id]
    with pytest.raises(Invalid, match=entries[1].contract.reference):
        draw_sample(session, cycle, Wish(Design.SIMPLE, Size(1), contracts=(entries[1].contract.reference,)), **mine)
    draw_sample(session, cycle, TEN, **ACT)
    with pytest.raises(NotFound):
        withdraw_sample(session, cycle, entries[1].id, "x", **mine)
    give(session, cycle)
    for entry in entries:
        end(session, entry, 1)
    assert release_spares(session, cycle, **mine) == 1
    with pytest.raises(NotAllowed):
        fix_seed(session, cycle, actor=actor(region=make_county(session)), now=NOW)


def test_every_act_stands_in_the_trail(session: Session) -> None:
    entry = seeded(session, 30)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    withdraw_sample(session, entry.cycle, entry.id, "名册有误", **ACT)
    draw_sample(session, entry.cycle, TEN, **ACT)
    give(session, entry.cycle)
    end(session, entry, 1)
    release_spares(session, entry.cycle, **ACT)
    told = {
        act: detail
        for act, detail in session.execute(select(AuditEntry.act, AuditEntry.detail))
        if act != "collection.invite"
    }
    assert told["collection.fix_seed"] == {"seed": "种子", "source": "彩票", "reason": ""}
    drawn = told["collection.draw_sample"]
    assert (drawn["seed"], drawn["size"], drawn["contracts"]) == ("种子", "10", [entry.contract.reference])
    assert told["collection.withdraw_sample"]["codes"] == 10
    assert told["collection.release_spares"] == {"cases": 1}
    assert set(told) <= set(ACTS)


def test_closing_forgets_whose_place_it_was(session: Session) -> None:
    entry, other = seeded(session, 30), seeded(session, 30)
    for one in (entry, other):
        draw_sample(session, one.cycle, TEN, **ACT)
        give(session, one.cycle)
    entry.cycle.state = "published"
    session.flush()
    move(session, entry.cycle, CycleState.CLOSED, **ACT)
    kept = session.execute(select(Invitation.entry_id, func.count(Invitation.number)).group_by(Invitation.entry_id))
    assert dict(kept.all()) == {entry.id: 0, other.id: 10}
