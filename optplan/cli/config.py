"""``optplan config``."""

from __future__ import annotations

from typing import Annotated

import typer

from optplan.app.request import ConfigRequest
from optplan.cli.options import CONFIG_HELP, PlainFormatOption, ReportOptions, with_options
from optplan.cli.running import running
from optplan.reporters.formats import PlainFormat


@with_options
def config(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    options: ConfigRequest,
    to: ReportOptions,
    everything: Annotated[
        bool, typer.Option("--all", help="The whole config, not only its optimizer section.")
    ] = False,
    output_format: PlainFormatOption = PlainFormat.TEXT,
) -> None:
    """Show the resolved config, with the place each value came from.

    Example: optplan config config.py --all

    Exit status: 0 fine, 2 could not do it, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.sources import open_source
        from optplan.config import Config
        from optplan.dialects import dialect_of, section_names
        from optplan.errors import UsageError
        from optplan.reporters.config import config_json, config_text

        loaded = open_source(
            config,
            overrides=options.overrides or (),
            trust=options.trust,
            arguments=options.function_arguments,
        )
        if not isinstance(loaded, Config):
            raise UsageError(
                f"{config!r} is no config, but a saved plan or a checkpoint",
                hint="name the config that it was made from",
            )
        if loaded.word and not loaded.data:
            raise UsageError(
                f"{config!r} is {dialect_of(loaded).title}, which has no entries that could be resolved",
                hint=f"see what it makes: optplan show {config} --model MODEL",
            )
        names = list(loaded.data) if everything else section_names(loaded)

        def report(width: int | None, color: bool) -> str:
            if output_format is PlainFormat.JSON:
                return config_json(loaded.entry.path, loaded.data, names)
            return config_text(loaded.data, names, width=width, color=color)

        to.deliver(report)
