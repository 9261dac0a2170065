"""Running a constructor that is not built in, on a model."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from optplan.config import Form, OptimizerConfig, PlacedDict, Symbol, place_of
from optplan.config.placed import placed_dict
from optplan.constructors.choosing import Chosen
from optplan.constructors.default import DefaultOptimizerConstructor
from optplan.constructors.lookup import current_namespace, import_named
from optplan.constructors.observing import NamedOptimizers, optimizers_of, others_code
from optplan.constructors.optimizers import optimizer_class
from optplan.constructors.recording import Recording
from optplan.errors import PlanError
from optplan.registries import ROOT, Kind, registered
from optplan.rules import Decision


class Running:
    """A constructor at work.

    Args:
        chosen: The constructor.
        section: The config's optimizer section, which is copied for it.

    Attributes:
        paramwise: What it is given of ``paramwise_cfg``, and what it reads of that.
        decisions: What the default rules decided where it asked them, by the parameter's ``id``.
    """

    def __init__(self, chosen: Chosen, section: OptimizerConfig) -> None:
        self._chosen = chosen
        self._section = section
        self.paramwise = Recording(section.paramwise)
        self.decisions: Mapping[int, Decision] = {}

    def __call__(self, model: nn.Module) -> NamedOptimizers:
        """Make the optimizers of a model.

        Raises:
            PlanError: The constructor raises, or makes none; or the config names what it must not.
        """
        chosen = self._chosen
        given = _given(self._section, _is_reference(chosen))
        paramwise = self.paramwise.options if self._section.has_paramwise else None
        with (
            others_code(f"the constructor {chosen.name}", chosen.place),
            _validation_unnoticed(self.paramwise),
        ):
            constructor = chosen.make(Recording(given).options, paramwise)
            made = constructor(model)
        decisions = getattr(constructor, "decisions", None)
        if isinstance(constructor, DefaultOptimizerConstructor) and isinstance(decisions, dict):
            self.decisions = decisions
        return optimizers_of(made, f"the constructor {chosen.name}", chosen.place)


def _is_reference(chosen: Chosen) -> bool:
    return not (
        inspect.isclass(chosen.make) and issubclass(chosen.make, DefaultOptimizerConstructor)
    )


def _given(section: OptimizerConfig, is_reference: bool) -> dict[str, Any]:
    """The dict that a constructor takes, with classes in the place of symbols.

    A foreign one looks names up by itself, also such as are imported from anywhere; it is given only
    names and classes that this config may use.
    """
    optimizer: dict[str, Any] = _live(section.optimizer)
    if section.type is not None:
        found = optimizer_class(section.type, section.places["type"])
        if "." in str(section.type) or isinstance(section.type, Symbol):
            optimizer["type"] = found
    if section.form is Form.OPTIMIZER:
        return optimizer
    wrapper: dict[str, Any] = _live(section.wrapper)
    if is_reference and "type" in wrapper:
        wrapper = _wrapper_for_planning(section, wrapper)
    return {**wrapper, "optimizer": optimizer} if section.has_optimizer else wrapper


def _live(value: Any) -> Any:
    """A copy of a part of the config in which symbols are what they name."""
    if isinstance(value, Symbol):
        return import_named(str(value), "object", None)
    if isinstance(value, Mapping):
        items = ((key, _live(item)) for key, item in value.items())
        if isinstance(value, PlacedDict):
            return placed_dict(items, value.raw_places)
        return dict(items)
    if type(value) in (list, tuple):
        return type(value)(map(_live, value))
    return value


# Wrappers for mixed precision can be made on a GPU only; they change nothing of what is planned.
_AMP_WRAPPERS = ("AmpOptimWrapper", "ApexOptimWrapper")
_AMP_ARGUMENTS = frozenset(
    {"loss_scale", "dtype", "use_fp16", "opt_level", "loss_id", "enabled", "cast_model_type"}
    | {"patch_torch_functions", "keep_batchnorm_fp32", "master_weights", "cast_model_outputs"}
    | {"num_losses", "verbosity", "min_loss_scale", "max_loss_scale"}
)


def _wrapper_for_planning(section: OptimizerConfig, wrapper: dict[str, Any]) -> dict[str, Any]:
    """The wrapper's entries with its class, or a plain one in the place of one for mixed precision."""
    kind, place = wrapper["type"], place_of(section.wrapper, "type")
    if isinstance(kind, str):
        found = registered(Kind.WRAPPERS, kind, current_namespace())
        if found is None:
            if "." not in kind:
                raise PlanError(f"there is no optimizer wrapper {kind!r}", place=place)
            found = import_named(kind, "optimizer wrapper", place)
    else:
        found = kind
    if getattr(found, "__name__", "") in _AMP_WRAPPERS:
        kept = {name: value for name, value in wrapper.items() if name not in _AMP_ARGUMENTS}
        return {**kept, "type": "OptimWrapper"}
    from mmengine.optim import BaseOptimWrapper  # type: ignore[import-not-found, unused-ignore]

    if not (inspect.isclass(found) and issubclass(found, BaseOptimWrapper)):
        raise PlanError(f"{kind!r} is no optimizer wrapper", place=place)
    return {**wrapper, "type": found}


@contextmanager
def _validation_unnoticed(recording: Recording) -> Iterator[None]:
    """Let the reference validate options without a note: that puts none of them to use."""
    if ROOT not in sys.modules:
        yield
        return
    from mmengine.optim import DefaultOptimWrapperConstructor

    real = DefaultOptimWrapperConstructor._validate_cfg  # noqa: SLF001 - it is what reads all of them

    def validate(self: Any) -> None:
        with recording.paused():
            real(self)

    DefaultOptimWrapperConstructor._validate_cfg = validate  # noqa: SLF001
    try:
        yield
    finally:
        DefaultOptimWrapperConstructor._validate_cfg = real  # noqa: SLF001
