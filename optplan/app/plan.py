"""Turn the words of a command line into plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.app.model_planner import (
    BuiltModel,
    NamedModel,
    cached_plans,
    planner_of,
    uncached_planner_of,
)
from optplan.app.sources import Checkpoint, Opened, SavedPlan, open_source
from optplan.config import NO_BATCH, Batch, Config, Symbol, find_namespace
from optplan.dialects import dialect_of, find_optimizer, find_own_model, find_sections
from optplan.errors import ConfigError, ModelError, OptplanError, UsageError
from optplan.hf_specs import ADAPTER, FILE_ARGUMENTS
from optplan.plan import Plan, Planned
from optplan.runtime.audit import lifted
from optplan.runtime.gate import is_own_name
from optplan.runtime.installed import find_installed
from optplan.runtime.progress_line import working
from optplan.runtime.user_code import StandIns, import_for_user
from optplan.runtime.where import IsolationNeededError, Where, named_code_runs

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest
    from optplan.model import LoadedModel


def plan_of(config: str, options: PlanRequest, *, of_any_size: bool = False) -> Plan | Planned:
    """Return the plan that a saved file holds, or the one that a config and a model make.

    Args:
        config: What the command line calls CONFIG.
        options: The model, and how the config is read.
        of_any_size: Take the number of processes for a saved plan, too: it is not for the lr.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    model, given = options.model, options.model_arguments
    source = open_with(config, options)
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
        refuse_unused(config, replace(options, world_size=None) if of_any_size else options)
        return source.plan
    isolate_named_code(source, model)
    return planner_for(options).plan(source, model, given)


def open_with(
    word: str, options: PlanRequest, arguments: Mapping[str, Any] | None = None
) -> Opened:
    """Open what the command line calls CONFIG, as the options say.

    Args:
        word: Its name.
        options: How it is read.
        arguments: What a function in its place is given; None for what the options say.

    Raises:
        OptplanError: There is no such thing, or it is wrong.
    """
    return open_source(
        word,
        overrides=options.overrides or (),
        trust=options.trust,
        arguments=options.function_arguments if arguments is None else arguments,
    )


def planner_for(options: PlanRequest) -> Planner:
    """Return what makes plans as the options say."""
    return Planner(options.batch, is_cached=options.is_cached, materialize=options.materialize)


def isolate_named_code(
    source: object, model: str | None, *, schedulers: Iterable[object] = ()
) -> None:
    """Leave to a process of its own a config that names code.

    Nothing else has been imported yet; what this overlooks is noticed where the code is to run.

    Args:
        source: The config, or something else that is opened.
        model: The model that the command line names.
        schedulers: The types of the config's schedulers, where they are run.

    Raises:
        IsolationNeededError: It is such a config, and this process is none for it.
    """
    if named_code_runs() is not Where.ELSEWHERE or not isinstance(source, Config):
        return
    if _names_code(source, schedulers, has_model=model is not None):
        raise IsolationNeededError


def _names_code(config: Config, schedulers: Iterable[object], *, has_model: bool) -> bool:
    """Return whether a config certainly names code that is run in a process of its own."""
    try:
        namespace, own = find_namespace(config), find_own_model(config)
    except ConfigError:
        return False  # making the plan says it
    if namespace.trusted:
        return False
    words: list[object] = list(schedulers)
    with suppress(ConfigError):
        section = find_optimizer(config)
        words += [section.type, section.constructor]
    names = (*namespace.imports, *_import_paths(words))
    packages = (name.partition(".")[0] for name in names)
    return (own is not None and not has_model) or any(map(find_installed, packages))


def _import_paths(words: Iterable[object]) -> Iterator[str]:
    """Yield the import paths among types that are not torch's own or timm's."""
    for word in words:
        name = str(word)
        is_path = isinstance(word, Symbol) or (isinstance(word, str) and name.count(".") > 1)
        if is_path and not is_own_name(name):
            yield name


def import_first(configs: Sequence[str], options: PlanRequest) -> None:
    """Import what ``--import`` names, unless that will be done in another process.

    Raises:
        IsolationNeededError: As :func:`isolate_named_code`.
        UsageError: There is no such file or module, or it raises.
    """
    for word in configs if options.imports and not options.trust else ():
        with suppress(OptplanError):  # opening it for the report says what is wrong
            isolate_named_code(open_source(word), options.model)
    for word in options.imports or ():
        import_for_user(word, stand_ins(trust=options.trust))


def stand_ins(*, trust: bool) -> StandIns | None:
    """Return what provides the names of mmcv 1.x to the user's own code: without trust nothing does."""
    if not trust:
        return None
    from optplan.constructors.mmcv1_runner import names_of_mmcv1

    return names_of_mmcv1


def refuse_unused(word: str, options: PlanRequest) -> None:
    """Refuse options that change nothing in a saved plan, where there is no config for them.

    Raises:
        UsageError: The batch or a config value is given.
    """
    if options.overrides:
        raise UsageError(f"{word!r} is a saved plan, in which --set changes nothing")
    if options.batch != NO_BATCH:
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

    @property
    def world_size(self) -> int | None:
        """The number of processes, None where it is not known."""
        return self._batch.world_size

    def plan(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> Planned:
        """Return the plan of a config for a model, or for its own, with what it was made from.

        Raises:
            OptplanError: No such model, or the optimizer refuses it.
        """
        return self._planner(config, model, arguments)(config, self._batch)

    def model(self, config: Config, model: str | None, arguments: Mapping[str, Any]) -> LoadedModel:
        """Return the model of that name, or the config's own.

        Raises:
            OptplanError: No such model, or it cannot be built.
        """
        return self._planner(config, model, arguments).loaded

    def _planner(
        self, config: Config, model: str | None, arguments: Mapping[str, Any]
    ) -> NamedModel | BuiltModel:
        if model is None:
            return self._own(config, arguments)
        if given := dialect_of(config).model_arguments(config):
            arguments = {**arguments, FILE_ARGUMENTS: given}
        return self._named(model, arguments)

    def _named(self, model: str, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        key = model, repr(sorted(arguments.items()))
        if key not in self._models:
            self._models[key] = NamedModel(
                model, arguments, self._cached, materialize=self._materialize
            )
        return self._models[key]

    def _own(self, config: Config, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        if config.model_word is not None:
            return self._named(config.model_word, arguments)
        own = find_own_model(config)
        if own is None:
            return self._of_target(config, arguments)
        if ADAPTER in arguments:
            raise UsageError("--peft needs a model to put the adapter into", hint="add --model")
        if arguments:
            raise UsageError(
                "-k gives arguments to the model of --model, and there is none",
                hint="change the config's own: --set model.NAME=VALUE",
            )
        from optplan.model import Memory, given_memory, open_configured

        key = "", own.key
        if key not in self._models:
            memory = given_memory(Memory.ALL) if self._materialize else nullcontext()
            with memory, working("building the config's model"):
                self._models[key] = BuiltModel(open_configured(own))
        return self._models[key]

    def _of_target(self, config: Config, arguments: Mapping[str, Any]) -> NamedModel | BuiltModel:
        """Return the model that the project's settings name for a config."""
        from optplan.app.targets import target_of_config
        from optplan.checks.task_planner import at_target

        with lifted():  # the settings are no code of a file's naming
            target = target_of_config(config)
        if target is None:
            find_sections(config) or find_optimizer(config)  # what is wrong with them is said first
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
    """Return a model that may be meant: the class that a method is named of."""
    head, _, attribute = config.word.rpartition(":")
    of_class = attribute.rpartition(".")[0]
    return f"{head}:{of_class}" if of_class else "resnet50"
