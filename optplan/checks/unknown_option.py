"""OPT101."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.dead_options import TRAINING_ARGUMENTS, DeadOption, dead_options
from optplan.dialects.huggingface.arguments import is_mistake
from optplan.names import Severity
from optplan.plan.key_hints import near


class UnknownOption(Check):
    """An entry of ``paramwise_cfg`` that its constructor never reads, so that it does nothing.

    Bad::

        paramwise_cfg=dict(_delete=True, norm_decay_mul=0.0)

    Good::

        paramwise_cfg=dict(_delete_=True, norm_decay_mult=0.0)
    """

    code = "OPT101"
    name = "unknown-option"
    severity = Severity.ERROR
    needs_plan = False
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Every entry that no constructor knows."""
        for dead in dead_options(context):
            if not dead.known:
                is_others = dead.inside == TRAINING_ARGUMENTS and not is_mistake(dead.name)
                yield self.finding(
                    f"{dead.name!r} in {dead.inside} {_consequence(dead)}",
                    key=dead.key,
                    place=dead.place,
                    hint=None if is_others else near(dead.name, sorted(dead.known_names)),
                    severity=Severity.INFO if is_others else None,
                )


def _consequence(dead: DeadOption) -> str:
    if dead.name.strip("_").startswith("delete"):
        return "does nothing: the entries of the base config stay"
    if dead.inside == TRAINING_ARGUMENTS:
        return (
            "is none: HfArgumentParser refuses it, unless another dataclass of the script takes it"
        )
    if dead.inside == "the recipe":
        return "does nothing: train.py takes it and never reads it"
    return "does nothing: the constructor never reads it"
