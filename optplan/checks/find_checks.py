"""Finds checks by what a user calls them."""

from __future__ import annotations

from collections.abc import Iterable

from optplan.checks.base import Check
from optplan.errors import Problem, UsageError, did_you_mean


def by_code(words: Iterable[str], checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks with these codes or names.

    Raises:
        UsageError: There is no such check.
    """
    known: dict[str, Check] = {}
    for check in checks:
        known |= {check.code: check, check.name.upper(): check}
    problems = [
        Problem(message=f"there is no check {word!r}", hint=_hint(word, known))
        for word in words
        if word.upper() not in known
    ]
    if problems:
        raise UsageError(problems)
    return tuple(dict.fromkeys(known[word.upper()] for word in words))


def _hint(word: str, known: dict[str, Check]) -> str:
    if word.upper().startswith("OPT"):
        names = sorted({check.code for check in known.values()})
    else:
        names = sorted({check.name for check in known.values()})
    return did_you_mean(word, names) or "'optplan checks' lists them"
