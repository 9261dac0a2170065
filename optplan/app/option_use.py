"""Count what each option and key of a config does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from optplan.config import place_of
from optplan.names import Status
from optplan.plan import Planned, PlannedParameter
from optplan.reporters.show.keys import idle_text
from optplan.rules import DEFAULT_RULES, Verdict
from optplan.rules.observed_statistics import Observed
from optplan.rules.regex_rules import RegexOptions
from optplan.rules.statistics import (
    EntryStatistics,
    entry_statistics,
    pattern_statistics,
    verdict_statistics,
)


def entries_of(planned: Planned, rows: Iterable[PlannedParameter]) -> tuple[EntryStatistics, ...]:
    """Count what each option and key of a config does to some rows of its plan."""
    rows = tuple(rows)
    if planned.parts:
        return tuple(_part_entries(planned, rows))
    among = frozenset(row.name for row in rows)
    if isinstance(planned.tracer, RegexOptions):
        return pattern_statistics(planned.inventory, planned.tracer, among)
    if planned.tracer is not None:
        return tuple(verdict_statistics(_verdicts(planned, rows)))
    if planned.rules is None:
        return observed_entries(planned, rows)
    paramwise = planned.section.paramwise
    places = {name: place_of(paramwise, name) for name in paramwise if name != "custom_keys"}
    return entry_statistics(planned.inventory, planned.rules, places, among)


def observed_entries(
    planned: Planned, rows: tuple[PlannedParameter, ...]
) -> tuple[EntryStatistics, ...]:
    """Return what entries do under a constructor that was watched."""
    grouped = [row for row in rows if row.group is not None]
    return Observed(
        deciders={row.name: (row.lr_rule, row.weight_decay_rule) for row in grouped},
        duplicates=sum(row.status is Status.DUPLICATE for row in rows),
        paramwise=planned.section.paramwise,
        read=planned.read or frozenset(),
        multipliers=frozenset(planned.options.multipliers if planned.options else ()),
    ).statistics()


def _verdicts(
    planned: Planned, rows: tuple[PlannedParameter, ...]
) -> Iterator[tuple[str, Verdict]]:
    """Yield what decided each value of parameters that are in a group."""
    grouped = {row.name for row in rows if row.group is not None}
    for facts in planned.inventory.parameters:
        if facts.name in grouped:
            one = planned.assignments[facts.tensor]
            yield "lr", one.lr_verdict
            yield "weight_decay", one.weight_decay_verdict


def idle_words(planned: Planned) -> str:
    """Return what to say of the options and keys that decide nothing; '' where each decides something."""
    if not _may_be_idle(planned):
        return ""
    rules = planned.rules
    names = [row.name for row in planned.plan.parameters]
    options = (rules.rules if rules is not None else DEFAULT_RULES).options
    return idle_text(entries_of(planned, planned.plan.parameters), names, options)


def _may_be_idle(planned: Planned) -> bool:
    """Return whether some entry is in no row of the plan, which is found much sooner than what each does."""
    if planned.parts or planned.tracer is not None:
        return True
    paramwise = planned.section.paramwise
    uses = [use for row in planned.plan.parameters for use in (row.lr_rule, row.weight_decay_rule)]
    deciding = {use.key or use.option for use in uses if use is not None}
    keys = paramwise.get("custom_keys")
    written = {*paramwise, *(keys if isinstance(keys, Mapping) else ())}
    return not written - {"custom_keys"} <= deciding


def _part_entries(
    planned: Planned, rows: tuple[PlannedParameter, ...]
) -> Iterator[EntryStatistics]:
    """Yield the entries of each section, under its name."""
    for index, optimizer in enumerate(planned.plan.optimizers):
        part = planned.parts[index]
        inner = [
            found[1] for row in rows if row.optimizer == index and (found := planned.part_of(row))
        ]
        for entry in entries_of(part, inner):
            text = f"{optimizer.name}: {entry.name.text}"
            yield replace(entry, name=entry.name._replace(text=text))
