"""Make text safe for a terminal, measure its width, and cut it."""

from __future__ import annotations

import unicodedata

from rich import cells

_ELLIPSIS = "…"


def visible(text: str) -> str:
    """Return the text with every control character written out."""
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


def cell_len(text: str) -> int:
    """Return how many cells a terminal takes for a visible text."""
    return len(text) if text.isascii() else cells.cell_len(text)


def cut(text: str, width: int) -> str:
    """Return the text in at most ``width`` cells, with its middle left out where it is longer."""
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
    return f"{start}{_ELLIPSIS}{end}"
