"""Make the schedulers of other packages; torch is imported when the first is made."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from optplan.config import Namespace
from optplan.config.inherited import inherited_hint
from optplan.errors import OptplanError, ScheduleError, did_you_mean, quoted
from optplan.registries import RegistryKind, default_scope, is_replaced, run_custom_imports
from optplan.runtime.gate import calling
from optplan.schedule.foreign.classes import Way, scheduler_class, way_of
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.scheduled_settings import PER_GROUP
from optplan.schedule.specs import ForeignSpec
from optplan.schedule.training import Training
from optplan.schedule.written import NESTED

if TYPE_CHECKING:
    from optplan.schedule.foreign.running import RunningForeignScheduler, StandIn


class ForeignBuilder:
    """Makes schedulers that are run for real; those of one optimizer act on one stand-in.

    Args:
        namespace: Where the config's names are looked up.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._stand_ins: WeakKeyDictionary[ParamGroupTable, StandIn] = WeakKeyDictionary()

    def __call__(
        self, spec: ForeignSpec, table: ParamGroupTable, training: Training
    ) -> RunningForeignScheduler:
        """Return one scheduler, ready to be stepped.

        Raises:
            ScheduleError: There is no such class, or it refuses its arguments.
        """
        from optplan.schedule.foreign.running import RunningForeignScheduler, StandIn

        if table not in self._stand_ins:
            self._stand_ins[table] = StandIn(table)

        def make(optimizer: StandIn) -> tuple[Any, Way]:
            if spec.library is not None:
                made = spec.library.make(spec.arguments, optimizer, training)
                return made, way_of(type(made)) or Way.TORCH
            return self._made(spec, table, optimizer, training)

        stepping = partial(self._stepping, spec.name)
        return RunningForeignScheduler(
            spec, table, self._stand_ins[table], _placed(make, spec), stepping
        )

    def replaces(self, name: str) -> bool:
        """Return whether a class of somebody's own is registered under the name of one of mmengine's."""
        # what cannot be imported has registered nothing; the planner reports it where it is needed
        with suppress(OptplanError):
            run_custom_imports(self._namespace)
        return is_replaced(RegistryKind.SCHEDULERS, name, self._namespace)

    def _made(
        self, spec: ForeignSpec, table: ParamGroupTable, optimizer: StandIn, training: Training
    ) -> tuple[Any, Way]:
        found, way = scheduler_class(spec.kind, self._namespace, spec.place)
        arguments = {
            name: self._argument(name, value, table, optimizer)
            for name, value in spec.arguments.items()
        }
        make: Any = found
        if way is Way.MMENGINE:
            arguments.setdefault("end", spec.end)
            if spec.converted:
                make = _converter(found, spec)
                arguments["epoch_length"] = training.per_epoch
        else:
            arguments.pop("by_epoch", None)
        _refuse_unknown(make, spec, arguments)
        inner = arguments.get(NESTED)
        with default_scope(self._namespace), self._calling(spec.name, found, inner):
            return make(optimizer=optimizer, **arguments), way

    def _calling(self, what: str, found: object, inner: object) -> AbstractContextManager[None]:
        """Call a scheduler's code, and that of the schedulers which it holds."""
        given = map(type, inner if isinstance(inner, list | tuple) else ())
        return calling(found, what, trusted=self._namespace.trusted, given=given)

    def _stepping(self, what: str, scheduler: object) -> AbstractContextManager[None]:
        return self._calling(what, type(scheduler), getattr(scheduler, f"_{NESTED}", ()))

    def _argument(self, name: str, value: Any, table: ParamGroupTable, optimizer: StandIn) -> Any:
        if name in PER_GROUP and isinstance(value, list | tuple) and len(value) == table.total:
            return [value[number] for number in table.numbers]
        if name == NESTED and isinstance(value, list | tuple):
            return [self._nested(one, optimizer) for one in value]
        return value

    def _nested(self, value: Any, optimizer: StandIn) -> Any:
        if not isinstance(value, Mapping) or "type" not in value:
            return value
        arguments = {str(name): one for name, one in value.items() if name != "type"}
        make: Any = scheduler_class(value["type"], self._namespace, None)[0]
        with calling(make, str(value["type"]), trusted=self._namespace.trusted):
            return make(optimizer=optimizer, **arguments)


def _converter(found: type, spec: ForeignSpec) -> Any:
    make = getattr(found, "build_iter_from_epoch", None)
    if make is None:
        raise ScheduleError(
            f"{spec.name} cannot be converted to iterations",
            place=spec.at("convert_to_iter_based"),
        )
    return make


def _refuse_unknown(make: Any, spec: ForeignSpec, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a class does not take.

    Raises:
        ScheduleError: There is one, or one is missing.
    """
    parameters = inspect.signature(make).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return
    for name in arguments:
        if name not in parameters:
            known = [one for one in parameters if one != "optimizer"]
            raise ScheduleError(
                f"{spec.name} takes no argument {quoted(name)}",
                place=spec.at(name),
                hint=inherited_hint(spec.raw, name)
                or did_you_mean(name, known)
                or f"it takes {', '.join(known)}",
            )
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in {"optimizer", *arguments}:
            raise ScheduleError(f"{spec.name} needs the argument {quoted(name)}", place=spec.place)


def _placed(make: Any, spec: ForeignSpec) -> Any:
    """Return a function that makes the scheduler, and says where it is written if that fails."""

    def made(optimizer: StandIn) -> tuple[Any, Way]:
        try:
            found: tuple[Any, Way] = make(optimizer)
        except OptplanError:
            raise
        except Exception as error:  # a stranger's class may raise anything
            text = " ".join(str(error).split()) or type(error).__name__
            named = next((n for n in spec.arguments if f"'{n}'" in text or n in text.split()), "")
            raise ScheduleError(
                f"{spec.name} refuses its arguments: {text}",
                place=spec.at(named),
            ) from error
        return found

    return made
