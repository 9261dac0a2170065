"""Select the checks to run by codes, prefixes of codes, and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optplan.checks.base import Check
from optplan.errors import Problem, UsageError, did_you_mean
from optplan.places import Place

EVERYTHING = "OPT"


def selected(
    checks: Iterable[Check], select: Sequence[str], ignore: Sequence[str]
) -> tuple[Check, ...]:
    """Return the checks that are selected and not ignored; of two prefixes the longer one decides.

    An opt-in check needs its whole code among those selected.

    Args:
        checks: All there are.
        select: Prefixes of codes; none means every check that is not opt-in.
        ignore: Prefixes of codes.
    """
    chosen = select or (EVERYTHING,)
    return tuple(check for check in checks if _is_selected(check, chosen, ignore))


def _is_selected(check: Check, select: Sequence[str], ignore: Sequence[str]) -> bool:
    if check.opt_in and check.code not in select:
        return False
    wanted = _longest(check.code, select)
    return wanted > 0 and wanted > _longest(check.code, ignore)


def _longest(code: str, prefixes: Sequence[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


def split_codes(words: Iterable[str]) -> tuple[str, ...]:
    """Return prefixes out of words such as ``OPT1,OPT203``."""
    parts = (part.strip().upper() for word in words for part in word.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def prefix_problem(
    prefix: str, checks: Iterable[Check], what: str, place: Place | None = None
) -> Problem | None:
    """Return what is wrong with a prefix that no check's code begins with.

    Args:
        prefix: What was given.
        checks: All checks there are.
        what: What it was given for: ``--select``.
        place: Where.
    """
    known = {check.code: check.name for check in checks}
    if prefix and any(code.startswith(prefix) for code in known):
        return None
    by_name = {name.upper(): code for code, name in known.items()}
    hint = f"write {by_name[prefix]}" if prefix in by_name else did_you_mean(prefix, known)
    return Problem(
        message=f"{what}: no check's code begins with {prefix!r}",
        place=place,
        hint=hint or "'optplan checks' lists them",
    )


def by_code(words: Sequence[str], checks: Sequence[Check]) -> tuple[tuple[Check, ...], bool]:
    """Return the checks with these codes, beginnings of codes or names, and whether each word names one.

    Raises:
        UsageError: There is no such check.
    """
    known: dict[str, Check] = {}
    for check in checks:
        known |= {check.code: check, check.name.upper(): check}
    found = {word: _meant(word.upper(), known) for word in words}
    problems = [
        Problem(message=f"there is no check {word!r}", hint=_hint(word, known))
        for word in words
        if not found[word]
    ]
    if problems:
        raise UsageError(problems)
    is_exact = all(word.upper() in known for word in words)
    return tuple(dict.fromkeys(check for word in words for check in found[word])), is_exact


def _meant(word: str, known: dict[str, Check]) -> list[Check]:
    if word in known or not word.startswith(EVERYTHING):
        return [known[word]] if word in known else []
    return [check for code, check in known.items() if code.startswith(word)]


def _hint(word: str, known: dict[str, Check]) -> str:
    if word.isdecimal() and f"OPT{word}" in known:
        return f"did you mean 'OPT{word}'?"
    is_code = word.upper().startswith("OPT")
    names = sorted({check.code if is_code else check.name for check in known.values()})
    return did_you_mean(word, names) or "'optplan checks' lists them"
