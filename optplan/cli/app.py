"""The commands by their names."""

from __future__ import annotations

from typing import Annotated

import typer

from optplan import __version__
from optplan.cli.check import check
from optplan.cli.config import config
from optplan.cli.diff import diff
from optplan.cli.explain import explain
from optplan.cli.rule import rule
from optplan.cli.schedule import schedule
from optplan.cli.show import show
from optplan.cli.verify import verify

app = typer.Typer(
    name="optplan",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"optplan {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """See which learning rate and weight decay every parameter will really get, and why."""


app.command()(show)
app.command()(explain)
app.command()(config)
app.command()(diff)
app.command()(check)
app.command()(schedule)
app.command()(verify)
app.command()(rule)
