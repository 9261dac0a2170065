"""OPT101: options that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, is_unlike, removed, renamed
from optplan.checks.facts.unread_options import UnreadOption, unread_options
from optplan.config.edits import Fix
from optplan.names import Severity
from optplan.plan.key_hints import near

_LIKENESS = 0.6  # of a word that is still hinted at


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
        """Yield every entry that no constructor knows."""
        for unread in unread_options(context):
            if not unread.known:
                names = sorted(unread.known_names)
                yield self.finding(
                    f"{unread.name!r} {_consequence(unread)}",
                    key=unread.key,
                    place=unread.place,
                    hint=near(unread.name, names) if unread.is_mistake else None,
                    severity=None if unread.is_mistake else Severity.INFO,
                    fix=_fix(unread),
                )


def _fix(unread: UnreadOption) -> Fix | None:
    if not unread.is_mistake:
        return None
    if (meant := certain_name(unread.name, unread.known_names)) is not None:
        return renamed(unread.place, unread.name, meant)
    if unread.is_table or not unread.inside:
        return None
    is_alone = is_unlike(unread.name, unread.known_names, cutoff=_LIKENESS)
    return removed(unread.place, unread.name) if is_alone else None


def _consequence(unread: UnreadOption) -> str:
    if unread.consequence is not None:
        return unread.consequence
    is_directive = unread.name.strip("_").startswith("delete")
    why = (
        "the entries of the base config stay" if is_directive else "the constructor never reads it"
    )
    return f"in {unread.inside} does nothing: {why}"
