"""Parse the words of a command line that name the phases of a training, or the sides of a comparison."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from optplan.config.revisions import in_revision, is_revision, names_revision
from optplan.errors import ConfigError, UsageError
from optplan.schedule import Unit

_WORD = re.compile(r"(.+)@([^@/\\]*)", re.DOTALL)
_STEP = re.compile(r"(\d{1,15})(ep|it)?")
# ``HEAD@{1}:a.py`` is git's, and ``@v2`` may be part of a name
_LIKE_A_STEP = re.compile(r"-?\d[\w.%]*")
_UNITS = {"ep": Unit.EPOCH, "it": Unit.ITERATION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Where a phase begins: so many epochs or iterations after the start; None as the trainings count."""

    count: int
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPhase:
    """One phase of a training.

    Args:
        label: What the command line says.
        word: What it calls the config.
        begin: Where it begins; None where the one before ends.
    """

    label: str
    word: str
    begin: Begin | None = None


def phases_of(words: Sequence[str]) -> tuple[NamedPhase, ...]:
    """Return the phases that words name.

    Raises:
        UsageError: A word is a value of a config, or says no step behind its ``@``, or one begins
            no later than the one before it.
    """
    for word in words[1:]:
        if "=" in word and ":" not in word and not os.path.lexists(word):
            raise UsageError(
                f"unexpected argument {word!r}", hint=f"a value of the config: --set {word}"
            )
    phases = tuple(map(_phase, words))
    said = [phase for phase in phases if phase.begin is not None]
    for before, after in pairwise(said):
        first, second = before.begin, after.begin
        if first and second and first.unit is second.unit and second.count <= first.count:
            raise UsageError(
                f"{after.label} begins no later than {before.label}",
                hint="name the phases in the order in which they are trained",
            )
    return phases


def _phase(word: str) -> NamedPhase:
    match = _WORD.fullmatch(word)
    if match is None or os.path.lexists(word) or not _LIKE_A_STEP.fullmatch(match[2]):
        return NamedPhase(label=word, word=word)
    step = _STEP.fullmatch(match[2])
    if step is None:
        raise UsageError(
            f"{word}: {match[2]!r} is no step", hint=f"write {match[1]}@1000, @1000it or @12ep"
        )
    begin = Begin(count=int(step[1]), unit=_UNITS.get(step[2]))
    return NamedPhase(label=word, word=match[1], begin=begin)


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
