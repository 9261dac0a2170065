"""What a terminal shows: tables and paragraphs that rich paints.

rich brings colours, wrapping and the widths of characters. Its own table takes 9.5 s for 20,000 rows, and can neither
leave out a column nor use shorter words where there is no room; the one below takes 0.3 s. In a pipe there is no width:
nothing is cut, and nothing wraps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from optplan.reporters.formats.report import Cell, Column, Sheet
from optplan.reporters.formats.visible import cell_len, cut, visible

_UNLIMITED = 2**31  # the width of a pipe
WIDE = 100  # what a pipe shows as if it had a width
_LEAST = 20  # no paragraph is narrower
_WORD = re.compile(r"\s*\S+\s*")
_THEME = Theme({"quiet": "dim", "alarm": "red"})


def render(blocks: Iterable[RenderableType], *, width: int | None, color: bool) -> str:
    """Return blocks as text.

    Args:
        blocks: Paragraphs, tables and the like.
        width: The terminal's width in cells; None cuts and wraps nothing.
        color: Whether to write styles.
    """
    console = Console(
        file=StringIO(),
        width=width or _UNLIMITED,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        theme=_THEME,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as captured:
        for block in blocks:
            console.print(block, crop=False, end="")
    return captured.get()


def has_width(options: ConsoleOptions) -> bool:
    """Return whether lines have an end: they have none in a pipe."""
    return options.max_width < _UNLIMITED


class Paragraph:
    """A text that wraps where the terminal ends.

    Args:
        parts: Its parts, each a text or a text with its style.
        style: The style of parts without one.
        indent: Blanks before each line.
        hanging: Further blanks before each line but the first.
    """

    def __init__(
        self, *parts: str | tuple[str, str], style: str = "", indent: int = 1, hanging: int = 0
    ) -> None:
        pairs = [(part, style) if isinstance(part, str) else part for part in parts]
        self.text = Text.assemble(*((visible(text), one) for text, one in pairs))
        self.indent, self.hanging = indent, hanging

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        if not self.text.plain:
            return
        room = max(options.max_width - self.indent, _LEAST)
        for number, line in enumerate(self.text.divide(self._breaks(room))):
            line.rstrip()
            yield Segment(" " * (self.indent + (self.hanging if number else 0)))
            yield from line.render(console)
            yield Segment.line()

    def _breaks(self, room: int) -> Iterator[int]:
        """Yield where lines after the first begin; no word is broken, so that it can be copied."""
        used = 0
        for word in _WORD.finditer(self.text.plain):
            if used and used + cell_len(word[0].rstrip()) > room:
                yield word.start()
                used = self.hanging
            used += cell_len(word[0])


class Sides:
    """One text on the left and one on the right, or below each other where there is no room."""

    def __init__(self, left: tuple[str, str], right: str) -> None:
        self.left, self.right = left, right

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        width = options.max_width if has_width(options) else WIDE
        room = width - cell_len(visible(self.left[0])) - cell_len(visible(self.right))
        if room >= 3:
            yield Paragraph(self.left, " " * room + self.right, indent=0)
        else:
            yield Paragraph(self.left, indent=0, hanging=1)
            yield Paragraph(self.right, hanging=1)


class Blank:
    """An empty line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        yield Segment.line()


class Table:
    """Rows of cells under each other, fitted to the terminal.

    Args:
        columns: One for each cell of a row.
        rows: The cells.
        indent: Blanks at the start of each line.
        gap: Blanks between columns.
        after: What follows each row; nothing where it is empty.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        *,
        indent: int = 1,
        gap: int = 2,
        after: Sequence[Iterable[RenderableType]] = (),
    ) -> None:
        self.columns, self.rows = columns, rows
        self.indent, self.gap, self.after = indent, gap, after

    def width(self) -> int:
        """Return how many cells it takes where nothing is cut."""
        return self.indent + _total(_widths(self._texts(short=False)), self.gap)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        kept, widths, texts = self._fitted(options.max_width if has_width(options) else None)
        below = [at for at, column in enumerate(self.columns) if column.below is not None]
        below = [at for at in below if at not in kept]
        for number, row in enumerate(self.rows):
            parts = self._line(row, texts[number], kept, widths)
            if console.color_system is None:
                yield Segment("".join(text for text, _ in parts))
            else:
                yield from (Segment(text, _style(console, name)) for text, name in parts)
            for at in below:
                cell = row[at]
                text = cell.text if cell.short is None else cell.short
                yield Paragraph(text, style=cell.style, indent=self.columns[at].below or 0)
            yield from self.after[number] if self.after else ()

    def _texts(self, *, short: bool) -> list[list[str]]:
        if not short:
            return [[visible(cell.text) for cell in row] for row in self.rows]
        return [
            [visible(cell.text if cell.short is None else cell.short) for cell in row]
            for row in self.rows
        ]

    def _fitted(self, width: int | None) -> tuple[list[int], list[int], list[list[str]]]:
        """Return the columns that are kept, the widths of all, and the texts."""
        texts = self._texts(short=False)
        widths = _widths(texts)
        kept = list(range(len(widths)))
        while kept and not widths[kept[-1]]:
            kept.pop()  # an empty column takes no room at the end of a line
        if width is None or self.indent + _total(widths[: len(kept)], self.gap) <= width:
            return kept, widths, texts
        kept = [at for at in kept if self.columns[at].below is None]
        room = width - self.indent
        if _total([widths[at] for at in kept], self.gap) > room:
            texts = self._texts(short=True)
            widths = _widths(texts)
        return *_fit(self.columns, kept, widths, room, self.gap), texts

    def _line(
        self, row: Sequence[Cell], texts: Sequence[str], kept: Sequence[int], widths: Sequence[int]
    ) -> Iterator[tuple[str, str]]:
        """Yield the texts of a line with their styles, without blanks at its end."""
        blank = " " * self.indent
        for at in kept:
            text = texts[at]
            room = widths[at] - cell_len(text)
            if room < 0:
                text = cut(text, widths[at])
                room = widths[at] - cell_len(text)
            if self.columns[at].is_number:
                blank, room = blank + " " * room, 0
            if text:
                yield blank, ""
                yield text, row[at].style
                blank = ""
            blank += " " * (room + self.gap)
        yield "\n", ""


class List:
    """Texts with commas between them, as many on a line as fit; each is cut that is too long for one."""

    def __init__(self, texts: Iterable[str], *, indent: int) -> None:
        self.texts, self.indent = list(map(visible, texts)), indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        room = (options.max_width if has_width(options) else WIDE) - self.indent - 1
        lines: list[str] = []
        for text in self.texts:
            shown = cut(text, room) if has_width(options) else text
            if lines and cell_len(lines[-1]) + cell_len(shown) + 2 <= room:
                lines[-1] += f", {shown}"
            else:
                lines.append(shown)
        for number, line in enumerate(lines, 1):
            end = "," if number < len(lines) else ""
            yield Segment(f"{' ' * self.indent}{line}{end}\n")


def sheet_table(sheet: Sheet) -> Table:
    """Return a table with its headings."""
    heads = [Cell(column.heading, "dim", column.short) for column in sheet.columns]
    return Table(sheet.columns, [heads, *sheet.rows] if sheet.rows else [])


def _style(console: Console, name: str) -> Style | None:
    return console.get_style(name) if name else None


def _widths(texts: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*texts, strict=True)]


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _fit(
    columns: Sequence[Column], kept: Sequence[int], widths: Sequence[int], room: int, gap: int
) -> tuple[list[int], list[int]]:
    """Leave out optional columns, then shrink the widest of those that may be."""
    kept, widths = list(kept), list(widths)
    least = [
        width if column.shrink_to is None else min(width, column.shrink_to)
        for width, column in zip(widths, columns, strict=True)
    ]
    for level, needed in ((1, widths), (2, least), (3, least)):
        for at in reversed(kept):
            if columns[at].optional == level and _total([needed[i] for i in kept], gap) > room:
                kept = [one for one in kept if one != at]
    while (over := _total([widths[at] for at in kept], gap) - room) > 0:
        able = [at for at in kept if widths[at] > least[at]]
        if not able:
            break
        widest = max(able, key=lambda at: widths[at])
        widths[widest] -= min(over, max(1, (widths[widest] - least[widest]) // 2))
    return kept, widths
