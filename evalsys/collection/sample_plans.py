"""What a draw of samples would do, before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from flask_babel import gettext as _
from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base.access import Actor
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.drawing import Design, Part, Share, Size, shares
from evalsys.collection.models import Invitation
from evalsys.collection.sample_models import Sample, SampleSeed
from evalsys.registry.frames import strata_of
from evalsys.registry.models import Contract, Cycle, Entry, Stratum

FRAME_ACTS = ("registry.set_frame", "registry.import_frames", "registry.import_roster")
FEW = 5  # asked of a part; below, its answers are counted without saying which part they are from


@dataclass(frozen=True)
class Wish:
    """How samples are to be drawn.

    Attributes:
        size: of each contract, or of each part in the equal design.
        least: to be drawn in each part, in the proportional design.
        spare: cases held in reserve, in percent of those drawn.
        contracts: references; all that can be sampled where empty.
    """

    design: Design
    size: Size
    least: int = FEW
    spare: int = 20
    contracts: tuple[str, ...] = ()

    @property
    def floor(self) -> int:
        """`least`, where the design asks for it."""
        return self.least if self.design is Design.PROPORTIONAL else 0


@dataclass(frozen=True)
class Planned:
    """What would be drawn for a contract.

    `worthless`: codes given out to its recipients before, which nobody has used and which would go.
    """

    entry: Entry
    parts: tuple[tuple[Stratum, Share], ...]
    worthless: int

    @property
    def contract(self) -> Contract:
        return self.entry.contract

    @property
    def frame(self) -> int:
        return sum(stratum.size for stratum, _share in self.parts)

    @property
    def drawn(self) -> int:
        return sum(share.drawn for _stratum, share in self.parts)

    @property
    def spare(self) -> int:
        return sum(share.spare for _stratum, share in self.parts)

    @property
    def small(self) -> list[Stratum]:
        """Parts of which fewer than five would be asked."""
        return [stratum for stratum, share in self.parts if share.drawn < FEW and stratum.size]


@dataclass(frozen=True)
class Preview:
    """What would be drawn for a cycle, and for which contracts nothing would, with the reason."""

    seed: SampleSeed
    planned: Sequence[Planned]
    left_out: Sequence[tuple[Contract, str]]

    @property
    def parts(self) -> list[tuple[Planned, Stratum, Share]]:
        """Every part of every contract."""
        return [(planned, stratum, share) for planned in self.planned for stratum, share in planned.parts]

    @property
    def fingerprint(self) -> str:
        """Another where something else would be drawn."""
        said = [(p.entry.id, [(stratum.id, stratum.size, share) for stratum, share in p.parts]) for p in self.planned]
        return sha256(repr((self.seed.id, said)).encode()).hexdigest()[:32]


def seed_of(session: Session, cycle: Cycle) -> SampleSeed | None:
    """The seed by which the next sample of a cycle is drawn."""
    return session.scalar(
        select(SampleSeed).where(SampleSeed.cycle_id == cycle.id).order_by(SampleSeed.id.desc()).limit(1)
    )


def plan_sample(session: Session, cycle: Cycle, wish: Wish, *, actor: Actor) -> Preview:
    """What `draw_sample` would draw now.

    Raises:
        Invalid: a contract is named that the actor's part of the cycle does not have.
        Conflict: no seed is fixed, a frame or roster of the cycle changed since, or no contract can be sampled.
    """
    seed = seed_of(session, cycle)
    if seed is None:
        raise Conflict(
            _("No seed is fixed for the cycle %(code)s.", code=cycle.code),
            remedy=_("Fix it first; it has to stand before anybody is drawn."),
        )
    if _frames_changed_since(session, cycle, seed):
        raise Conflict(
            _("A frame or a roster has changed since the seed was fixed."),
            remedy=_("Fix another seed, with the reason: a list must not be made when the seed is known."),
        )
    planned, left_out = list[Planned](), list[tuple[Contract, str]]()
    codes, asked = codes_and_asked()
    drawn = select(Sample.id).where(Sample.entry_id == Entry.id, Sample.withdrawn_at.is_(None)).exists()
    for entry, given, answered, has_sample in session.execute(
        select(Entry, codes, asked, drawn)
        .join(Entry.contract)
        .options(joinedload(Entry.contract).joinedload(Contract.vendor))
        .where(Entry.id.in_(_wanted(session, cycle, wish, actor)))
        .order_by(Contract.reference)
    ):
        strata = [stratum for stratum in strata_of(session, entry) if not has_sample and not answered]
        if has_sample:
            left_out.append((entry.contract, _("A sample is drawn.")))
        elif answered:
            left_out.append((entry.contract, _("Its recipients are being asked already.")))
        elif not any(stratum.size for stratum in strata):
            left_out.append((entry.contract, _("It has no frame.")))
        else:
            planned.append(Planned(entry, _shares_of(seed, entry, strata, wish), given))
    if not planned:
        raise Conflict(
            _("There is no contract of which a sample could be drawn."),
            remedy=_("Import the frames first. Where recipients have been asked, nothing can be drawn any more."),
            details=[f"{contract.reference}: {why}" for contract, why in left_out],
        )
    return Preview(seed, planned, left_out)


def _frames_changed_since(session: Session, cycle: Cycle, seed: SampleSeed) -> bool:
    changed = select(AuditEntry.id).where(
        AuditEntry.subject == f"cycle:{cycle.code}", AuditEntry.act.in_(FRAME_ACTS), AuditEntry.at > seed.fixed_at
    )
    return session.scalar(changed.limit(1)) is not None


def codes_and_asked() -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Of an entry: how many codes were given out, and how many of their recipients answered, or said why not."""
    of_entry = select(func.count()).where(Invitation.entry_id == Entry.id)
    return (
        of_entry.correlate(Entry).scalar_subquery(),
        of_entry.where(Invitation.used | Invitation.outcome.is_not(None)).correlate(Entry).scalar_subquery(),
    )


def _wanted(session: Session, cycle: Cycle, wish: Wish, actor: Actor) -> list[int]:
    mine = entries_of_branch(cycle, actor)
    if not wish.contracts:
        return list(session.scalars(mine))
    rows = session.execute(mine.add_columns(Contract.reference).where(Contract.reference.in_(wish.contracts)))
    found = {reference: entry_id for entry_id, reference in rows}
    unknown = [reference for reference in wish.contracts if reference not in found]
    if unknown:
        raise Invalid(
            _("These contracts are not entered into the cycle: %(contracts)s", contracts="、".join(unknown[:10])),
            remedy=_("Write their numbers as in the list of contracts."),
        )
    return list(found.values())


def _shares_of(
    seed: SampleSeed, entry: Entry, strata: Sequence[Stratum], wish: Wish
) -> tuple[tuple[Stratum, Share], ...]:
    ordered = sorted(strata, key=lambda stratum: (stratum.township, stratum.item))  # databases sort Chinese differently
    parts = [Part(stratum.township, stratum.item, stratum.size) for stratum in ordered]
    found = shares(
        wish.design,
        seed.seed,
        entry.contract.reference,
        parts,
        size=wish.size,
        least=wish.floor,
        spare=wish.spare,
    )
    return tuple(zip(ordered, found, strict=True))
