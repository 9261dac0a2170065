"""Suggest what a key that is in no parameter's name may have been meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optplan.errors import close_matches, did_you_mean

_MOST_RUNS = 1000  # looking for likeness is slow


def key_hint(key: str, names: Sequence[str]) -> str | None:
    """Return a hint: the run of as many dotted words that looks most like the key, or the key's end, if that matches."""
    words = key.strip(".").split(".")
    if (hint := near(".".join(words), key_runs(key, names)[0])) is not None:
        return hint
    ends = (".".join(words[start:]) for start in range(1, len(words)))
    found = next((end for end in ends if len(end) > 1 and any(end in name for name in names)), None)
    return f"{found!r} alone would match" if found else None


def key_runs(key: str, names: Sequence[str]) -> tuple[Iterable[str], bool]:
    """Return the runs of as many dotted words as a key has in names, and whether these are all."""
    count = key.strip(".").count(".") + 1
    runs: dict[str, None] = {}
    for name in names:
        pieces = name.strip(".").split(".")
        for start in range(len(pieces) - count + 1):
            runs[".".join(pieces[start : start + count])] = None
        if len(runs) > _MOST_RUNS:
            return runs, False
    return runs, True


def near(word: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the one known word that is closest to ``word``, or None where none is close."""
    return did_you_mean(word, close_matches(word, known, most=1))
