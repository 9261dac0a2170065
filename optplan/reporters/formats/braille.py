"""Curves in a terminal, drawn with the eight dots of Braille characters."""

from __future__ import annotations

from collections.abc import Sequence

_BLANK = 0x2800
# The bits of a character's dots, by column and row from the top.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
ACROSS, DOWN = 2, 4


class Canvas:
    """A field of dots, each with the number of the curve that drew it last.

    Args:
        width, height: Its size in characters.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._owners: list[list[int | None]] = [[None] * width for _ in range(height)]

    def dot(self, x: int, y: int, owner: int) -> None:
        """Set a dot; ``y`` counts from the top. One outside is left out."""
        column, row = x // ACROSS, y // DOWN
        if 0 <= column < self.width and 0 <= row < self.height:
            self._bits[row][column] |= _DOTS[x % ACROSS][y % DOWN]
            self._owners[row][column] = owner

    def curve(self, heights: Sequence[float | None], owner: int) -> None:
        """Draw a curve across the whole width.

        Args:
            heights: For each dot across how high it stands, between 0 and 1; None leaves a gap.
            owner: The curve's number.
        """
        top = self.height * DOWN - 1
        before: int | None = None
        for x, height in enumerate(heights):
            if height is None:
                before = None
                continue
            y = round((1 - height) * top)
            # a steep piece is as one line, half of it in each of the two columns
            start = y if before is None else before + (y > before) - (y < before)
            for between in range(min(start, y), max(start, y) + 1):
                self.dot(x, between, owner)
            before = y

    def rows(self) -> list[list[tuple[str, int | None]]]:
        """Return the characters of each row, each with the curve that it belongs to."""
        return [
            [
                (chr(_BLANK | bits) if bits else " ", owner)
                for bits, owner in zip(row, owners, strict=True)
            ]
            for row, owners in zip(self._bits, self._owners, strict=True)
        ]
