"""OPT105."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.dead_options import dead_options
from optplan.config import Symbol
from optplan.errors import listed
from optplan.names import Severity


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
    an ``lr_mult`` does nothing.
    """

    code = "OPT105"
    name = "ignored-by-constructor"
    severity = Severity.ERROR
    needs_plan = False
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Every such option."""
        raw = context.raw
        constructor = raw.outer.get("constructor") if raw else None
        named = isinstance(constructor, str | Symbol)
        who = str(constructor).rpartition(".")[2] if named else "the default constructor"
        for dead in dead_options(context):
            if dead.known:
                reads = sorted(name for name in dead.known_names if not name.startswith("_"))
                yield self.finding(
                    f"{dead.name!r} in {dead.inside} does nothing: {who} does not use it",
                    key=dead.key,
                    place=dead.place,
                    hint=f"it reads {listed(reads, most=10)}"
                    if dead.inside == "paramwise_cfg"
                    else None,
                )
