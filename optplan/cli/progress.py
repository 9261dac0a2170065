"""The progress bar of ``check``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """Show a progress bar on stderr, where that is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _count: lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def start(count: int) -> Callable[[int], None]:
            bar = progress.add_task("checking", total=count)
            return lambda done: progress.advance(bar, done)

        yield start
