"""From the words of a command line to plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.cli.model_planner import (
    BuiltModel,
    NamedModel,
    cached_plans,
    planner_of,
    uncached_planner_of,
)
from optplan.cli.options import model_arguments
from optplan.cli.sources import Checkpoint, SavedPlan, open_source
from optplan.config import (
    NO_BATCH,
    Batch,
    Config,
    FunctionConfig,
    Symbol,
    find_namespace,
    find_optimizer,
    find_own_model,
)
from optplan.errors import ConfigError, ModelError, OptplanError, UsageError
from optplan.plan import Plan, Planned
from optplan.runtime.gate import is_own_name
from optplan.runtime.installed import find_installed
from optplan.runtime.where import IsolationNeededError, Where, named_code_runs
from optplan.user_code import import_for_user

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
    is_cached: bool = False,
    function_arguments: Mapping[str, Any] | None = None,
    materialize: bool = False,
) -> Plan | Planned:
    """The plan that a saved file holds, or the one that a config and a model make.

    Args:
        config: What the command line calls CONFIG.
        model: What it calls MODEL; left out, the config's own is meant.
        arguments: ``name=value`` for the model.
        overrides: ``a.b=value`` for the config.
        trust: Whether a Python config may be executed.
        batch: What is known of the batch.
        is_cached: Whether a model may be cached.
        function_arguments: What a function in the place of the config is given beside the model.
        materialize: Whether the model is built with memory.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    given = model_arguments(arguments)
    source = open_source(config, overrides=overrides, trust=trust, arguments=function_arguments)
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
    isolate_named_code(source, model)
    planner = Planner(batch, is_cached=is_cached, materialize=materialize)
    return planner.plan(source, model, given)


def isolate_named_code(source: object, model: str | None) -> None:
    """Leave to a process of its own a config that names code.

    Nothing else has been imported yet; what this overlooks is noticed where the code is to run.

    Raises:
        IsolationNeededError: It is such a config, and this process is none for it.
    """
    if named_code_runs() is not Where.ELSEWHERE or not isinstance(source, Config):
        return
    if _names_code(source, has_model=model is not None):
        raise IsolationNeededError


def _names_code(config: Config, *, has_model: bool) -> bool:
    """Return whether a config certainly names code that is run in a process of its own."""
    try:
        namespace, own = find_namespace(config), find_own_model(config)
    except ConfigError:
        return False  # making the plan says it
    if namespace.trusted:
        return False
    packages = (
        name.partition(".")[0] for name in (*namespace.imports, *_code_of_optimizer(config))
    )
    return (own is not None and not has_model) or any(map(find_installed, packages))


def _code_of_optimizer(config: Config) -> Iterator[str]:
    """Yield the import paths of the optimizer and the constructor that are not torch's own or timm's."""
    with suppress(ConfigError):
        section = find_optimizer(config)
        for word in (section.type, section.constructor):
            name = str(word)
            is_path = isinstance(word, Symbol) or (isinstance(word, str) and name.count(".") > 1)
            if is_path and not is_own_name(name):
                yield name


def import_first(
    imports: Sequence[str], configs: Sequence[str], model: str | None, *, trust: bool
) -> None:
    """Import what ``--import`` names, unless that will be done in another process.

    Raises:
        IsolationNeededError: As :func:`isolate_named_code`.
        UsageError: There is no such file or module, or it raises.
    """
    for word in configs if imports and not trust else ():
        with suppress(OptplanError):  # opening it for the report says what is wrong
            isolate_named_code(open_source(word), model)
    for word in imports:
        import_for_user(word, preparation(trust=trust))


def preparation(*, trust: bool) -> Callable[[], None] | None:
    """Return what is done before the user's own code is imported: with trust, names of mmcv 1.x are provided."""
    if not trust:
        return None
    from optplan.constructors.mmcv1_runner import provide_names_of_mmcv1

    return provide_names_of_mmcv1


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
        is_cached: Whether models may be cached.
        materialize: Whether models are built with memory.
    """

    def __init__(
        self, batch: Batch = NO_BATCH, *, is_cached: bool = False, materialize: bool = False
    ) -> None:
        self._batch = batch
        self._materialize = materialize
        self._cached = cached_plans() if is_cached else None
        self._models: dict[tuple[str, str], NamedModel | BuiltModel] = {}

    def plan(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> Planned:
        """The plan of a config for a model, or for its own, with what it was made from.

        Raises:
            OptplanError: No such model, or the optimizer refuses it.
        """
        return self._planner(config, model, arguments)(config, self._batch)

    def model(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> LoadedModel:
        """The model of that name, or the config's own.

        Raises:
            OptplanError: No such model, or it cannot be built.
        """
        return self._planner(config, model, arguments).loaded

    def _planner(
        self, config: Config, model: str | None, arguments: Mapping[str, Any]
    ) -> NamedModel | BuiltModel:
        return self._own(config, arguments) if model is None else self._named(model, arguments)

    def _named(self, model: str, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        key = model, repr(sorted(arguments.items()))
        if key not in self._models:
            self._models[key] = NamedModel(
                model, arguments, self._cached, materialize=self._materialize
            )
        return self._models[key]

    def _own(self, config: Config, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        own = find_own_model(config)
        if own is None:
            return self._of_target(config, arguments)
        if arguments:
            raise UsageError(
                "-k gives arguments to the model of --model, and there is none",
                hint="change the config's own: --set model.NAME=VALUE",
            )
        from optplan.model import Memory, given_memory, open_configured

        key = "", own.key
        if key not in self._models:
            memory = given_memory(Memory.ALL) if self._materialize else nullcontext()
            with memory:
                self._models[key] = BuiltModel(open_configured(own))
        return self._models[key]

    def _of_target(self, config: Config, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        """The model that the project's settings name for a config."""
        from optplan.checks.running import at_target
        from optplan.cli.targets import target_of_config

        target = target_of_config(config)
        if target is None:
            raise UsageError("which model?", hint=f"name one: --model {_example(config)}")
        target = replace(target, arguments={**target.arguments, **arguments})
        key = f"target {target.model}", repr(sorted(target.arguments.items()))
        if key not in self._models:
            make = uncached_planner_of if self._cached is None else planner_of
            try:
                self._models[key] = make(target, materialize=self._materialize)
            except ModelError as error:
                raise at_target(error, target) from error
        return self._models[key]


def _example(config: Config) -> str:
    """A model that may be meant: the class that a method is named of."""
    word = config.word if isinstance(config, FunctionConfig) else ""
    head, _, attribute = word.rpartition(":")
    of_class = attribute.rpartition(".")[0]
    return f"{head}:{of_class}" if of_class else "resnet50"
