"""Whom a sample asks: the numbers that follow from what is kept of the draw."""

from __future__ import annotations

from sqlalchemy import ScalarSelect, Select, func, select, update
from sqlalchemy.orm import Session

from evalsys.collection.drawing import Part, first_of
from evalsys.collection.models import Invitation
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.registry.models import Contract, Entry, RosterMember, Stratum


def sampled_entries(session: Session, cycle_id: int) -> set[int]:
    """The entries of a cycle of which a sample is in force; fills the registry's slot, so that their frames stay."""
    in_force = select(Sample.entry_id).where(Sample.withdrawn_at.is_(None))
    return set(session.scalars(in_force.join(Entry, Sample.entry_id == Entry.id).where(Entry.cycle_id == cycle_id)))


def forget_numbers(session: Session, cycle_id: int) -> None:
    """Forget whose place in a list an invitation was for; fills the registry's slot, for the close of a cycle."""
    entries = select(Entry.id).where(Entry.cycle_id == cycle_id)
    forget = update(Invitation).where(Invitation.entry_id.in_(entries), Invitation.number.is_not(None))
    session.execute(forget.values(number=None).execution_options(synchronize_session=False))


def asked_numbers(session: Session, entries: Select[int]) -> dict[int, list[int]]:
    """By stratum, the numbers of those to be asked: the sample and the spare cases that were released, in order.

    Strata without a sample in force are absent.
    """
    rows = session.execute(
        select(
            SamplePart.stratum_id,
            SampleSeed.seed,
            Contract.reference,
            Stratum.township,
            Stratum.item,
            SamplePart.frame,
            SamplePart.drawn + SamplePart.released,
        )
        .join(Sample, SamplePart.sample_id == Sample.id)
        .join(SampleSeed, Sample.seed_id == SampleSeed.id)
        .join(Stratum, SamplePart.stratum_id == Stratum.id)
        .join(Entry, Sample.entry_id == Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .where(Sample.withdrawn_at.is_(None), Sample.entry_id.in_(entries))
    )
    return {
        stratum: first_of(seed, reference, Part(township, item, frame), asked)
        for stratum, seed, reference, township, item, frame, asked in rows
    }


def roster_numbers(strata: Select[int]) -> Select[int, int, int]:
    """Stratum, id and number of every member of a roster: numbers go by the order in which they were taken in."""
    number = func.row_number().over(partition_by=RosterMember.stratum_id, order_by=RosterMember.id)
    return select(RosterMember.stratum_id, RosterMember.id, number.label("number")).where(
        RosterMember.stratum_id.in_(strata)
    )


def unsampled_of_part() -> ScalarSelect[int]:
    """Of a stratum in a statement: how many its sample does not ask; null where no sample is in force."""
    of_part = (
        select(SamplePart.frame - SamplePart.drawn - SamplePart.released)
        .join(Sample, SamplePart.sample_id == Sample.id)
        .where(SamplePart.stratum_id == Stratum.id, Sample.withdrawn_at.is_(None))
    )
    return of_part.correlate(Stratum).scalar_subquery()
