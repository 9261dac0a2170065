"""Columns of styled text, fitted to a width. Knows no terminal: the caller says how wide it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rich import cells

# SGR parameters; one word for each thing that is coloured.
STYLES = {
    "": "",
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bright_blue": "94",
    "bright_magenta": "95",
    "bright_cyan": "96",
}

ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of text in one style, and a shorter text for where there is no room."""

    text: str
    style: str = ""
    short: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a column is laid out.

    Args:
        right: Align to the right.
        shrink_to: The width down to which its cells may be cut in the middle; None for never.
        optional: It is left out where the table is too wide.
    """

    right: bool = False
    shrink_to: int | None = None
    optional: bool = False


def cell_len(text: str) -> int:
    """How many cells a terminal takes for a text that is visible."""
    return len(text) if text.isascii() else cells.cell_len(text)


def visible(text: str) -> str:
    """The text with every control character written out, so that it cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == " " else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    if unicodedata.category(character) in ("Zs", "Zl", "Zp") and character not in "\u2028\u2029":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def paint(cell: Cell, color: bool) -> str:
    """The cell's text, with its style where colours are wanted."""
    code = STYLES[cell.style] if color else ""
    return f"\x1b[{code}m{cell.text}\x1b[0m" if code and cell.text else cell.text


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` cells, with its middle left out where it is longer."""
    if cell_len(text) <= width:
        return text
    if width < 3:
        return text[:width]
    tail = (width - 1) * 3 // 5
    head = width - 1 - tail
    start, end = text[:head], text[-tail:]
    while cell_len(start) > head:
        start = start[:-1]
    while cell_len(end) > tail:
        end = end[1:]
    return f"{start}{ELLIPSIS}{end}"


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    width: int | None,
    color: bool,
    indent: int = 1,
    gap: int = 2,
) -> list[str]:
    """Lines of aligned cells.

    Args:
        columns: One for each cell of a row.
        rows: The cells, whose text is made visible here.
        width: Cells per line; None where nothing may be cut.
        color: Whether to write styles.
        indent: Blanks at the start of each line.
        gap: Blanks between columns.
    """
    texts = [[visible(cell.text) for cell in row] for row in rows]
    widths = _widths(texts, len(columns))
    kept = list(range(len(columns)))
    if width is not None:
        room = width - indent
        if sum(widths) + gap * (len(widths) - 1) > room:
            texts = [[visible(cell.short or cell.text) for cell in row] for row in rows]
            widths = _widths(texts, len(columns))
        kept, widths = _fit(columns, widths, room, gap)
    lines = []
    for row, words in zip(rows, texts, strict=True):
        parts = []
        for index in kept:
            text, room = words[index], widths[index] - cell_len(words[index])
            if room < 0:
                text = cut(text, widths[index])
                room = widths[index] - cell_len(text)
            blank = " " * room
            painted = paint(Cell(text, row[index].style), color)
            parts.append(blank + painted if columns[index].right else painted + blank)
        lines.append((" " * indent + (" " * gap).join(parts)).rstrip())
    return lines


def _widths(texts: Sequence[Sequence[str]], columns: int) -> list[int]:
    return [max((cell_len(row[index]) for row in texts), default=0) for index in range(columns)]


def _fit(
    columns: Sequence[Column], widths: list[int], width: int, gap: int
) -> tuple[list[int], list[int]]:
    """Leave out optional columns, then shrink the widest of those that may be."""
    kept = list(range(len(columns)))
    widths = list(widths)

    def excess() -> int:
        return sum(widths[index] for index in kept) + gap * (len(kept) - 1) - width

    for index in reversed(range(len(columns))):
        if excess() > 0 and columns[index].optional:
            kept.remove(index)
    while (over := excess()) > 0:
        able = [
            index
            for index in kept
            if (least := columns[index].shrink_to) is not None and widths[index] > least
        ]
        if not able:
            break
        widest = max(able, key=lambda index: widths[index])
        widths[widest] -= min(
            over, max(1, (widths[widest] - (columns[widest].shrink_to or 0)) // 2)
        )
    return kept, widths
