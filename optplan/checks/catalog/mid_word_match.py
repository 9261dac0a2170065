"""OPT106: keys that begin or end inside a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.errors import listed
from optplan.names import Severity

_DIGITS = re.compile(r"\d+")


class MidWordMatch(Check):
    """A key that begins or ends inside a word of the names, and so hits several different words.

    Suspicious, for a model with ``head`` and ``layers.0.multihead_attn``::

        custom_keys={'head': dict(lr_mult=10.)}

    Unmistakable, as a dot ends the word::

        custom_keys={'head.': dict(lr_mult=10.)}

    Words are what stands between dots; words that differ in their numbers only are the same.
    """

    code = "OPT106"
    name = "mid-word-match"
    severity = Severity.WARNING
    opt_in = True
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every key that decides parameters with several words around it."""
        for use in context.key_uses:
            key = use.rule.key
            words = sorted({_word(key, facts.match_name) for facts in use.won})
            if len(words) < 2:
                continue
            yield self.finding(
                f"key {key!r} hits {len(words)} different words: {listed(words)}",
                key=f"custom_keys.{key}",
                place=use.rule.lr.place,
                hint="end the word with a dot, or write more of the name",
                parameters=tuple(facts.name for facts in use.won),
            )


def _word(key: str, name: str) -> str:
    """Return the words that the key is a part of, numbers beside it as ``#``, unless it ends inside one."""
    start = name.find(key)
    end = start + len(key)
    first = start if key.startswith(".") else name.rfind(".", 0, start) + 1
    last = end if key.endswith(".") else name.find(".", end)
    behind = name[end : last if last >= 0 else len(name)]
    splits_number = key[-1:].isdigit() and behind[:1].isdigit()
    before = _DIGITS.sub("#", name[first:start])
    return before + key.strip(".") + (behind if splits_number else _DIGITS.sub("#", behind))
