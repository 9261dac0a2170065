"""``optplan cache``."""

from __future__ import annotations

import typer

from optplan.cli.command import Command
from optplan.cli.options import ReportOptions, with_options
from optplan.cli.running import running

cache = typer.Typer(no_args_is_help=True, help="Show or clear the model cache.")


@cache.command(cls=Command)
@with_options
def info(to: ReportOptions) -> None:
    """Show where the cache is, and how much it holds."""
    with running(quiet=to.quiet, debug=to.debug):
        from optplan.cache import Store, cache_folder
        from optplan.reporters.cache import cache_text

        store = Store(cache_folder())
        text = cache_text(store.folder, store.entries(), store.limit)
        to.deliver(text)


@cache.command(cls=Command)
@with_options
def clear(to: ReportOptions) -> None:
    """Remove everything from the cache."""
    with running(quiet=to.quiet, debug=to.debug):
        from optplan.cache import Store, cache_folder
        from optplan.errors import OutputError
        from optplan.reporters.cache import cleared_text

        store = Store(cache_folder())
        try:
            count = store.clear()
        except OSError as error:
            raise OutputError(f"cannot clear the cache: {error}") from error
        text = cleared_text(store.folder, count)
        to.deliver(text)
