"""Run a constructor that is not built in, on a model."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from torch import nn

from optplan.config import OptimizerConfig, PlacedDict, SectionForm, Symbol, place_of
from optplan.config.placed import placed_dict
from optplan.constructors.default_constructor import DefaultOptimizerConstructor
from optplan.constructors.lookup import current_namespace, import_named
from optplan.constructors.mmengine_runtime import (
    may_call,
    reference_at_work,
    refusal,
    wrapper_for_planning,
)
from optplan.constructors.observed_groups import others_code
from optplan.constructors.optimizers import optimizer_class
from optplan.constructors.recording_dict import Recording
from optplan.constructors.resolve_constructor import ResolvedConstructor
from optplan.constructors.returned_optimizers import NamedOptimizers, optimizers_of
from optplan.constructors.source_location import source_file
from optplan.constructors.timm_optimizers import PREFIX as TIMM
from optplan.errors import PlanError
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.registries import ROOT, RegistryKind, registered
from optplan.rules import Decision
from optplan.runtime.gate import calling


class ConstructorRun:
    """A constructor at work.

    Args:
        chosen: The constructor.
        section: The config's optimizer section, which is copied for it.

    Attributes:
        paramwise: What it is given of ``paramwise_cfg``, and what it reads of that.
        decisions: What the default rules decided where it asked them, by the parameter's ``id``.
    """

    def __init__(self, chosen: ResolvedConstructor, section: OptimizerConfig) -> None:
        self._chosen = chosen
        self._section = section
        self.paramwise = Recording(section.paramwise)
        self.decisions: Mapping[int, Decision] = {}

    def __call__(self, model: nn.Module) -> NamedOptimizers:
        """Make the optimizers of a model.

        Raises:
            PlanError: The constructor raises, or makes none; or the config names what it must not.
        """
        chosen, section = self._chosen, self._section
        who = f"the constructor {chosen.name}"
        given = Recording(_given(section, chosen)).options
        paramwise = self.paramwise.options if section.has_paramwise else None
        written = section.wrapper, section.optimizer, section.paramwise
        with (
            self._tied_explained(),
            others_code(who, chosen.place, home=source_file(chosen.make)),
            reference_at_work(self.paramwise, *written),
            calling(chosen.make, chosen.name, trusted=current_namespace().trusted),
        ):
            constructor = _constructed(chosen, given, paramwise)
            if isinstance(constructor, DefaultOptimizerConstructor):
                self.decisions = constructor.decisions
            return optimizers_of(constructor(model), who, chosen.place)

    @contextmanager
    def _tied_explained(self) -> Iterator[None]:
        """Say what to do about tied tensors in several groups: not every constructor has an option for it."""
        try:
            yield
        except PlanError as error:
            asked = self.paramwise.read | self.paramwise.wanted
            has_option = bool(self.decisions) or ("bypass_duplicate",) in asked
            hint = _BYPASS if has_option else _ONCE
            raise PlanError(
                [replace(p, hint=hint) if p.kind is ProblemKind.TIED else p for p in error.problems]
            ) from error.__cause__


_BYPASS = "set bypass_duplicate=True in paramwise_cfg"
_ONCE = "the constructor must leave out a tensor that it has put into a group already"


def _constructed(
    chosen: ResolvedConstructor, given: dict[str, Any], paramwise: dict[str, Any] | None
) -> Any:
    """Return the constructor, made as the reference does, or with arguments of other names.

    Raises:
        PlanError: It takes neither.
    """
    named = {"optim_wrapper_cfg": given, "paramwise_cfg": paramwise}
    try:
        signature = inspect.signature(chosen.make)
    except (TypeError, ValueError):  # code that is not Python's says nothing of its arguments
        return chosen.make(given, paramwise)
    try:
        signature.bind(**named)
    except TypeError:
        try:
            signature.bind(given, paramwise)
        except TypeError as error:
            raise PlanError(
                f"the constructor {chosen.name} does not take (optim_wrapper_cfg, paramwise_cfg): {error}",
                place=chosen.place,
            ) from None
        return chosen.make(given, paramwise)
    return chosen.make(**named)


def _given(section: OptimizerConfig, chosen: ResolvedConstructor) -> dict[str, Any]:
    """Return the dict that a constructor takes, with classes in the place of symbols.

    A foreign one looks names up by itself, also such as are imported from anywhere; it is given only
    names and classes that this config may use.
    """
    optimizer: dict[str, Any] = _live(section.optimizer)
    if section.type is not None:
        found = optimizer_class(section.type, section.places["type"])
        if not _knows(section.type, chosen):
            optimizer["type"] = found
    if section.form is SectionForm.OPTIMIZER:
        for name in ("constructor", "paramwise_cfg"):
            optimizer.pop(name, None)
        # the reference's own class knows only the newer form
        return {"optimizer": optimizer} if chosen.is_reference_class else optimizer
    wrapper: dict[str, Any] = _live(section.wrapper)
    if not chosen.is_own:
        wrapper = dict(wrapper_for_planning(wrapper))
    return {**wrapper, "optimizer": optimizer} if section.has_optimizer else wrapper


def _knows(kind: str | Symbol | type, chosen: ResolvedConstructor) -> bool:
    """Return whether the constructor finds the same optimizer under this name."""
    if not isinstance(kind, str) or "." in kind or kind.startswith(TIMM):
        return False
    if chosen.is_own or current_namespace().is_mmcv1 or ROOT not in sys.modules:
        return True
    return registered(RegistryKind.OPTIMIZERS, kind, current_namespace()) is not None


def _live(value: Any, place: Place | None = None) -> Any:
    """Return a copy of a part of the config in which symbols are what they name.

    Raises:
        PlanError: One means nothing that is installed, or what must not be called.
    """
    if isinstance(value, Symbol):
        found = import_named(str(value), "object", place)
        if callable(found) and not (current_namespace().trusted or may_call(found)):
            raise refusal(str(value), place)
        return found
    if isinstance(value, Mapping):
        entries = [(key, _live(item, place_of(value, key))) for key, item in value.items()]
        if isinstance(value, PlacedDict):
            return placed_dict(entries, value.raw_places)
        return dict(entries)
    if isinstance(value, list | tuple):
        items = [_live(item, place_of(value, index) or place) for index, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    return value
