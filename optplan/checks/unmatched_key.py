"""OPT103."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.errors import did_you_mean
from optplan.names import Severity


class UnmatchedKey(Check):
    """A custom key that is in no parameter's name, so that it does nothing.

    Bad, for a model whose parameters start with ``backbone.`` and ``head.``::

        custom_keys={'backbon.': dict(lr_mult=0.1)}

    Good::

        custom_keys={'backbone.': dict(lr_mult=0.1)}

    A key that stands in a ``_base_`` file is a warning only: the file may serve other models.
    """

    code = "OPT103"
    name = "unmatched-key"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Every key that no name contains."""
        planned = context.planned
        if planned is None:
            return
        names = [facts.match_name for facts in planned.inventory.parameters if facts.visited]
        words = {word for name in names for word in name.split(".") if word}
        for key in planned.options.keys:
            if any(key.key in name for name in names):
                continue
            place = key.lr.place
            inherited = place is not None and place.source is not context.config.entry
            yield self.finding(
                f"key {key.key!r} matches no parameter",
                key=f"custom_keys.{key.key}",
                place=place,
                hint=did_you_mean(key.key, words),
                severity=Severity.WARNING if inherited else None,
            )
