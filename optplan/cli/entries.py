"""What each option and key of a config does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from optplan.config import place_of
from optplan.plan import Planned, PlannedParameter
from optplan.plan.observed_entries import observed_entries
from optplan.plan.pattern_use import recipe_entries
from optplan.rules.statistics import EntryStatistics, entry_statistics


def entries_of(planned: Planned, rows: Iterable[PlannedParameter]) -> tuple[EntryStatistics, ...]:
    """What each option and key of a config does to some rows of its plan."""
    rows = tuple(rows)
    if planned.parts:
        return tuple(_part_entries(planned, rows))
    among = frozenset(row.name for row in rows)
    if planned.tracer is not None:
        return recipe_entries(planned, among)
    if planned.rules is None:
        return observed_entries(planned, among)
    paramwise = planned.section.paramwise
    places = {name: place_of(paramwise, name) for name in paramwise if name != "custom_keys"}
    return entry_statistics(planned.inventory, planned.rules, places, among)


def _part_entries(
    planned: Planned, rows: tuple[PlannedParameter, ...]
) -> Iterator[EntryStatistics]:
    """The entries of each section, under its name."""
    for index, optimizer in enumerate(planned.plan.optimizers):
        part = planned.parts[index]
        inner = [
            found[1] for row in rows if row.optimizer == index and (found := planned.part_of(row))
        ]
        for entry in entries_of(part, inner):
            text = f"{optimizer.name}: {entry.name.text}"
            yield replace(entry, name=entry.name._replace(text=text))
