"""Try patterns that may take forever in a process that can be stopped.

Python's regular expressions cannot be interrupted: a stranger's pattern such as ``(a+)+$`` takes time that
doubles with each letter of a name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence

from optplan.config.regex_groups import Pattern, RegexGroups
from optplan.errors import PlanError, listed, quoted
from optplan.names import Matcher

SECONDS = 5.0
_REPEATS = "*+{"
_CHOICES = _REPEATS + "?|"
# With so few there are at worst as many ways as the cube of a name's length: that is always soon over.
_MOST_CHOICES = 3
_METHODS = {Matcher.SEARCH: "search", Matcher.PREFIX: "match", Matcher.FULL: "fullmatch"}
_TRIAL = """
import json, re, sys, warnings
warnings.simplefilter("ignore")
how, patterns, names = json.load(sys.stdin)
for number, text in enumerate(patterns):
    print(number, flush=True)
    matches = getattr(re.compile(text), how)
    for name in names:
        matches(name)
"""


def refuse_endless(groups: RegexGroups, names: Sequence[str], *, seconds: float = SECONDS) -> None:
    """Try the patterns that look as if they could take long; after that they are known not to.

    Args:
        groups: The groups.
        names: The names that they are held against.
        seconds: How long all of them may take.

    Raises:
        PlanError: They take longer, with the pattern that does.
    """
    doubtful = [pattern for pattern in _patterns(groups) if _is_doubtful(pattern.text)]
    if not doubtful:
        return
    texts = [pattern.text for pattern in doubtful]
    given = json.dumps([_METHODS[groups.matcher], texts, list(names)])
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _TRIAL],
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired as expired:
        begun = (expired.stdout or b"0").split()
        slow = doubtful[int(begun[-1])]
        raise PlanError(
            f"the pattern {quoted(slow.text)} takes more than {seconds:g} seconds"
            f" over the {len(names)} names of the model",
            place=slow.place,
            hint="repeats inside of repeats go through every way to split a name: leave the outer one out",
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:  # it may run out of memory, too
        raise PlanError(
            f"the patterns {listed([quoted(pattern.text) for pattern in doubtful])} cannot be tried"
            f" in a process of their own: {error}",
            place=doubtful[0].place,
        ) from error


def _patterns(groups: RegexGroups) -> Iterator[Pattern]:
    for group in groups.groups:
        yield from group.patterns


def _is_doubtful(text: str) -> bool:
    choices = sum(text.count(sign) for sign in _CHOICES)
    return choices > _MOST_CHOICES or any(f"){sign}" in text for sign in _REPEATS)
