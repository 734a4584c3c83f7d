"""Codes for recipients: one for each place of the frame, told once."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.base.listing import Wanted
from evalsys.collection import invitations
from evalsys.collection.codes import code_hash, code_key, read_code
from evalsys.collection.counting import Figures, figures, figures_by_contract
from evalsys.collection.invitations import Invited, invite, withdraw_unused
from evalsys.collection.models import Invitation, ReceiptLeaf, Response
from evalsys.registry.models import Cycle, RosterMember
from tests.factories import NOW, actor, make_contract, make_county, make_cycle, make_entry, make_region, make_stratum

KEY = code_key("a secret")


def give(session: Session, cycle: Cycle, **who: Any) -> list[Invited]:
    return invite(session, cycle, key=KEY, actor=who.get("actor", COMMAND_LINE), now=NOW)


def test_every_place_of_the_frame_gets_a_code_once(session: Session) -> None:
    cycle = make_cycle(session)
    entries = [make_entry(session, cycle=cycle) for _ in range(2)]
    for entry, size in zip((*entries, entries[1]), (3, 2, 4), strict=True):
        make_stratum(session, entry=entry, size=size)
    make_stratum(session, size=7)  # of another cycle
    given = give(session, cycle)
    assert [one.reference for one in given] == [entries[0].contract.reference] * 3 + [entries[1].contract.reference] * 6
    assert len({one.code for one in given}) == 9
    assert all(read_code(one.code) == one.code for one in given)
    kept = set(session.scalars(select(Invitation.code_hmac)))
    assert kept == {code_hash(one.code, KEY) for one in given}
    assert give(session, cycle) == []
    make_stratum(session, entry=entries[0], size=1)
    assert [one.reference for one in give(session, cycle)] == [entries[0].contract.reference]


def test_a_frame_that_shrank_gets_no_more(session: Session) -> None:
    stratum = make_stratum(session, size=3)
    give(session, stratum.entry.cycle)
    stratum.size = 1
    session.flush()
    assert give(session, stratum.entry.cycle) == []
    assert figures(session, stratum.entry.cycle, actor=COMMAND_LINE).missing == 0


def test_those_of_the_roster_come_first_and_never_twice(session: Session) -> None:
    stratum = make_stratum(session, size=4)
    members = [RosterMember(stratum_id=stratum.id, name=f"测试对象{n}") for n in range(2)]
    session.add_all(members)
    session.flush()
    assert len(give(session, stratum.entry.cycle)) == 4
    named = session.scalars(select(Invitation.roster_member_id).where(Invitation.roster_member_id.is_not(None))).all()
    assert sorted(named) == [member.id for member in members]
    session.add_all(RosterMember(stratum_id=stratum.id, name=f"后来的{n}") for n in range(3))
    session.flush()
    assert len(give(session, stratum.entry.cycle)) == 1  # five by name now, four have codes


def test_codes_that_exist_are_drawn_anew(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    stratum = make_stratum(session, size=1)
    (first,) = give(session, stratum.entry.cycle)
    drawn = iter([first.code, "2222222222"])
    monkeypatch.setattr(invitations, "new_code", lambda: next(drawn))
    stratum.size = 2
    session.flush()
    assert [one.code for one in give(session, stratum.entry.cycle)] == ["2222222222"]


def test_many_codes_are_made_in_batches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "BATCH", 4)
    stratum = make_stratum(session, size=10)
    assert len(give(session, stratum.entry.cycle)) == 10


@pytest.mark.parametrize("state", ["review", "preliminary", "published", "closed"])
def test_after_collecting_no_code_is_given_or_withdrawn(session: Session, state: str) -> None:
    stratum = make_stratum(session, entry=make_entry(session, cycle=make_cycle(session, state=state)))
    with pytest.raises(Conflict):
        give(session, stratum.entry.cycle)
    with pytest.raises(Conflict):
        withdraw_unused(session, stratum.entry.cycle, actor=COMMAND_LINE, now=NOW)


def test_a_cycle_without_frames_says_what_to_do(app: Flask, session: Session) -> None:
    with pytest.raises(Conflict, match="没有服务对象名册") as caught:
        give(session, make_entry(session).cycle)
    assert "导入" in caught.value.remedy


def test_another_branch_gives_no_codes(session: Session) -> None:
    stratum = make_stratum(session)
    with pytest.raises(NotAllowed):
        give(session, stratum.entry.cycle, actor=actor(region=make_county(session)))


def test_a_county_acts_in_its_own_part_of_the_citys_cycle(session: Session) -> None:
    city = make_region(session)
    counties = [make_region(session, parent=city) for _ in range(2)]
    cycle = make_cycle(session, region=city)
    for county in counties:
        entry = make_entry(session, cycle=cycle, contract=make_contract(session, region=county))
        make_stratum(session, entry=entry, size=3)
    mine = actor(Role.ADMINISTRATOR, region=counties[0])
    assert len(give(session, cycle, actor=mine)) == 3
    assert figures(session, cycle, actor=mine) == Figures(frame=3, invited=3)
    assert figures(session, cycle, actor=actor(region=city)) == Figures(frame=6, invited=3)


def test_codes_of_a_lost_list_are_withdrawn_and_used_ones_stay(session: Session) -> None:
    stratum = make_stratum(session, size=3)
    cycle = stratum.entry.cycle
    give(session, cycle)
    session.scalars(select(Invitation)).first().used = True
    session.flush()
    assert withdraw_unused(session, cycle, actor=COMMAND_LINE, now=NOW) == 2
    assert session.scalars(select(Invitation.used)).all() == [True]
    assert len(give(session, cycle)) == 2
    assert figures(session, cycle, actor=COMMAND_LINE) == Figures(frame=3, invited=3, used=1)


def test_giving_and_withdrawing_is_audited_by_number(session: Session) -> None:
    stratum = make_stratum(session, size=2)
    cycle = stratum.entry.cycle
    for _ in range(2):
        give(session, cycle)  # the second gives none, and leaves no entry
    withdraw_unused(session, cycle, actor=COMMAND_LINE, now=NOW)
    withdraw_unused(session, cycle, actor=COMMAND_LINE, now=NOW)
    entries = session.execute(
        select(AuditEntry.act, AuditEntry.subject, AuditEntry.detail).order_by(AuditEntry.id)
    ).all()
    assert entries == [
        ("collection.invite", f"cycle:{cycle.code}", {"codes": 2}),
        ("collection.withdraw_codes", f"cycle:{cycle.code}", {"codes": 2}),
    ]


def test_figures_keep_apart_what_is_received_and_what_is_counted(session: Session) -> None:
    entry = make_entry(session)
    make_stratum(session, entry=entry, size=5)
    give(session, entry.cycle)
    for number, held in enumerate((False, True)):
        key = bytes([number]) * 16
        session.add(Response(key=key, entry_id=entry.id, mode="self", time_band="unknown", held=held))
        session.add(ReceiptLeaf(leaf=key * 2, entry_id=entry.id))
    session.flush()
    known = Figures(frame=5, invited=5, received=2, counted=1, held=1, modes=Counter({"self": 1}))
    assert figures(session, entry.cycle, actor=COMMAND_LINE) == known
    page = figures_by_contract(session, entry.cycle, Wanted(sort="-counted"), actor=COMMAND_LINE)
    (row,) = page.rows
    assert (row.reference, row.figures) == (entry.contract.reference, known)
    assert figures(session, make_cycle(session), actor=COMMAND_LINE) == Figures()


def test_the_list_has_contract_code_and_url_and_whose_they_are() -> None:
    invited = [Invited("HT,1", "2222222222"), Invited("HT,1", "3333333333", township="甲镇", item="照料", number=17)]
    rows = list(csv.reader(io.StringIO(invitations.links_csv(invited, "https://x.cn"))))
    assert rows == [
        ["contract", "code", "url", "township", "item", "number"],
        ["HT,1", "2222222222", "https://x.cn/s/2222222222", "", "", ""],
        ["HT,1", "3333333333", "https://x.cn/s/3333333333", "甲镇", "照料", "17"],
    ]


def test_ten_thousand_codes_take_a_statement_for_many(session: Session) -> None:
    stratum = make_stratum(session, size=10_000)
    assert len(give(session, stratum.entry.cycle)) == 10_000
    assert session.scalar(select(func.count()).select_from(Invitation)) == 10_000
