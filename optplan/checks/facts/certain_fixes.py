"""Mistakes that can be mended without a guess: what an entry was meant to be, or that nothing reads it."""

from __future__ import annotations

from collections.abc import Iterable

from optplan.checks.paths import shown_path
from optplan.config.edits import Fix, FixKind
from optplan.errors import close_matches
from optplan.places import Place

_SHORTEST = 4  # of a shorter word nothing is certain
_SHORT = 6  # a shorter word may differ in one letter only
_APART = 2  # how much farther every other word must be
_DIGIT = 3  # another number is another name, not a slip of the hand


def renamed(place: Place | None, old: str, new: str | None) -> Fix | None:
    """Return the fix that gives an entry another name; None where there is none, or no place in a file."""
    if new is None or place is None or place.source.path is None:
        return None
    return _fix(FixKind.RENAME, place, place.source.path, old, new)


def removed(place: Place | None, old: str) -> Fix | None:
    """Return the fix that takes an entry out."""
    if place is None or place.source.path is None:
        return None
    return _fix(FixKind.REMOVE, place, place.source.path, old)


def replacing_base(place: Place | None, old: str) -> Fix | None:
    """Return the fix that has the dict with an entry replace the one that it inherits."""
    if place is None or place.source.path is None:
        return None
    return _fix(FixKind.REPLACE_BASE, place, place.source.path, old)


def _fix(kind: FixKind, place: Place, path: str, old: str, new: str = "") -> Fix:
    file = shown_path(path)
    return Fix(kind=kind, file=file, line=place.line, column=place.column, old=old, new=new)


def certain_name(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a word was meant to be; None where there may be a doubt.

    It is one or two slips away (a letter more, less, another, or two changed places), and every other known
    word is at least two farther.
    """
    if len(word) < _SHORTEST:
        return None
    close = close_matches(word, known, most=4)
    found = sorted((_slips(word.lower(), name.lower()), name) for name in close if name != word)
    if not found or found[0][0] > (1 if len(word) < _SHORT else 2):
        return None
    if len(found) > 1 and found[1][0] < found[0][0] + _APART:
        return None
    return found[0][1]


def is_unlike(word: str, known: Iterable[str], *, cutoff: float) -> bool:
    """Return whether no known word looks like a word, so that it was meant for none of them."""
    return not close_matches(word, [name for name in known if name != word], most=1, cutoff=cutoff)


def _slips(word: str, meant: str) -> int:
    """Return how many slips lead from one word to another: their optimal string alignment distance."""
    rows = [list(range(len(meant) + 1))]
    for i, char in enumerate(word, 1):
        row = [i]
        for j, other in enumerate(meant, 1):
            change = 0 if char == other else _DIGIT if char.isdigit() or other.isdigit() else 1
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + change))
            if i > 1 < j and char == meant[j - 2] and other == word[i - 2]:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
