"""From the words of a command line to a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from optplan.cli.options import model_arguments
from optplan.config import load_config
from optplan.config.placed import place_of
from optplan.errors import UsageError
from optplan.plan import Plan, PlannedParameter
from optplan.rules.statistics import EntryStatistics, entry_statistics

if TYPE_CHECKING:
    from optplan.constructors.planning import Planned


def plan_of(config: str, model: str | None, arguments: Iterable[str] | None) -> Plan:
    """The plan that a saved file holds, or that a config and a model make.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    given = model_arguments(arguments)
    saved = saved_plan(config)
    if saved is not None:
        if model is not None:
            raise UsageError(
                f"{config!r} is a saved plan and has its model", hint="leave --model out"
            )
        return saved
    loaded = load_config(config)
    if model is None:
        raise UsageError("which model?", hint="name one: --model resnet50")
    from optplan.constructors import make_plan

    return make_plan(model, loaded, model_arguments=given)


def planned_of(config: str, model: str | None, arguments: Iterable[str] | None) -> Planned:
    """The plan that a config and a model make, with what it was made from.

    Raises:
        OptplanError: No such config or model, or either is wrong; a saved plan.
    """
    given = model_arguments(arguments)
    if saved_plan(config) is not None:
        raise UsageError(
            f"{config!r} is a saved plan, which keeps no options and keys, only what they decided",
            hint="name the config that it was made from",
        )
    loaded = load_config(config)
    if model is None:
        raise UsageError("which model?", hint="name one: --model resnet50")
    from optplan.constructors.planning import plan_with_facts

    return plan_with_facts(model, loaded, model_arguments=given)


def entries_of(planned: Planned, rows: Iterable[PlannedParameter]) -> tuple[EntryStatistics, ...]:
    """What each option and key of a config does to some rows of its plan."""
    paramwise = planned.section.paramwise
    return entry_statistics(
        planned.inventory,
        planned.options,
        {name: place_of(paramwise, name) for name in paramwise if name != "custom_keys"},
        frozenset(row.name for row in rows),
    )


def saved_plan(path: str) -> Plan | None:
    """The plan in a file, None where the file holds something else."""
    file = Path(path)
    if file.suffix != ".json" or not file.is_file():
        return None
    try:
        text = file.read_bytes()
        data = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None  # reading it as a config says what is wrong
    if not (isinstance(data, dict) and "format_version" in data):
        return None
    return Plan.from_json(text)
