"""The line about options and keys that decide nothing, for the end of a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from optplan.plan.key_hints import key_hint, near
from optplan.reporters.show.keys import conclusion, does_nothing, entry_text
from optplan.rules.statistics import EntryStatistics

_MOST = 5


def idle_text(
    statistics: Sequence[EntryStatistics], names: Sequence[str], options: Collection[str]
) -> str:
    """Return ``1 of 6 options and keys decides nothing: 'patch_embd' (did you mean 'patch_embed'?)``; '' for none.

    Args:
        statistics: What each option and key does.
        names: The names of the model's parameters.
        options: The options that the constructor reads.
    """
    idle = [entry for entry in statistics if does_nothing(entry)]
    if not idle:
        return ""
    told = [_described(entry, names, options) for entry in idle[:_MOST]]
    more = f" and {len(idle) - _MOST} more" if len(idle) > _MOST else ""
    return f"{conclusion(statistics)}: {', '.join(told)}{more}"


def _described(entry: EntryStatistics, names: Sequence[str], options: Collection[str]) -> str:
    # of several sections the text begins with the section's name
    text = entry.name.text.rpartition(": ")[2]
    hint = None
    if entry.name.is_key and not entry.matched and not entry.skipped:
        hint = key_hint(text, names)
    elif not entry.name.is_key and not entry.is_read:
        hint = near(text, options)
    return entry_text(entry.name) + (f" ({hint})" if hint else "")
