"""The line of a config that a message is about, cropped to the terminal, with a mark under the place."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from optplan.places import Place
from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.formats.terminal import Paragraph, Table
from optplan.reporters.formats.visible import cell_len, visible

_LONGEST = 120  # in a pipe: a config can be one line
_LEAST = 20
_GUTTER = 8
_LEXERS = {"yaml": "yaml", "yml": "yaml", "json": "json", "toml": "toml"}
_DIM = Style(dim=True)


class Excerpt:
    """A line with its number, and ``^`` under the characters that a message is about.

    Args:
        text: The line as it stands in the file.
        file: The file's name, by which its language is known.
        line: Its number.
        column: Where the mark begins, in characters from 1.
        length: How many cells are marked.
        style: The mark's style.
        note: What to say behind the mark, or below where there is no room.
    """

    def __init__(
        self,
        text: str,
        file: str,
        line: int,
        column: int,
        *,
        length: int = 1,
        style: str = "red",
        note: str = "",
    ) -> None:
        self.text, self.file, self.line, self.column = text, file, line, column - 1
        self.length, self.style, self.note = length, style, visible(note)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        room = min(max(options.max_width - _GUTTER, _LEAST), _LONGEST)
        start, shown = window(self.text, self.column, room)
        yield Segment(f"{self.line:>5} │ ", _DIM)
        yield from self._highlighted(console, shown).render(console)
        yield Segment.line()
        if not start <= self.column < len(self.text):
            return
        before = cell_len(visible(self.text[start : self.column]))
        mark = "^" * max(min(self.length, room - before), 1)
        fits = before + len(mark) + 1 + cell_len(self.note) + _GUTTER <= options.max_width
        yield Segment(f"{'│':>7} ", _DIM)
        yield Segment(" " * before)
        yield Segment(mark, console.get_style(self.style))
        yield Segment(f" {self.note}\n" if self.note and fits else "\n")
        if not fits:
            yield Paragraph(self.note, indent=2)

    def _highlighted(self, console: Console, shown: str) -> Text:
        if console.color_system is None:
            return Text(shown)
        from rich.syntax import Syntax

        lexer = _LEXERS.get(self.file.rpartition(".")[2].lower(), "python")
        text = Syntax("", lexer, theme="ansi_dark").highlight(shown)
        text.rstrip()
        return text


def window(text: str, column: int, room: int) -> tuple[int, str]:
    """Return where the shown part of a line begins, and that part, in at most so many cells.

    Args:
        text: The line; lines of configs can be long.
        column: The character that must be in it, from 0.
        room: The cells that there are.
    """
    start = len(text) - len(text.lstrip())
    if len(text) - start > room or cell_len(visible(text[start:])) > room:
        first, start = start, max(start, column - room // 2)
        while start < column and cell_len(visible(text[start:column])) > room // 2:
            start += 1
        while start > first and cell_len(visible(text[start - 1 :])) <= room:
            start -= 1
    shown = visible(text[start : start + room])
    while cell_len(shown) > room:
        shown = shown[:-1]
    return start, shown.rstrip()


def source_line(place: Place) -> Iterator[RenderableType]:
    """Yield the line that a value comes from, without a mark; nothing where it is not known."""
    text = place.source.line(place.line).strip()
    if text:
        columns = (Column(), Column(shrink_to=20))
        cells = (Cell(f"{place.line:>5} │", "dim"), Cell(text, "dim"))
        yield Table(columns, [cells], indent=2, gap=1)
