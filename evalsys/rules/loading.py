"""From a rules file to `Rules`, or to every fault in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evalsys.rules.consistency import consistency_findings
from evalsys.rules.draft import Draft
from evalsys.rules.faults import Fault, Finding, RulesFaulty, dotted
from evalsys.rules.model import Rules
from evalsys.rules.names import naming_findings
from evalsys.rules.positions import line_of, lines_of
from evalsys.rules.reading import BOM, Unreadable, document_of, text_of
from evalsys.rules.shape import validated

__all__ = ["Fault", "RulesFaulty", "load", "loads", "rules_hash"]


def load(path: Path) -> Rules:
    """Read a rules file.

    Raises:
        RulesFaulty: the file has faults; all are listed.
        OSError: the file cannot be read.
    """
    return loads(path.read_bytes(), str(path))


def loads(data: bytes, name: str) -> Rules:
    """Read the bytes of a rules file; `name` is how faults call it.

    Raises:
        RulesFaulty: there are faults; all are listed.
    """
    try:
        text = text_of(data)
        document = document_of(text)
    except Unreadable as error:
        raise RulesFaulty((Fault(name, error.line, "", error.wrong, error.write),)) from error
    rules, findings = validated(document)
    draft = Draft(document)
    for check in (naming_findings, consistency_findings):
        told = {finding.path for finding in findings}  # what is malformed or misspelt need not also make sense
        findings += [finding for finding in check(draft) if finding.path not in told]
    if rules is None or findings:
        raise RulesFaulty(_placed(findings, text, name))
    return rules


def rules_hash(data: bytes) -> str:
    """SHA-256, in hex, of a rules file's bytes without a byte order mark and with LF line ends.

    So the same rules have the same hash whether a Windows or a Unix editor saved them.
    """
    return hashlib.sha256(data.removeprefix(BOM).replace(b"\r\n", b"\n")).hexdigest()


def _placed(findings: list[Finding], text: str, name: str) -> tuple[Fault, ...]:
    lines = lines_of(text)
    faults = (Fault(name, line_of(f.path, lines), dotted(f.path), f.wrong, f.write) for f in findings)
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.key)))
