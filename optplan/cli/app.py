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
    """The application, as far as a command line needs it: typer takes milliseconds to prepare a command.

    Args:
        arguments: The command line, without the program.
    """
    app = typer.Typer(
        name="optplan",
        cls=Group,
        rich_markup_mode="rich" if get_terminal_size().columns >= _WIDE else None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
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


def _help_of(command: Any) -> str | None:
    return command.info.help if isinstance(command, typer.Typer) else inspect.getdoc(command)


def _nothing() -> None:
    """Stands for a command where nothing but the list of them is wanted."""


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
