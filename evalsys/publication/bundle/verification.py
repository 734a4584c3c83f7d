"""What holds of a bundle and what does not, said in words, from its bytes alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
import rfc8785
from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.publication.bundle import layout
from evalsys.publication.bundle.archive import unpacked
from evalsys.publication.bundle.consistency import from_before
from evalsys.publication.bundle.contents import scores_rows
from evalsys.publication.bundle.findings import Finding, Report
from evalsys.publication.bundle.recomputation import Recomputed, recomputed
from evalsys.publication.bundle.signature import Signature
from evalsys.publication.bundle.tables import Record, Unreadable, records, written
from evalsys.publication.merkle import SIZE, Tree
from evalsys.rules.faults import RulesFaulty
from evalsys.rules.loading import rules_hash

DECIMALS = 4
"""Of scores and limits, which recompute exactly."""

TOLERANCE = 1e-6
"""Of what is compared among peers."""

TOLD = 5
"""Contracts that are named of those which do not recompute."""

EXACT = ("score", "low", "high")
SAME = ("status", "grade", "peer_group", "rank", "rank_low", "rank_high", "band")
CLOSE = ("shrunk", "shrunk_sd", "tau2", "leads")


Keys = Mapping[str, datetime | None]
"""Public keys in Base64, each with the moment from which on it signs no longer."""


def verify(content: bytes, *, trusted: Keys | None = None) -> Report:
    """Look at everything that a bundle claims.

    Args:
        content: the zip file.
        trusted: keys that are known to be the publisher's; without any the signature is only compared with the key
            in the bundle itself, and its fingerprint told.
    """
    text = _("The file is a whole bundle.")
    try:
        files = unpacked(content)
        edition = statement_in(files)
    except Unreadable as error:
        return Report((Finding(text, holds=False, detail=str(error)),), {})
    found = [
        Finding(text, holds=True),
        _hashes(files, edition),
        _signed(files, edition, trusted or {}),
        _rules(files, edition),
        _leaves(files, edition),
        *from_before(edition),
    ]
    return Report((*found, *_scores(files, edition)), edition)


def statement_in(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What edition.json of a bundle says.

    Raises:
        Unreadable: there is none, or it is none.
    """
    if layout.EDITION not in files:
        raise Unreadable(f"{layout.EDITION} is missing")
    try:
        edition = json.loads(files[layout.EDITION])
        if rfc8785.dumps(edition) != files[layout.EDITION]:
            raise Unreadable(f"{layout.EDITION} is not canonical JSON (RFC 8785)")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{layout.EDITION}: {error}") from error
    if not isinstance(edition, dict) or edition.get("format") != layout.FORMAT:
        raise Unreadable(f"{layout.EDITION}: its format is not {layout.FORMAT}")
    if not isinstance(edition.get("files"), dict) or not isinstance(edition.get("leaves"), dict):
        raise Unreadable(f"{layout.EDITION}: files or leaves are missing")
    return edition


def _hashes(files: Mapping[str, bytes], edition: Mapping[str, Any]) -> Finding:
    text = _("Every file is the one that edition.json names.")
    stated = edition["files"]
    others = {name for name in files if name not in (layout.EDITION, layout.SIGNATURES)}
    changed = sorted(name for name in others & set(stated) if sha256(files[name]).hexdigest() != stated[name])
    missing, strange = sorted(set(stated) - others), sorted(others - set(stated))
    told = [_("changed: %(names)s", names=", ".join(changed))] if changed else []
    told += [_("missing: %(names)s", names=", ".join(missing))] if missing else []
    told += [_("not named: %(names)s", names=", ".join(strange))] if strange else []
    return Finding(text, not told, "; ".join(told))


def _signed(files: Mapping[str, bytes], edition: Mapping[str, Any], trusted: Keys) -> Finding:
    text = _("edition.json is signed.")
    try:
        rows = json.loads(files.get(layout.SIGNATURES, b"[]"))
        signatures = [Signature(str(row["key"]), str(row["signature"])) for row in rows]
    except (ValueError, TypeError, KeyError):
        return Finding(text, holds=False, detail=_("signatures.json cannot be read."))
    good = [signature for signature in signatures if signature.holds(files[layout.EDITION])]
    if not signatures or len(good) < len(signatures):
        return Finding(text, holds=False, detail=_("A signature is missing or does not fit."))
    if not trusted:
        names = ", ".join(signature.fingerprint for signature in good)
        return Finding(
            text, holds=True, detail=_("Key %(names)s; compare it with the one in the bulletin.", names=names)
        )
    known = [signature.fingerprint for signature in good if signature.key in trusted]
    if not known:
        return Finding(text, holds=False, detail=_("It is signed, but with none of the publisher's keys."))
    in_use = [one.fingerprint for one in good if one.key in trusted and not _retired(trusted[one.key], edition)]
    if not in_use:
        return Finding(
            text,
            holds=False,
            detail=_("Key %(names)s had been retired when this edition says it was published.", names=", ".join(known)),
        )
    return Finding(text, holds=True, detail=_("Key %(names)s, the publisher's.", names=", ".join(in_use)))


def _retired(until: datetime | None, edition: Mapping[str, Any]) -> bool:
    """Whether a key signed no longer when the edition says it was published."""
    if until is None:
        return False
    try:
        return datetime.fromisoformat(str(edition.get("published_at"))) >= until
    except (ValueError, TypeError):  # no moment, or one without its zone
        return True


def _rules(files: Mapping[str, bytes], edition: Mapping[str, Any]) -> Finding:
    text = _("The rules are those that edition.json names.")
    return Finding(text, rules_hash(files.get(layout.RULES, b"")) == edition.get("rules_hash"))


def _leaves(files: Mapping[str, bytes], edition: Mapping[str, Any]) -> Finding:
    text = _("The root is that of the answers received.")
    try:
        leaves = [bytes.fromhex(line) for line in files.get(layout.LEAVES, b"").decode("ascii").splitlines()]
    except ValueError:
        return Finding(text, holds=False, detail=_("leaves.txt cannot be read."))
    if any(len(leaf) != SIZE for leaf in leaves) or len(set(leaves)) < len(leaves):
        return Finding(text, holds=False, detail=_("leaves.txt has a line that is no hash, or one twice."))
    stated = edition["leaves"]
    if stated != {"size": len(leaves), "root": Tree(leaves).root.hex()}:
        return Finding(text, holds=False, detail=_("leaves.txt has another root or another number of leaves."))
    received, counted, held = (edition.get(name) for name in ("received", "counted", "held"))
    if not (isinstance(counted, int) and isinstance(held, int) and received == len(leaves) == counted + held):
        return Finding(text, holds=False, detail=_("Received is not counted and held together."))
    return Finding(text, holds=True, detail=ngettext("%(num)s answer", "%(num)s answers", len(leaves)))


def _scores(files: Mapping[str, bytes], edition: Mapping[str, Any]) -> list[Finding]:
    """Whether scores, and comparisons among peers, follow from the inputs."""
    text = _("Scores, intervals and grades follow from the inputs.")
    beside = _("Rank sets, shrinkage and the space of weights follow from the scores.")
    try:
        made = recomputed(files, seed=int(edition["seed"]))
        stated = records("scores.csv", files.get("scores.csv", b""))
    except (Unreadable, RulesFaulty, ValueError, KeyError) as error:
        return [Finding(text, holds=False, detail=str(error))]
    again = records("scores.csv", written("scores.csv", scores_rows(made.result, made.rules)))
    if [row["contract"] for row in stated] != [row["contract"] for row in again]:
        return [Finding(text, holds=False, detail=_("scores.csv has other contracts than contracts.csv."))]
    pairs = [pair for pair in zip(stated, again, strict=True) if pair[0]["contract"] not in made.hidden]
    follow = _told(text, [one["contract"] for one, other in pairs if not _equal(one, other)], len(pairs))
    if made.hidden:
        return [follow, Finding(beside, holds=None, detail=_hidden(made))]
    return [follow, _told(beside, [one["contract"] for one, other in pairs if not _close(one, other)], len(pairs))]


def _hidden(made: Recomputed) -> str:
    told: str = ngettext(
        "%(num)s contract has fewer than 5 answers, which are not told; it and its peers cannot be recomputed.",
        "%(num)s contracts have fewer than 5 answers, which are not told; they and their peers cannot be recomputed.",
        len(made.hidden),
    )
    return told


def _told(text: str, contracts: list[str], looked_at: int) -> Finding:
    if not contracts:
        detail = ngettext("%(num)s contract recomputed", "%(num)s contracts recomputed", looked_at)
        return Finding(text, holds=True, detail=detail)
    names = ", ".join(contracts[:TOLD]) + ("…" if len(contracts) > TOLD else "")
    return Finding(
        text,
        holds=False,
        detail=ngettext(
            "%(num)s contract does not: %(names)s", "%(num)s contracts do not: %(names)s", len(contracts), names=names
        ),
    )


def _equal(stated: Record, again: Record) -> bool:
    return all(stated[name] == again[name] for name in ("status", "grade")) and all(
        _near(stated[name], again[name], 0.5 * 10**-DECIMALS) for name in EXACT
    )


def _close(stated: Record, again: Record) -> bool:
    return all(stated[name] == again[name] for name in SAME) and all(
        _near(stated[name], again[name], TOLERANCE) for name in CLOSE
    )


def _near(stated: str, again: str, tolerance: float) -> bool:
    if not stated or not again:
        return stated == again
    return bool(np.abs(float(stated) - float(again)) <= tolerance)
