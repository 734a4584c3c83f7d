"""The two small files beside the ratings: contracts, and the frames of recipients they serve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalsys.evaluation.file_faults import Findings, Message, _l
from evalsys.evaluation.long_files import Column, blocks
from evalsys.evaluation.strata import (
    ITEM,
    STRATUM,
    TOWNSHIP,
    Frame,
    fault_of_frame,
    label_of,
    parted_of,
    refuse_two_ways,
)
from evalsys.rules.model import Rules

CONTRACT_COLUMNS = (
    Column("contract", ("合同", "服务项目", "服务项目(合同)", "合同编号")),
    Column("vendor", ("承接主体",)),
    Column("peer_group", ("比较组", "同类组"), required=False),
    Column("amount", ("金额", "合同金额"), required=False),
    Column("served", ("服务对象数", "服务人数", "服务对象人数"), required=False),
    Column("service_type", ("服务类型",), required=False),
)

FRAME_COLUMNS = (
    Column("contract", ("合同", "服务项目", "服务项目(合同)", "合同编号")),
    STRATUM,
    TOWNSHIP,
    ITEM,
    Column("size", ("人数", "服务对象数", "服务对象人数")),
)


@dataclass(frozen=True)
class Contract:
    """One contract as its file tells it; NaN and None where the file says nothing."""

    vendor: str
    peer_group: str
    amount: float = np.nan
    served: float = np.nan
    service_type: str | None = None


def read_contracts(path: Path, rules: Rules) -> dict[str, Contract]:
    """Contracts by code.

    A peer group left empty is the one the rules give the service type.

    Raises:
        FilesFaulty: with every fault, up to 100.
        OSError: the file cannot be opened.
    """
    findings = Findings(path.name)
    groups = {group.code: group.code for group in rules.peer_groups}
    groups |= {name: g.code for g in rules.peer_groups for name in (g.name.zh, g.name.en)}
    types = {name: t.code for t in rules.service_types for name in (t.code, t.name.zh, t.name.en)}
    found: dict[str, Contract] = {}
    for row, cells in _rows(path, CONTRACT_COLUMNS, findings):
        code = _code(row, cells, findings)
        if code in found:
            findings.add(row, "contract", code, _l("This contract is there twice."), _l("Delete one of the two rows."))
        if not cells["vendor"]:
            findings.add(row, "vendor", "", _l("The cell is empty."), _l("Write the vendor's code."))
        group, kind = cells.get("peer_group", ""), cells.get("service_type", "")
        if kind and kind not in types:
            findings.add(row, "service_type", kind, _UNKNOWN, _one_of(t.code for t in rules.service_types))
        if group and groups and group not in groups:
            findings.add(row, "peer_group", group, _UNKNOWN, _one_of(g.code for g in rules.peer_groups))
        found[code] = Contract(
            vendor=cells["vendor"],
            peer_group=groups.get(group, group) or rules.peer_group_of(types.get(kind)),
            amount=_number(row, "amount", cells, findings),
            served=_number(row, "served", cells, findings),
            service_type=types.get(kind),
        )
    findings.raise_if_any()
    return found


def read_frame(path: Path, contracts: Collection[str]) -> Frame:
    """Recipients served, by contract and stratum.

    Where only margins are known, the township or the item of a row is empty.

    Args:
        path: the file.
        contracts: codes of the cycle's contracts; another one is a fault.

    Raises:
        FilesFaulty: with every fault, up to 100.
        OSError: the file cannot be opened.
    """
    findings = Findings(path.name)
    found: dict[tuple[str, str], int] = {}
    last: dict[str, int] = {}  # row of each contract
    parted: bool | None = None
    for row, cells in _rows(path, FRAME_COLUMNS, findings):
        refuse_two_ways(cells, findings)
        parted = parted_of(cells)
        code = _code(row, cells, findings)
        stratum = label_of(cells.get("township", ""), cells.get("item", "")) if parted else cells.get("stratum", "")
        if code and code not in contracts:
            findings.add(
                row, "contract", code, _l("There is no such contract."), _l("Correct the code, or delete the row.")
            )
        if (code, stratum) in found:
            findings.add(row, "stratum", stratum, _l("This stratum is there twice."), _l("Delete one of the two rows."))
        size = _number(row, "size", cells, findings, required=True)
        if size != np.floor(size):
            findings.add(
                row, "size", cells["size"], _l("Not a whole number."), _l("Write how many recipients there are.")
            )
        found[code, stratum] = int(np.nan_to_num(size))
        last[code] = row
    if parted:
        _refuse_uneven(found, last, findings)
    findings.raise_if_any()
    return Frame(found, parted)


def _refuse_uneven(found: Mapping[tuple[str, str], int], last: Mapping[str, int], findings: Findings) -> None:
    """The strata of a contract are all whole, or margins that agree."""
    sizes: dict[str, dict[str, int]] = {}
    for (code, stratum), size in found.items():
        sizes.setdefault(code, {})[stratum] = size
    for code, of_contract in sizes.items():
        if fault := fault_of_frame(of_contract):
            findings.add(last[code], "contract", code, *fault)


_UNKNOWN = _l("The rules do not have it.")


def _rows(path: Path, columns: tuple[Column, ...], findings: Findings) -> Iterator[tuple[int, dict[str, str]]]:
    for block in blocks(path, columns, findings):
        for place, row in enumerate(block.rows):
            yield row, {name: texts[place].strip() for name, texts in block.cells.items()}


def _code(row: int, cells: Mapping[str, str], findings: Findings) -> str:
    if not cells["contract"]:
        findings.add(row, "contract", "", _l("The cell is empty."), _l("Write the contract's code."))
    return cells["contract"]


def _number(row: int, column: str, cells: Mapping[str, str], findings: Findings, *, required: bool = False) -> float:
    text = cells.get(column, "").replace(",", "").replace("，", "")
    if not text and not required:
        return np.nan
    try:
        number = float(text) if "_" not in text else np.nan
    except ValueError:
        number = np.nan
    if not 0 <= number < 1e15:
        findings.add(
            row, column, cells[column], _l("Not a number of 0 or more."), _l("Write digits only, without a unit.")
        )
        return 0.0
    return number


def _one_of(codes: Iterable[str]) -> Message:
    return _l("Write one of: %(codes)s.", codes=", ".join(codes))
