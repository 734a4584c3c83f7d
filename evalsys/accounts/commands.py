"""`evalsys account`: the first account, and any other, from the command line."""

from __future__ import annotations

import sys

import click
from flask_babel import gettext as _
from sqlalchemy import select

from evalsys.accounts import words
from evalsys.accounts.usecases import CreateAccount, create_account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.errors import NotFound
from evalsys.registry.models import EvaluatorBody, Purchaser, Region


@click.group()
def account() -> None:
    """Add the accounts of the people who sign in."""


@account.command()
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as pages and the audit trail show it.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="One role an account.")
@click.option("--region", "region_code", required=True, help="Code of the region in which, and below which, to act.")
@click.option("--purchaser", default="", help="For a purchaser: the name of the department in that region.")
@click.option("--vendor", default="", help="Credit code of the vendor; of an interviewer's employer, if it is one.")
@click.option("--body", default="", help="For an evaluator: the credit code of the evaluators' body.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking twice.")
def create(
    username: str,
    *,
    name: str,
    role: str,
    region_code: str,
    purchaser: str,
    vendor: str,
    body: str,
    password_stdin: bool,
) -> None:
    """Add the account USERNAME; the password is asked for twice."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with application() as database, database.transaction() as session:
        region = session.scalar(select(Region).where(Region.code == region_code))
        if region is None:
            raise NotFound(
                _("There is no region with the code “%(code)s”.", code=region_code),
                remedy=_("Check the code, or add it first: evalsys import regions FILE"),
            )
        request = CreateAccount(
            username=username,
            name=name,
            role=Role(role),
            region_id=region.id,
            purchaser_id=session.scalar(
                select(Purchaser.id).where(Purchaser.region_id == region.id, Purchaser.name == purchaser)
            ),
            vendor_credit_code=vendor,
            evaluator_body_id=session.scalar(
                select(EvaluatorBody.id).where(EvaluatorBody.credit_code == body.strip().upper())
            ),
            password=password,
        )
        made, _temporary = create_account(session, request, actor=COMMAND_LINE, now=now())
        click.echo(
            _(
                "Account “%(username)s” added: %(name)s, %(role)s, %(region)s.",
                username=made.username,
                name=made.name,
                role=words.role(made.role),
                region=region.name,
            )
        )
