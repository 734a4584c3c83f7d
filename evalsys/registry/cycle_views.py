"""Pages of cycles: their life, their rules, the contracts entered and the frames of those."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import database, reading, transaction
from evalsys.base.errors import Invalid, NotFound
from evalsys.base.listing import Wanted
from evalsys.base.mixing import mix
from evalsys.registry import cycle_notes, cycles, frames, lists, pinning, queries
from evalsys.registry.answering import answer_form, answer_list, region_choices
from evalsys.registry.blueprint import bp
from evalsys.registry.forms import CycleForm, RulesForm, StratumForm
from evalsys.registry.models import Contract, Cycle, CycleState, Stratum
from evalsys.registry.pins import rules_of, rules_of_version
from evalsys.registry.place_views import STAFF

BY_HAND = (CycleState.COLLECTING, CycleState.REVIEW, CycleState.CLOSED)  # the others come with a run or an edition


@bp.get("/cycles")
@allow(*STAFF)
def cycle_list() -> ResponseReturnValue:
    return answer_list(
        lists.cycles_of(current_actor()),
        add=url_for("registry.new_cycle"),
        import_kind="",
        nothing=_("There is no cycle yet."),
    )


@bp.route("/cycles/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_cycle() -> ResponseReturnValue:
    form = CycleForm()
    form.region_id.choices = region_choices(current_actor())

    def save(session: Session) -> str:
        added = cycles.add_cycle(session, _facts(form), actor=current_actor(), now=now())
        return url_for("registry.cycle", code=added.code)

    return answer_form(form, save, title=_("Add a cycle"), back=(url_for("registry.cycle_list"), _("Cycles")))


@bp.route("/cycles/<code>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_cycle(code: str) -> ResponseReturnValue:
    kept = queries.readable_cycle(reading(), code, actor=current_actor())
    form = CycleForm(obj=kept)
    form.region_id.choices = region_choices(current_actor())

    def save(session: Session) -> str:
        changed = cycles.cycle_by_code(session, code)
        cycles.edit_cycle(session, changed, _facts(form), actor=current_actor(), now=now())
        return url_for("registry.cycle", code=code)

    return answer_form(
        form, save, title=_("Edit %(name)s", name=kept.title), back=(url_for("registry.cycle", code=code), kept.title)
    )


def _facts(form: CycleForm) -> cycles.CycleFacts:
    names = ("code", "title", "year", "region_id", "opens_on", "closes_on")
    return cycles.CycleFacts(**{name: form[name].data for name in names})


@bp.get("/cycles/<code>")
@allow(*STAFF)
def cycle(code: str) -> ResponseReturnValue:
    actor, session = current_actor(), reading()
    kept = queries.readable_cycle(session, code, actor=actor)
    sizes = queries.frame_sizes(session, kept)
    listing = lists.entries(kept, sizes)
    following = cycles.TRANSITIONS[CycleState(kept.state)]
    return render_template(
        "registry/cycle.html",
        cycle=kept,
        listing=listing,
        page=listing.page(session, Wanted.from_args(request.args)),
        kind_of=lists.kind_of,
        states=[state.value for state in CycleState],
        state_name=cycles.state_name,
        following=following if following in BY_HAND else None,
        may_edit=_may_edit(kept),
        entered=cycles.entry_count(session, kept),
        frame_total=sum(sizes.values()),
        without_frame=cycles.entry_count(session, kept) - len(sizes),
        rules=rules_of(kept) if kept.rules else None,
        notes=cycle_notes.of(session, kept, actor),
    )


@bp.route("/cycles/<code>/move", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def move_cycle(code: str) -> ResponseReturnValue:
    """Ask, then take the cycle to the state that follows."""
    kept = queries.readable_cycle(reading(), code, actor=current_actor())
    to = next((state for state in BY_HAND if state.value == request.args.get("to")), None)
    if to is None:
        raise NotFound(_("There is no such step."), remedy=_("Use the buttons on the page of the cycle."))
    if request.method == "POST":
        with transaction() as session:
            moved = cycles.cycle_by_code(session, code)
            cycles.move(session, moved, to, actor=current_actor(), now=now())
        if to is CycleState.REVIEW:
            mix(database())  # the few that still come are mixed with the first run
        flash(_("The cycle is now “%(state)s”.", state=cycles.state_name(to.value)))
        return redirect(url_for("registry.cycle", code=code), code=303)
    return render_template(
        "registry/move.html",
        cycle=kept,
        to=to,
        state_name=cycles.state_name,
        sizes=queries.frame_sizes(reading(), kept),
        missing=cycle_notes.of(reading(), kept, current_actor(), of_closing=True),
    )


@bp.get("/cycles/<code>/rules")
@allow(*STAFF)
def cycle_rules(code: str) -> ResponseReturnValue:
    """The rules a cycle goes by, with their history."""
    return _answer_rules(code)


@bp.post("/cycles/<code>/rules")
@allow(Role.ADMINISTRATOR)
def pin_rules(code: str) -> ResponseReturnValue:
    return _answer_rules(code)


def _answer_rules(code: str) -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.readable_cycle(reading(), code, actor=actor)
    form = RulesForm()

    def save(session: Session) -> str:
        changed = cycles.cycle_by_code(session, code)
        data, name = _rules_sent(form)
        pinning.pin_rules(session, changed, data, reason=form.reason.data or "", actor=actor, now=now(), name=name)
        return url_for("registry.cycle_rules", code=code)

    return answer_form(
        form,
        save,
        template="registry/rules.html",
        cycle=kept,
        history=[(pin, rules_of_version(pin.rules)) for pin in queries.pins_of(reading(), kept)],
        may_edit=_may_edit(kept),
    )


def _may_edit(cycle: Cycle) -> bool:
    actor = current_actor()
    return actor.role is Role.ADMINISTRATOR and actor.acts_in(cycle.region.path)


def _rules_sent(form: RulesForm) -> tuple[bytes, str]:
    if form.source.data == "shipped":
        return config.SHIPPED_RULES.read_bytes(), config.SHIPPED_RULES.name
    if not form.file.data:
        raise Invalid(_("No file was chosen."), remedy=_("Choose your rules file, or the rules of the system."))
    return form.file.data.read(), form.file.data.filename or "rules.toml"


@bp.route("/cycles/<code>/enter", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def enter_contracts(code: str) -> ResponseReturnValue:
    """Choose contracts of the year and enter them."""
    kept = queries.readable_cycle(reading(), code, actor=current_actor())
    if request.method == "POST":
        chosen = {int(text) for text in request.form.getlist("contract") if text.isdecimal() and len(text) < 10}
        with transaction() as session:
            entering = session.scalars(select(Contract).where(Contract.id.in_(chosen))).all()
            added = cycles.enter(
                session, cycles.cycle_by_code(session, code), entering, actor=current_actor(), now=now()
            )
        flash(_("%(n)s contracts were entered.", n=added))
        return redirect(url_for("registry.cycle", code=code), code=303)
    return render_template("registry/enter.html", cycle=kept, contracts=queries.contracts_to_enter(reading(), kept))


@bp.get("/cycles/<code>/entries/<int:number>")
@allow(*STAFF)
def entry(code: str, number: int) -> ResponseReturnValue:
    """An entry with its frame."""
    return _answer_entry(code, number)


@bp.post("/cycles/<code>/entries/<int:number>")
@allow(Role.ADMINISTRATOR)
def set_stratum(code: str, number: int) -> ResponseReturnValue:
    return _answer_entry(code, number)


def _answer_entry(code: str, number: int) -> ResponseReturnValue:
    kept = queries.readable_cycle(reading(), code, actor=current_actor())
    shown = frames.entry_for(reading(), kept, number)
    form = StratumForm()

    def save(session: Session) -> str:
        frames.set_stratum(
            session,
            frames.entry_for(session, cycles.cycle_by_code(session, code), number),
            township=form.township.data,
            item=form.item.data,
            size=form.size.data or 0,
            actor=current_actor(),
            now=now(),
        )
        return url_for("registry.entry", code=code, number=number)

    return answer_form(
        form,
        save,
        template="registry/entry.html",
        cycle=kept,
        entry=shown,
        strata=frames.strata_of(reading(), shown),
        roster_sizes=queries.roster_sizes(reading(), shown),
        may_edit=_may_edit(kept) and kept.state in frames.OPEN,
    )


@bp.post("/cycles/<code>/entries/<int:number>/withdraw")
@allow(Role.ADMINISTRATOR)
def withdraw_entry(code: str, number: int) -> ResponseReturnValue:
    with transaction() as session:
        gone = frames.entry_for(session, cycles.cycle_by_code(session, code), number)
        cycles.withdraw(session, gone, actor=current_actor(), now=now())
    flash(_("The contract was taken out of the cycle."))
    return redirect(url_for("registry.cycle", code=code), code=303)


@bp.post("/cycles/<code>/strata/<int:number>/remove")
@allow(Role.ADMINISTRATOR)
def remove_stratum(code: str, number: int) -> ResponseReturnValue:
    with transaction() as session:
        gone = session.get(Stratum, number)
        if gone is None or gone.entry.cycle.code != code:
            raise NotFound(_("There is no such part of the frame."), remedy=_("Reload the page of the contract."))
        back = gone.entry_id
        frames.remove_stratum(session, gone, actor=current_actor(), now=now())
    flash(_("Saved."))
    return redirect(url_for("registry.entry", code=code, number=back), code=303)
