"""How roles and acts are called on screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from evalsys.accounts.detail_words import detail_name
from evalsys.base.access import Role, shown_name
from evalsys.base.audit import AuditEntry

ROLES: dict[Role, LazyString] = {
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.OFFICER: _l("Procurement officer"),
    Role.PURCHASER: _l("Purchaser"),
    Role.EVALUATOR: _l("Third-party evaluator"),
    Role.VENDOR: _l("Vendor"),
    Role.AUDITOR: _l("Auditor"),
    Role.INTERVIEWER: _l("Interviewer"),
}

DUTIES: dict[Role, LazyString] = {
    Role.ADMINISTRATOR: _l("Keeps the registers, the yearly cycles, the assignments and the accounts of the branch."),
    Role.OFFICER: _l("Previews and publishes results, and chooses next year's vendors."),
    Role.PURCHASER: _l("Rates the contracts of the own department."),
    Role.EVALUATOR: _l("Assesses the contracts assigned to the own body."),
    Role.VENDOR: _l("Reads the published results of the own contracts."),
    Role.AUDITOR: _l("Reads everything in the branch, the audit trail included."),
    Role.INTERVIEWER: _l("Asks recipients of the branch who want help, on the telephone or in person."),
}

ACTS: dict[str, LazyString] = {
    "accounts.change_own_password": _l("Own password changed"),
    "accounts.close_account": _l("Account closed"),
    "accounts.create_account": _l("Account added"),
    "accounts.create_token": _l("Access token made"),
    "accounts.edit_account": _l("Account changed"),
    "accounts.reopen_account": _l("Account opened again"),
    "accounts.reset_password": _l("Password reset"),
    "accounts.revoke_token": _l("Access token revoked"),
    "accounts.sign_in": _l("Signed in"),
    "accounts.sign_in_refused": _l("Sign-in refused"),
    "accounts.sign_out": _l("Signed out"),
    "appeals.end_follow_up": _l("Asking recipients after a rectification ended"),
    "appeals.finish_rectification": _l("Rectification checked and found done"),
    "appeals.lift_rectification": _l("Rectification lifted by a later edition"),
    "appeals.make_follow_up_codes": _l("Slips made to ask recipients after a rectification"),
    "appeals.open_rectification": _l("Rectification demanded"),
    "appeals.report_rectification": _l("Rectification reported"),
    "appeals.return_rectification": _l("Rectification sent back"),
    "appeals.make_letters": _l("Sealed letters made"),
    "appeals.open_letter": _l("Sealed letter opened"),
    "appeals.publish_reply": _l("Reply of a vendor published"),
    "appeals.return_reply": _l("Reply of a vendor returned"),
    "appeals.submit_reply": _l("Reply handed in by a vendor"),
    "appeals.accept_objection": _l("Objection taken up"),
    "appeals.decide_objection": _l("Objection decided"),
    "appeals.extend_objection": _l("Time for an objection prolonged"),
    "appeals.file_objection": _l("Objection filed"),
    "appeals.issue_notice": _l("Vendors told the preliminary result"),
    "appeals.read_notice": _l("Preliminary result read"),
    "appeals.recuse": _l("Stood aside from an objection"),
    "appeals.withdraw_objection": _l("Objection withdrawn"),
    "collection.add_evidence": _l("Evidence attached"),
    "collection.assign": _l("Assessment assigned"),
    "collection.assign_by_plan": _l("Assessments assigned by a plan"),
    "collection.cosign_assessment": _l("Rating co-signed"),
    "collection.declare_interests": _l("Declaration of interests signed"),
    "collection.draw_sample": _l("Sample of recipients drawn"),
    "collection.export_ratings": _l("Ratings saved as a file"),
    "collection.fix_seed": _l("Seed of a sample fixed"),
    "collection.draw_rechecks": _l("Interviews drawn to be checked again"),
    "collection.import_ratings": _l("Ratings taken in from a file"),
    "collection.record_measured": _l("Values of the record taken in"),
    "collection.record_recheck": _l("Interview checked again"),
    "collection.cancel_paper_batch": _l("Batch of paper forms cancelled"),
    "collection.finish_paper_keying": _l("Pile of paper forms closed"),
    "collection.open_paper_batch": _l("Batch of paper forms opened"),
    "collection.print_paper": _l("Paper forms printed"),
    "collection.record_outcomes": _l("Outcomes of invitations recorded"),
    "collection.refuse_cosignature": _l("Co-signature refused"),
    "collection.release_spares": _l("Spare cases released"),
    "collection.release_paper_batch": _l("Batch of paper forms released"),
    "collection.remove_evidence": _l("Evidence removed"),
    "collection.return_assessment": _l("Rating sent back for correction"),
    "collection.save_call_list": _l("Call list saved as a file"),
    "collection.save_draft": _l("Draft of a rating kept"),
    "collection.send_again": _l("Messages sent again"),
    "collection.sign_assessment": _l("Rating signed, awaits co-signature"),
    "collection.start_messages": _l("Messages started"),
    "collection.submit_assessment": _l("Rating submitted"),
    "collection.take_for_sent": _l("Messages of unknown end taken for sent"),
    "collection.take_signature_back": _l("Signature taken back"),
    "collection.withdraw_assignment": _l("Assignment withdrawn"),
    "collection.withdraw_sample": _l("Draw of a sample taken back"),
    "collection.withdraw_paper": _l("Paper forms withdrawn"),
    "evaluation.hold_ratings": _l("Flagged ratings held back"),
    "evaluation.look_early": _l("Quality of the answers looked at"),
    "evaluation.release_ratings": _l("Flagged ratings released"),
    "evaluation.run_cycle": _l("Cycle scored"),
    "evaluation.run_early": _l("Scored without waiting for open surveys"),
    "evaluation.scan_cycle": _l("Ratings looked through for signs"),
    "operations.verify_trail": _l("Audit trail verified"),
    "publication.confirm_withdrawal": _l("Edition withdrawn"),
    "publication.enter_withdrawal": _l("Order to withdraw an edition entered"),
    "publication.publish": _l("Results published"),
    "publication.refuse_withdrawal": _l("Order to withdraw an edition refused"),
    "publication.make_key": _l("Signing key made"),
    "publication.retire_key": _l("Signing key retired"),
    "registry.add_contract": _l("Contract added"),
    "registry.add_cycle": _l("Cycle added"),
    "registry.add_evaluator_body": _l("Evaluators' body added"),
    "registry.add_purchaser": _l("Purchaser added"),
    "registry.add_region": _l("Region added"),
    "registry.edit_contract": _l("Contract changed"),
    "registry.edit_cycle": _l("Cycle changed"),
    "registry.edit_evaluator_body": _l("Evaluators' body changed"),
    "registry.edit_purchaser": _l("Purchaser changed"),
    "registry.edit_vendor": _l("Vendor changed"),
    "registry.enter": _l("Contracts entered into a cycle"),
    "registry.move_cycle": _l("Cycle taken to the next state"),
    "registry.pin_rules": _l("Rules pinned to a cycle"),
    "registry.register_vendor": _l("Vendor registered"),
    "registry.rename_region": _l("Region renamed"),
    "registry.set_frame": _l("Recipient frame set"),
    "registry.withdraw": _l("Contract withdrawn from a cycle"),
    "selection.add_candidate": _l("Candidate added"),
    "selection.create_plan": _l("Selection plan made"),
    "selection.decide": _l("Vendor chosen"),
    "selection.edit_plan": _l("Selection plan changed"),
    "selection.enter_points": _l("Points entered"),
    "selection.remove_candidate": _l("Candidate taken off"),
}
"""Every act that any room writes into the audit trail."""

SUBJECTS: dict[str, LazyString] = {
    "account": _l("Account"),
    "contract": _l("Contract"),
    "cycle": _l("Cycle"),
    "entry": _l("Entry"),
    "evaluator_body": _l("Evaluators' body"),
    "file": _l("File"),
    "purchaser": _l("Purchaser"),
    "region": _l("Region"),
    "objection": _l("Objection"),
    "selection_plan": _l("Selection plan"),
    "vendor": _l("Vendor"),
}
"""The kinds of things that acts are done to."""


def subject(code: str) -> str:
    """A subject, "vendor:9144…", with its kind in the reader's language."""
    kind, _colon, key = code.partition(":")
    return f"{SUBJECTS[kind]} {key}" if kind in SUBJECTS else code


def act(code: str) -> str:
    """The act's name in the reader's language; an unknown one by its code."""
    return str(ACTS.get(code, code))


def doer(entry: AuditEntry) -> str:
    """Who did it."""
    return shown_name(entry.actor_name)


def detail(given: Mapping[str, Any]) -> str:
    """What an audit entry says beyond act and subject, on one line."""
    return "; ".join(f"{detail_name(key)}: {_plain(value)}" for key, value in given.items() if value not in ("", None))


def _plain(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(_l("yes") if value else _l("no"))
        case _:
            return json.dumps(value, ensure_ascii=False)


def role(value: str) -> LazyString:
    """The role's name in the reader's language; also a template filter."""
    return ROLES[Role(value)]


def role_or_none(value: str) -> Role | None:
    """The role that an address names, if there is one."""
    return Role(value) if value in set(Role) else None
