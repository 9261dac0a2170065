"""OPT108: keys that cancel decay rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import dropped_by
from optplan.checks.facts.wording import number, parameters
from optplan.names import Severity


class KeyDropsRules(Check):
    """A key that sets no ``decay_mult`` and so cancels a decay rule which its parameters would have had.

    A custom key decides alone, the weight decay too.

    Bad, since the backbone's norms are decayed again::

        paramwise_cfg=dict(norm_decay_mult=0.,
                           custom_keys={'backbone': dict(lr_mult=0.1)})

    Good::

        paramwise_cfg=dict(norm_decay_mult=0., custom_keys={
            'backbone': dict(lr_mult=0.1),
            'backbone.norm': dict(lr_mult=0.1, decay_mult=0.)})
    """

    code = "OPT108"
    name = "key-drops-rules"
    severity = Severity.WARNING
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every key with the rules that it cancels."""
        for use in context.key_uses:
            dropped = dropped_by(use)
            ordered = sorted(dropped, key=lambda entry: str(entry[1].option))
            for option, group in groupby(ordered, key=lambda entry: entry[1].option):
                entries = list(group)
                mult = number(entries[0][1].mult)
                kept = number(use.rule.weight_decay.value)
                yield self.finding(
                    f"key {use.rule.key!r} sets no decay_mult and cancels {option}={mult}:"
                    f" {parameters(len(entries), 'keep')} weight_decay {kept}",
                    key=f"custom_keys.{use.rule.key}",
                    place=use.rule.lr.place,
                    hint="add a longer key with a decay_mult for them",
                    parameters=tuple(facts.name for facts, _ in entries),
                )
