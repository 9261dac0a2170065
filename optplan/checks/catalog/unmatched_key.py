"""OPT103: keys that match no parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, renamed
from optplan.checks.facts.watched_keys import unmatched_keys
from optplan.config.edits import Fix
from optplan.errors import quoted
from optplan.names import ProblemKind, Severity
from optplan.places import Place
from optplan.plan.key_hints import key_hint, key_runs

_MOST_HINTS = 10  # of so many keys: looking for likeness is slow


class UnmatchedKey(Check):
    """A custom key that is in no parameter's name, so that it does nothing.

    Bad, for a model whose parameters start with ``backbone.`` and ``head.``::

        custom_keys={'backbon.': dict(lr_mult=0.1)}

    Good::

        custom_keys={'backbone.': dict(lr_mult=0.1)}

    The same for a regular expression of torchtitan's ``param_groups`` or fairseq2's ``groups``: look whether
    it is searched for anywhere in a name or must match from the beginning, as the head of ``show`` says.

    A key that stands in a ``_base_`` file is a warning only: the file may serve other models.
    """

    code = "OPT103"
    name = "unmatched-key"
    severity = Severity.ERROR
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every key that no name contains, and every pattern that matches none."""
        yield from self._patterns(context)
        yield from self._watched(context)
        planned = context.planned
        unmatched = [use.rule for use in context.key_uses if not use.matches]
        options = planned.options if planned else None
        if planned is None or options is None or not unmatched:
            return
        match_name = options.rules.match_name
        names = [match_name(facts) for facts in planned.inventory.parameters if facts.visited]
        for count, rule in enumerate(unmatched):
            place = rule.lr.place
            yield self.finding(
                f"key {rule.key!r} matches no parameter",
                key=f"custom_keys.{rule.key}",
                place=place,
                hint=key_hint(rule.key, names) if count < _MOST_HINTS else None,
                severity=_severity(context, place),
                fix=_fix(context, rule.key, place, names) if count < _MOST_HINTS else None,
            )

    def _watched(self, context: Context) -> Iterator[Finding]:
        names = list(context.rows)
        for count, one in enumerate(unmatched_keys(context)):
            yield self.finding(
                f"key {one.key!r} matches no parameter",
                key=one.path,
                place=one.place,
                hint=key_hint(one.key, names) if count < _MOST_HINTS else None,
                severity=_severity(context, one.place),
                fix=_fix(context, one.key, one.place, names) if count < _MOST_HINTS else None,
            )

    def _patterns(self, context: Context) -> Iterator[Finding]:
        for use in context.pattern_uses:
            if not use.matches:
                yield self.finding(
                    f"pattern {quoted(use.rule.text)} matches no parameter",
                    key=f"pattern.{use.rule.text}",
                    place=use.rule.place,
                    severity=_severity(context, use.rule.place),
                )
        for problem in context.problems(ProblemKind.UNMATCHED):
            yield self.of_problem(problem, key=f"pattern.{problem.message}")


def _fix(context: Context, key: str, place: Place | None, names: Sequence[str]) -> Fix | None:
    """Return the fix of a misspelt key; none of one in a base file, which may serve other models."""
    runs, are_all = key_runs(key, names)
    core = key.strip(".")
    meant = certain_name(core, runs) if are_all and not context.is_inherited(place) else None
    return None if meant is None else renamed(place, key, key.replace(core, meant))


def _severity(context: Context, place: Place | None) -> Severity | None:
    return Severity.WARNING if context.is_inherited(place) else None
