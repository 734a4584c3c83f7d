"""The `evalsys` command: names the commands of all rooms, and says what went wrong in the person's words.

A room's module is imported only when its command is called, so that `evalsys score` needs no web framework.
"""

from __future__ import annotations

import gettext
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import click

from evalsys import __version__, config
from evalsys.config import SettingMissing

COMMANDS = {
    "demo": ("evalsys.demo.commands:demo", "Serve a simulated county, to try everything."),
    "serve": ("evalsys.operations.serve:serve", "Serve the site from the EVALSYS_* settings."),
    "rules": ("evalsys.cli:rules", "Check a rules file, or explain it."),
    "sample": ("evalsys.collection.sample_commands:sample", "Draw the recipients who are asked, by a seed."),
    "invite": ("evalsys.collection.invitation_commands:invite", "Give codes to recipients who have none."),
    "assign": ("evalsys.collection.plan_commands:assign", "Plan who assesses what, and store the plan."),
    "outcomes": ("evalsys.collection.outcome_commands:outcomes", "Record why invitations stayed without an answer."),
    "paper": ("evalsys.collection.paper_commands:paper", "Print forms for recipients who answer on paper."),
    "status": ("evalsys.collection.invitation_commands:status", "Say how many were invited, and how many answered."),
    "score": ("evalsys.evaluation.commands:score", "Score ratings from files, without a database."),
    "account": ("evalsys.accounts.commands:account", "Add the account of a person who signs in."),
    "import": ("evalsys.cli:import_files", "Take in vendors, contracts, frames and more from files."),
    "export": ("evalsys.cli:export_files", "Write ratings into a file."),
    "cycle": ("evalsys.operations.cycle:cycle", "Open, close, score, tell or publish a cycle."),
    "verify": (
        "evalsys.publication.bundle_commands:verify",
        "Look at the open data of an edition, and compute it again.",
    ),
    "keys": (
        "evalsys.publication.bundle_commands:keys",
        "List, make or retire the keys that editions are signed with.",
    ),
    "audit": ("evalsys.operations.audit:audit", "Verify that the audit trail is what it was."),
    "db": (
        "evalsys.operations.database:db",
        "Bring the database's schema up to date, or take it back; mix the answers, or back everything up.",
    ),
    "jobs": ("evalsys.operations.jobs:jobs", "Send messages, without serving the site."),
    "doctor": ("evalsys.operations.doctor:doctor", "Say whether this installation is fit to run."),
}

IMPORTS = {
    "regions": ("evalsys.registry.commands:regions", "Regions; the first thing to import."),
    "purchasers": ("evalsys.registry.commands:purchasers", "Purchasers."),
    "vendors": ("evalsys.registry.commands:vendors", "Vendors, known by their credit code."),
    "contracts": ("evalsys.registry.commands:contracts", "Contracts, known by their reference."),
    "frames": ("evalsys.registry.commands:frames", "How many recipients each contract of a cycle serves."),
    "roster": ("evalsys.registry.commands:roster", "Names of recipients, where they are invited by name."),
    "ratings": ("evalsys.collection.rating_commands:ratings", "Ratings: a row for each contract, rater and criterion."),
}

EXPORTS = {
    "ratings": ("evalsys.collection.export_commands:ratings", "The ratings of a cycle that count."),
}

RULES = {
    "check": ("evalsys.rules.commands:check", "List every fault of a rules file."),
    "show": ("evalsys.rules.commands:show", "Explain a rules file as tables."),
    "estimate-adjustment": (
        "evalsys.evaluation.adjustment_commands:estimate_adjustment",
        "Estimate the adjustment of step 3 on a published cycle.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and purposes without importing them."""

    def __init__(self, *args: Any, places: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        module, attribute = self.places[cmd_name][0].split(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_place, purpose) in self.places.items()])


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="evalsys")
def evalsys() -> None:
    """Three-party evaluation of purchased public services.

    Settings come from the environment: EVALSYS_DATABASE_URL, EVALSYS_INSTANCE, EVALSYS_SECRET_KEY, EVALSYS_BASE_URL and
    PORT; EVALSYS_LANGUAGE (zh or en) chooses what commands speak. `evalsys doctor` says what is missing.

    Exit codes: 0 done; 1 looked, and the answer is no; 2 refused, with the reason and what to do on stderr.
    """


@click.group("import", cls=LazyGroup, places=IMPORTS)
@click.pass_context
def import_files(context: click.Context) -> None:
    """Take in a file (.xlsx, or .csv in UTF-8 or GB18030): all of it, or nothing when any cell is at fault."""
    from evalsys.collection.slots import SLOTS

    context.obj = SLOTS


@click.group("export", cls=LazyGroup, places=EXPORTS)
def export_files() -> None:
    """Write what is in the database into a file."""


@click.group("rules", cls=LazyGroup, places=RULES)
def rules() -> None:
    """Check a rules file, explain it, or estimate a part of it."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; what a person can put right never ends in a traceback."""
    try:
        code = evalsys.main(list(arguments), prog_name="evalsys", standalone_mode=False)
    except click.Abort:
        click.echo("evalsys: ^C", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except Exception as error:
        lines = _told(error)
        if lines is None:
            raise
        click.echo("\n".join(lines), err=True)
        return 2
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> list[str] | None:
    """A known error as lines for the person; None for a fault of the program."""
    from evalsys.base.errors import Fault  # imported once something went wrong, not before
    from evalsys.rules.loading import RulesFaulty

    match error:
        case RulesFaulty():
            return [fault.in_language(config.command_language()) for fault in error.faults]
        case Fault():
            return [f"evalsys: {error.message}", *(f"  {line}" for line in error.details), *_remedy(error.remedy)]
        case SettingMissing():
            return [f"evalsys: {error}", *_remedy(error.remedy)]
        case TimeoutError():
            return [
                "evalsys: " + _("Something else is writing to the database."),
                *_remedy(_("Wait until scoring, an import or a backup is done, and do it again.")),
            ]
        case OSError():
            said = f"evalsys: {error.filename}: {error.strerror}" if error.filename else f"evalsys: {error}"
            return [said, *_remedy(_("Check the name, and that you may read it, or write there."))]
    return _told_by_the_database(error) if "sqlalchemy" in sys.modules else None


def _told_by_the_database(error: Exception) -> list[str] | None:
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    match error:
        case OperationalError():
            said = _("The database does not answer:")
            return [
                f"evalsys: {said} {str(error.orig).strip().splitlines()[0]}",
                *_remedy(_("Check EVALSYS_DATABASE_URL, and that the database runs.")),
            ]
        case ArgumentError() | NoSuchModuleError():
            return [
                f"evalsys: EVALSYS_DATABASE_URL: {error}",
                *_remedy(_("Write sqlite:////folder/file.sqlite or postgresql://user:password@host/name.")),
            ]
    return None


def _remedy(text: str) -> list[str]:
    return [f"  -> {text}"] if text else []


def _(text: str) -> str:
    """A translated text, where no application is there to ask."""
    known = gettext.translation("messages", config.TRANSLATIONS, [config.command_language()], fallback=True)
    return known.gettext(text)


def main() -> None:
    """Entry point of the `evalsys` script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
