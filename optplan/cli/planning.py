"""From the words of a command line to plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from optplan.cli.options import model_arguments
from optplan.cli.sources import Checkpoint, SavedPlan, open_source
from optplan.config import Config
from optplan.errors import UsageError
from optplan.plan import Plan

if TYPE_CHECKING:
    from optplan.model.load import LoadedModel


def plan_of(config: str, model: str | None, arguments: Iterable[str] | None) -> Plan:
    """The plan that a saved file holds, or that a config and a model make.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    given = model_arguments(arguments)
    source = open_source(config)
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
        return source.plan
    if model is None:
        raise UsageError("which model?", hint="name one: --model resnet50")
    return Planner().plan(source, model, given)


class Planner:
    """Makes plans, and builds a model once for all that ask for it with the same arguments."""

    def __init__(self) -> None:
        self._built: dict[tuple[str, str], LoadedModel] = {}

    def plan(self, config: Config, model: str, arguments: Mapping[str, Any]) -> Plan:
        """The plan of a config for a model.

        Raises:
            OptplanError: No such model, or the optimizer refuses it.
        """
        from optplan.constructors import make_plan
        from optplan.model.load import open_model

        key = model, repr(sorted(arguments.items()))
        if key not in self._built:
            self._built[key] = open_model(model, arguments)
        return make_plan(self._built[key], config)
