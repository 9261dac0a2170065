"""OPT107: keys that lose their parameters to others."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import parameters
from optplan.errors import listed, quoted
from optplan.names import Severity
from optplan.rules.uses import KeyUse, PatternUse


class ShadowedKey(Check):
    """A key that loses parameters to longer keys: the longest key wins, not the most specific one.

    Bad, where every ``theta`` is in the decode head::

        custom_keys={'theta': dict(decay_mult=0.), 'decode_head': dict(lr_mult=10.)}

    Good::

        custom_keys={'decode_head.theta': dict(decay_mult=0., lr_mult=10.),
                     'decode_head': dict(lr_mult=10.)}

    Of regular expressions the first that matches wins; one that gets no parameter for that is told here too.

    A key that loses every parameter does nothing, which is an error, or a warning if it stands in a
    ``_base_`` file; one that loses some is told for information.
    """

    code = "OPT107"
    name = "shadowed-key"
    severity = Severity.ERROR
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every key that loses a parameter, and every pattern that gets none."""
        for pattern in context.pattern_uses:
            if pattern.lost and not pattern.won:
                yield self._lost_pattern(context, pattern)
        for use in context.key_uses:
            if not use.lost:
                continue
            winners = listed([repr(key) for key in dict.fromkeys(key for _, key in use.lost)])
            yield self.finding(
                _message(use, winners),
                key=f"custom_keys.{use.rule.key}",
                place=use.rule.lr.place,
                hint=None if use.won else "write more of the name to make it the longest",
                parameters=tuple(facts.name for facts, _ in use.lost),
                severity=_severity(context, use),
            )

    def _lost_pattern(self, context: Context, use: PatternUse) -> Finding:
        place = use.rule.place
        winners = listed([quoted(text) for text in dict.fromkeys(text for _, text in use.lost)])
        return self.finding(
            f"pattern {quoted(use.rule.text)} does nothing: it matches {parameters(len(use.lost))},"
            f" which {winners} took before",
            key=f"pattern.{use.rule.text}",
            place=place,
            hint="put it before",
            parameters=tuple(facts.name for facts, _ in use.lost),
            severity=Severity.WARNING if context.is_inherited(place) else None,
        )


def _message(use: KeyUse, winners: str) -> str:
    lost = len(use.lost)
    if use.won:
        total = lost + len(use.won)
        return f"key {use.rule.key!r} loses {lost} of its {parameters(total)} to {winners}"
    return (
        f"key {use.rule.key!r} does nothing: it matches {parameters(lost)},"
        f" and loses {'it' if lost == 1 else 'all of them'} to {winners}"
    )


def _severity(context: Context, use: KeyUse) -> Severity:
    if use.won:
        return Severity.INFO
    return Severity.WARNING if context.is_inherited(use.rule.lr.place) else Severity.ERROR
