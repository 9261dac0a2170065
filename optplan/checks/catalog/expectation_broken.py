"""OPT801."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.expectations import Breach, breaches
from optplan.checks.paths import shown_path
from optplan.names import Severity
from optplan.places import Place
from optplan.plan import Planned


class ExpectationBroken(Check):
    """A plan that is not what the project expects of it.

    Expectations stand in pyproject.toml::

        [[tool.optplan.expect]]
        parameters = "*.bias"
        weight-decay = 0.0

    ``parameters`` is a pattern of names, in which ``*`` crosses dots; ``rule`` names a rule instead,
    as ``rule = "norm"``. What must hold of all these parameters: ``weight-decay``, ``lr``,
    ``lr-mult`` (how many times the optimizer's own lr), ``frozen`` (true or false), and
    ``min-parameters``, how many of them there are, 1 if nothing is said. ``configs`` narrows it to
    the configs that its globs mean.

    Bad, for the expectation above::

        optimizer = dict(type='SGD', lr=0.1, weight_decay=1e-4)

    Good::

        optimizer = dict(type='SGD', lr=0.1, weight_decay=1e-4,
                         paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0))
    """

    code = "OPT801"
    name = "expectation-broken"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Everything that breaks an expectation which is meant for this config."""
        planned = context.planned
        if planned is None:
            return
        config = shown_path(context.config.entry.path or context.config.entry.name)
        for expectation in context.expectations:
            if not expectation.is_for(config):
                continue
            for breach in breaches(expectation, planned.plan):
                yield self.finding(
                    f"{breach.message} (expected by {expectation.where})",
                    key=f"expect[{expectation.subject}].{breach.what}",
                    place=_place(planned, breach) or Place(context.config.entry, 0, 0),
                    parameters=tuple(row.name for row in breach.parameters),
                )


def _place(planned: Planned, breach: Breach) -> Place | None:
    """The custom key that decided the first of the rows, otherwise the optimizer."""
    first = breach.parameters[0] if breach.parameters else None
    use = (
        None
        if first is None
        else (first.weight_decay_rule if breach.what == "weight-decay" else first.lr_rule)
    )
    if use is not None and use.key is not None and planned.options is not None:
        for key in planned.options.keys:
            if key.key == use.key:
                return key.lr.place
    return planned.section.places["type"]
