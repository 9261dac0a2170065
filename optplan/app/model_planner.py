"""Plan configs for one model, in a process that knows nothing of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from importlib import util
from typing import TYPE_CHECKING, Any

from optplan.config import NO_BATCH
from optplan.dialects import code_dialect
from optplan.errors import PlanError
from optplan.runtime.audit import lifted
from optplan.runtime.gc_control import gc_paused, import_with_gc_paused
from optplan.runtime.progress_line import working
from optplan.runtime.stdio import capture_warnings

if TYPE_CHECKING:
    from optplan.app.cached_plan import CachedPlans
    from optplan.checks.tool_config import Target
    from optplan.config import Batch, Config
    from optplan.model import LoadedModel
    from optplan.plan import Planned

_EARLY = ("timm", "transformers")


class BuiltModel:
    """Plans configs for a model that is there."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    def __call__(self, config: Config, batch: Batch = NO_BATCH) -> Planned:
        """Return the plan of a config, with what it was made from.

        Raises:
            OptplanError: The config is wrong, or the optimizer refuses the model.
        """
        from optplan.app.planning import plan_with_facts

        with gc_paused():
            return plan_with_facts(self.loaded, config, batch=batch)


class NamedModel:
    """Plans configs for one model, which is built once, and only if its parameters are not cached.

    Args:
        name: What the user calls it.
        arguments: Its arguments.
        cached: The cache; None to use none.
        opener: Opens it, where that is not what its name on the command line would mean.
        materialize: Whether it is built with memory. A small one is as well, once code has failed on it
            without.

    Raises:
        ModelError: There is no such model, or it cannot be built.
    """

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        cached: CachedPlans | None,
        opener: Opener | None = None,
        *,
        materialize: bool = False,
    ) -> None:
        self._opener = opener
        self._name = name
        self._arguments = arguments
        self._cached = cached
        self._materialize = materialize
        self._built: BuiltModel | None = None
        self._said: list[str] = []
        self._known = None if cached is None else cached.model(name, arguments)
        if self._known is None:
            self._build()

    @property
    def loaded(self) -> LoadedModel:
        """The model itself.

        Raises:
            ModelError: It cannot be built.
        """
        return self._build().loaded

    def __call__(self, config: Config, batch: Batch = NO_BATCH) -> Planned:
        """Return the plan of a config, with what it was made from.

        Raises:
            OptplanError: The config is wrong, or the optimizer refuses the model.
        """
        cached, known = self._cached, self._known
        if cached is None:
            return self._made(config, batch)
        if known is not None:
            with gc_paused():
                found = cached.plan(config, batch, known, self._arguments)
            if found is not None:
                return found
        made = self._made(config, batch)
        if cached.vouches_for(config, batch):
            from optplan.app.store_plan import store

            store(cached, made, self._arguments, is_silent=not self._said)
        return made

    def _made(self, config: Config, batch: Batch) -> Planned:
        """Return the plan of a model that is built: with memory, where a function fails on it without."""
        from optplan.errors import PlanError

        built = self._build()
        try:
            return built(config, batch)
        except PlanError as error:
            if not may_need_memory(error, config, built.loaded):
                raise
        self._built, self._materialize = None, True
        return self._build()(config, batch)

    def _build(self) -> BuiltModel:
        if self._built is None:
            self._built = BuiltModel(self._opened())
        return self._built

    def _opened(self) -> LoadedModel:
        from optplan.model import Memory, given_memory, library_of, open_model

        library = library_of(self._name)
        # ultralytics writes into the user's folder as it is imported: what builds its models takes care of that
        early = (library,) if library in _EARLY and util.find_spec(library) else ()
        with lifted():  # what the command line names, also beside code that a file names
            import_with_gc_paused("optplan.app.planning", *early)
        memory = given_memory(Memory.ALL) if self._materialize else nullcontext()
        paused = gc_paused() if library else nullcontext()
        with paused, capture_warnings() as self._said, memory, working(f"building {self._name}"):
            return (self._opener or open_model)(self._name, self._arguments)


def planner_of(target: Target, *, materialize: bool = False) -> NamedModel:
    """Return a planner of configs for one model, which uses the cache where that is enough.

    Raises:
        ModelError: There is no such model, or it cannot be built.
    """
    return NamedModel(
        target.model, target.arguments, cached_plans(), _opener(target), materialize=materialize
    )


def uncached_planner_of(target: Target, *, materialize: bool = False) -> NamedModel:
    """Return a planner of configs for one model, which uses no cache.

    Raises:
        ModelError: As :func:`planner_of`.
    """
    return NamedModel(
        target.model, target.arguments, None, _opener(target), materialize=materialize
    )


Opener = Callable[[str, Mapping[str, Any]], "LoadedModel"]


def _opener(target: Target) -> Opener | None:
    """Return the function that opens a model of the tool's configuration; None where the user names it."""
    if target.location is None:
        return None
    from optplan.model.from_settings import open_model_of_settings

    return partial(open_model_of_settings, project=target.project)


@cache  # what a process may vouch for depends on all that it has done
def cached_plans() -> CachedPlans:
    """Open the cache of this machine."""
    from optplan.app.cached_plan import CachedPlans
    from optplan.cache import Store, cache_folder

    return CachedPlans.opened(Store(cache_folder()))


class ConfiguredModels:
    """Plans configs for the models that they name themselves; as in :class:`OwnModels`."""

    def __init__(self) -> None:
        self._there: dict[tuple[str, str | None], bool] = {}

    def key(self, config: Config) -> str | None:
        """Return a key that is equal for configs of one model; None where there is no model, or its package is not there."""
        from optplan.dialects import find_own_model
        from optplan.errors import ConfigError
        from optplan.model import may_be_installed

        try:
            own = find_own_model(config)
        except ConfigError:
            return None  # making the plan says it
        if own is None:
            return None
        word = str(own.type), own.namespace.scope
        if word not in self._there:
            self._there[word] = may_be_installed(own)
        return own.key if self._there[word] else None

    def planner(self, config: Config) -> BuiltModel:
        """Return a planner of configs that have one key.

        Raises:
            OptplanError: The model cannot be built.
        """
        from optplan.dialects import find_own_model
        from optplan.model import open_configured

        own = find_own_model(config)
        assert own is not None
        return BuiltModel(open_configured(own))


# Up to so many elements, 0.4 GB in float32, a model is built again with memory and nothing is said.
MOST_ELEMENTS = 100_000_000


def may_need_memory(error: PlanError, config: Config, loaded: LoadedModel) -> bool:
    """Return whether a function has failed on a model without memory, and may not with it.

    Raises:
        PlanError: It has read values, and the model is large: the user decides.
    """
    if code_dialect(config) is None or error.__cause__ is None:
        return False
    if not any(parameter.is_meta for parameter in loaded.module.parameters()):
        return False
    elements = loaded.inventory.elements
    if elements <= MOST_ELEMENTS:
        return True
    if (
        "meta" in str(error.__cause__).lower()
    ):  # as torch calls the device of tensors without memory
        hint = (
            "it reads values of the model, which was built without memory: "
            f"--materialize builds it with {elements * 4 / 1e9:.1f} GB"
        )
        raise PlanError([replace(problem, hint=hint) for problem in error.problems]) from error
    return False
