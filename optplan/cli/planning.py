"""From the words of a command line to plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.cli.options import model_arguments
from optplan.cli.sources import Checkpoint, SavedPlan, open_source
from optplan.config import NO_BATCH, Batch, Config, find_own_model, place_of
from optplan.errors import UsageError
from optplan.plan import Plan, Planned, PlannedParameter
from optplan.plan.observed_entries import observed_entries
from optplan.plan.pattern_use import recipe_entries
from optplan.rules.statistics import EntryStatistics, entry_statistics

if TYPE_CHECKING:
    from optplan.model import LoadedModel


def plan_of(
    config: str,
    model: str | None,
    arguments: Iterable[str] | None,
    *,
    overrides: Sequence[str] = (),
    trust: bool = False,
    batch: Batch = NO_BATCH,
) -> Plan | Planned:
    """The plan that a saved file holds, or the one that a config and a model make.

    Args:
        config: What the command line calls CONFIG.
        model: What it calls MODEL; left out, the config's own is meant.
        arguments: ``name=value`` for the model.
        overrides: ``a.b=value`` for the config.
        trust: Whether a Python config may be executed.
        batch: What is known of the batch.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    given = model_arguments(arguments)
    source = open_source(config, overrides=overrides, trust=trust)
    if isinstance(source, Checkpoint):
        raise UsageError(
            f"{config!r} is a checkpoint, which has no names of parameters",
            hint=f"see what resuming from it changes: optplan diff CONFIG {config}",
        )
    if isinstance(source, SavedPlan):
        if model is not None:
            raise UsageError(
                f"{config!r} is a saved plan and has its model", hint="leave --model out"
            )
        refuse_batch(config, batch)
        return source.plan
    return Planner(batch).plan(source, model, given)


def refuse_batch(word: str, batch: Batch) -> None:
    """A saved plan has its lr.

    Raises:
        UsageError: The batch is given all the same.
    """
    if batch != NO_BATCH:
        raise UsageError(
            f"{word!r} is a saved plan, whose lr is what it is",
            hint="leave --world-size, --batch-size and --auto-scale-lr out",
        )


class Planner:
    """Makes plans, and builds a model once for all that ask for it with the same arguments.

    Args:
        batch: What is known of the batch that all of them train with.
    """

    def __init__(self, batch: Batch = NO_BATCH) -> None:
        self._batch = batch
        self._built: dict[tuple[str, str], LoadedModel] = {}

    def plan(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> Planned:
        """The plan of a config for a model, or for its own, with what it was made from.

        Raises:
            OptplanError: No such model, or the optimizer refuses it.
        """
        loaded = self.model(config, model, arguments)
        from optplan.constructors import plan_with_facts

        return plan_with_facts(loaded, config, batch=self._batch)

    def model(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> LoadedModel:
        """The model of that name, or the config's own.

        Raises:
            OptplanError: No such model, or it cannot be built.
        """
        return self._own(config, arguments) if model is None else self._named(model, arguments)

    def _named(self, model: str, arguments: Mapping[str, Any]) -> LoadedModel:
        from optplan.model import open_model

        key = model, repr(sorted(arguments.items()))
        if key not in self._built:
            self._built[key] = open_model(model, arguments)
        return self._built[key]

    def _own(self, config: Config, arguments: Mapping[str, Any]) -> LoadedModel:
        own = find_own_model(config)
        if own is None:
            raise UsageError("which model?", hint="name one: --model resnet50")
        if arguments:
            raise UsageError(
                "-k gives arguments to the model of --model, and there is none",
                hint="change the config's own: --set model.NAME=VALUE",
            )
        from optplan.model import open_configured

        key = "", own.key
        if key not in self._built:
            self._built[key] = open_configured(own)
        return self._built[key]


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
