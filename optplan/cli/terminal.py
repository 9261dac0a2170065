"""Where a report is shown."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

# What asks rich for colours where there is no terminal.
_FORCING = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a report is shown: its width and lines, None where it is no terminal, and whether it takes colours."""

    width: int | None
    has_color: bool
    lines: int | None = None

    @classmethod
    def current(cls) -> Terminal:
        """Return what stdout leads to."""
        return cls.of(sys.stdout)

    @classmethod
    def of(cls, stream: Any) -> Terminal:
        """Return what a stream leads to: rich knows terminals, NO_COLOR, FORCE_COLOR, and the consoles of Windows."""
        is_terminal = stream is not None and stream.isatty()
        if not is_terminal and not _FORCING & os.environ.keys():
            return cls(width=None, has_color=False)
        from shutil import get_terminal_size

        from rich.console import Console

        console = Console(file=stream)
        # rich takes a dumb terminal for 80 columns wide, whatever COLUMNS says
        size = get_terminal_size()
        columns = size.columns if console.is_dumb_terminal else console.width
        has_color = console.color_system is not None and not console.no_color
        return cls(
            width=columns if is_terminal else None,
            has_color=has_color and not console.legacy_windows,
            lines=size.lines if is_terminal else None,
        )
