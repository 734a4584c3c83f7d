"""`evalsys rules check` and `evalsys rules show`."""

from __future__ import annotations

from pathlib import Path

import click

from evalsys.config import SHIPPED_RULES, command_language
from evalsys.rules.explanation import explained
from evalsys.rules.loading import RulesFaulty, loads, rules_hash
from evalsys.rules.model import Rules

FAULTY = 2
"""Exit code of a file that is no rules file."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """List every fault of FILE with its line and what to write instead; exit 2 when there is one."""
    read, fingerprint = _read(file)
    chinese = command_language() == "zh"
    parts = (len(read.parties), len(read.dimensions), len(read.criteria), len(read.service_types))
    said = (
        "规则 {}，没有错误：{} 个评价主体，{} 个维度，{} 项指标，{} 类服务"
        if chinese
        else "rules {}, no fault: {} parties, {} dimensions, {} criteria, {} service types"
    )
    click.echo(f"{file}: {said.format(read.version, *parts)}\nsha256 {fingerprint}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=SHIPPED_RULES)
def show(file: Path) -> None:
    """Explain FILE (the shipped rules when none is given) as tables."""
    read, fingerprint = _read(file)
    click.echo(f"{explained(read, command_language())}\nsha256 {fingerprint}")


def _read(file: Path) -> tuple[Rules, str]:
    """The rules and their hash; says every fault and ends the command when there is one."""
    language = command_language()
    try:
        data = file.read_bytes()
        return loads(data, str(file)), rules_hash(data)
    except OSError as error:
        said = (
            "{}: 读不了这个文件（{}）；检查文件名和权限"
            if language == "zh"
            else "{}: cannot be read ({}); check its name"
        )
        click.echo(said.format(file, error.strerror), err=True)
    except RulesFaulty as error:
        for fault in error.faults:
            click.echo(fault.in_language(language), err=True)
        count = len(error.faults)
        click.echo(f"共 {count} 处错误" if language == "zh" else f"faults: {count}", err=True)
    raise SystemExit(FAULTY)
