"""The commands by their names."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from importlib import import_module
from shutil import get_terminal_size
from typing import Annotated, Any

import typer

from optplan.cli.command import Command, Group
from optplan.cli.running import ExitStatus, print_problems, reported
from optplan.errors import UsageError
from optplan.version import __version__

# In the order of the help; each stands under its name in a module of that name.
COMMANDS = (
    "show",
    "explain",
    "config",
    "diff",
    "check",
    "schedule",
    "verify",
    "scale",
    "checks",
    "cache",
)
_HELP = ("-h", "--help")
# in less columns than these, rich cuts the names of options
_WIDE = 72
# How the shell asks for what a command line may go on with; a word for the part of it that is there.
_COMPLETE, _PART = "_OPTPLAN_COMPLETE", ""


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the application, as far as a command line needs it: typer takes milliseconds to prepare a command.

    Args:
        arguments: The command line, without the program.
    """
    app = typer.Typer(
        name="optplan",
        cls=Group,
        rich_markup_mode="rich" if get_terminal_size().columns >= _WIDE else None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "obj": _Commands},
    )
    app.callback()(root)
    first = next(iter(arguments), _PART if _COMPLETE in os.environ else "--help")
    for name in (first,) if first in COMMANDS else COMMANDS:
        command = getattr(import_module(f"optplan.cli.{name}"), name)
        if first in _HELP:
            app.command(name, cls=Command, help=_help_of(command))(_nothing)
        elif isinstance(command, typer.Typer):
            app.add_typer(command, name=name, cls=Group)
        else:
            app.command(cls=Command)(command)
    return app


class _Commands:
    """All commands, also those that a command line does not need: what messages look up."""

    names = COMMANDS

    @staticmethod
    def command(name: str) -> Any:
        """Return a command, with its options."""
        application: Any = typer.main.get_command(app_for([name]))
        return application.commands[name]


def _help_of(command: Any) -> str | None:
    return command.info.help if isinstance(command, typer.Typer) else inspect.getdoc(command)


def _nothing() -> None:
    """Stand for a command where nothing but the list of them is wanted."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"optplan {__version__}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """See which learning rate and weight decay every parameter will really get, and why."""


def run(arguments: Sequence[str]) -> None:
    """Run the command that these arguments name.

    Raises:
        SystemExit: Always, with its status.
        IsolationNeededError: Its config names code, which needs a process of its own.
    """
    with reported():
        try:
            given = _renamed(arguments)
            if any(word.startswith("--cfg-options") for word in given):
                from optplan.config import regroup_cfg_options

                given = regroup_cfg_options(given)
            app_for(given)(given, prog_name="optplan")
        except UsageError as error:
            print_problems(error.problems)
            raise SystemExit(ExitStatus.COULD_NOT) from None


def _renamed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``help`` and the words of earlier versions as today's."""
    given = list(arguments)
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    elif given[1:] == ["help"]:
        given[1] = "--help"
    if given[:1] == ["rule"]:
        given[0] = "checks"
    for at, word in enumerate(given):
        if word == "--view=groups":
            given[at] = "--view=settings"
        elif word == "groups" and at and given[at - 1] == "--view":
            given[at] = "settings"
    return given
