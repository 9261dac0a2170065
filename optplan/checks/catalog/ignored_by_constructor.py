"""OPT105: options of other constructors."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import is_unlike, removed
from optplan.checks.facts.unread_options import UnreadOption, unread_options
from optplan.config import Symbol
from optplan.config.edits import Fix
from optplan.errors import listed
from optplan.names import Severity

_LIKENESS = 0.75  # of decay_rate and layer_decay_rate


class IgnoredByConstructor(Check):
    """An option of other constructors that this config's constructor never reads.

    Bad (the default constructor knows no layer decay)::

        optimizer=dict(type='AdamW', lr=0.001),
        paramwise_cfg=dict(layer_decay_rate=0.75)

    Good::

        optimizer=dict(type='AdamW', lr=0.001),
        constructor='LearningRateDecayOptimWrapperConstructor',
        paramwise_cfg=dict(layer_decay_rate=0.75)

    A field of a custom key that the constructor overwrites is found as well: with the constructor above
    an ``lr_mult`` does nothing. Of a key that matches no parameter only that is told.
    """

    code = "OPT105"
    name = "ignored-by-constructor"
    severity = Severity.ERROR
    needs_plan = False
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every such option."""
        raw = context.raw
        constructor = raw.outer.get("constructor") if raw else None
        named = isinstance(constructor, str | Symbol)
        who = str(constructor).rpartition(".")[2] if named else "the default constructor"
        unmatched = {use.rule.key for use in context.key_uses if not use.matches}
        for unread in unread_options(context):
            if unread.known and unread.custom_key not in unmatched:
                reads = sorted(name for name in unread.known_names if not name.startswith("_"))
                yield self.finding(
                    f"{unread.name!r} in {unread.inside} does nothing: {who} does not use it",
                    key=unread.key,
                    place=unread.place,
                    hint=f"it reads {listed(reads, most=10)}"
                    if unread.inside == "paramwise_cfg"
                    else None,
                    fix=_fix(unread),
                )


def _fix(unread: UnreadOption) -> Fix | None:
    """Return the fix that takes it out.

    None of one that was meant for what the constructor calls otherwise, nor of one with entries of its own: what
    somebody has written there they want, by another constructor perhaps.
    """
    if unread.is_table:
        return None
    is_field = unread.custom_key is not None
    if is_field or is_unlike(unread.name, unread.known_names, cutoff=_LIKENESS):
        return removed(unread.place, unread.name)
    return None
