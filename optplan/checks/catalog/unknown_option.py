"""OPT101: options that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.unread_options import UnreadOption, unread_options
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
        for unread in unread_options(context):
            if not unread.known:
                yield self.finding(
                    f"{unread.name!r} in {unread.inside} does nothing: {_consequence(unread)}",
                    key=unread.key,
                    place=unread.place,
                    hint=near(unread.name, sorted(unread.known_names)),
                )


def _consequence(unread: UnreadOption) -> str:
    if unread.name.strip("_").startswith("delete"):
        return "the entries of the base config stay"
    if unread.inside == "the recipe":
        return "train.py takes it and never reads it"
    return "the constructor never reads it"
