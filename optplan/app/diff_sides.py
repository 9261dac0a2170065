"""Open the sides of ``diff``, as the words of a command line name them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from optplan.config.revisions import in_revision, is_revision, names_revision
from optplan.errors import ConfigError, UsageError

_HEAD = "HEAD"


def sides_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return what is compared: one file alone is compared with that of the last commit.

    Raises:
        UsageError: A side is a revision without a file, or the only one is no file of a repository.
    """
    if len(words) == 1:
        return _committed(words[0]), words[0]
    for first, second in pairwise(words):
        for side, other in ((first, second), (second, first)):
            if not os.path.lexists(side) and Path(other).is_file() and is_revision(side):
                raise UsageError(
                    f"{side!r} is a git revision, and names no file in it",
                    hint=f"write {_named(side.removesuffix(':'), other)}",
                )
    return tuple(words)


def _committed(word: str) -> str:
    """Return a file as it stands in the last commit."""
    if not Path(word).is_file():
        if ":" not in word:
            return word  # opening it says what is wrong
        other = word.partition(":")[2] if names_revision(word) else "B"
        raise UsageError(
            f"only a file is compared with the last commit, and {word!r} is none",
            hint=f"name both sides: optplan diff {word} {other}",
        )
    try:
        return in_revision(_HEAD, word)
    except ConfigError as error:
        raise UsageError(
            f"{word} cannot be compared with the last commit: {error.problems[0].message}",
            hint=f"name both sides: optplan diff A {word}",
        ) from None


def _named(revision: str, path: str) -> str:
    try:
        return in_revision(revision, path)
    except ConfigError:
        return f"{revision}:FILE"
