"""Find the constructor that a config names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from optplan.config import OptimizerConfig, SectionForm, Symbol
from optplan.config.layer_decay_options import is_for_custom_class, own_class_hint
from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.constructors.default_constructor import DefaultOptimizerConstructor
from optplan.constructors.layer_decay_constructor import (
    LayerDecayOptimizerConstructor,
    LearningRateDecayOptimWrapperConstructor,
)
from optplan.constructors.lookup import current_namespace, import_named, look_up
from optplan.constructors.mmcv1 import (
    DEFAULT_OF_MMCV1,
    Mmcv1OptimizerConstructor,
    constructor_of_mmcv1,
)
from optplan.constructors.registered import OPTIMIZER_CONSTRUCTORS
from optplan.errors import PlanError, close_matches, quoted
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.registries import ROOT, RegistryKind, is_scope, registered_names
from optplan.rules import DEFAULT_RULES, MMCV1_RULES, MMPRETRAIN_RULES, RuleSet

WHAT = "optimizer constructor"
AS_DEFAULT = "as the default constructor"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedConstructor:
    """A constructor.

    Args:
        name: Its class's name.
        make: The class, called with the config and its ``paramwise_cfg``.
        place: Where the config names it.
    """

    name: str
    make: Callable[..., Any]
    place: Place | None

    @property
    def is_builtin(self) -> bool:
        """Whether it is one of the constructors whose groups are known from facts alone."""
        return self.make in _BUILTIN

    @property
    def is_own(self) -> bool:
        """Whether it builds on optplan's default constructor, which looks names up itself."""
        return inspect.isclass(self.make) and issubclass(self.make, DefaultOptimizerConstructor)

    @property
    def is_reference_class(self) -> bool:
        """Whether it builds on the reference's own default constructor."""
        return any(map(_is_reference_default, self._bases))

    @property
    def rules(self) -> RuleSet | None:
        """The rules that it follows as far as no other code of it decides; None where it has its own."""
        if any(map(_is_mmpretrains, self._bases)):
            return MMPRETRAIN_RULES
        if self.is_reference_class:
            return DEFAULT_RULES
        found = getattr(self.make, "rules", None)
        is_ours = DefaultOptimizerConstructor in self._bases
        return found if is_ours and isinstance(found, RuleSet) else None

    @property
    def _bases(self) -> tuple[type, ...]:
        return inspect.getmro(self.make) if inspect.isclass(self.make) else ()

    @property
    def likeness(self) -> str | None:
        """What to say of rules that its groups are like, though it is not known to have followed them."""
        if not self.is_reference_class or self.is_double:
            return None
        return AS_DEFAULT if self.rules is DEFAULT_RULES else f"as {MMPRETRAIN_RULES.constructor}"

    @property
    def is_double(self) -> bool:
        """Whether it is a class of another package whose rules are known, all of them."""
        return _is_mmpretrains(self.make)


_BUILTIN: tuple[object, ...] = (
    DefaultOptimizerConstructor,
    LayerDecayOptimizerConstructor,
    LearningRateDecayOptimWrapperConstructor,
    Mmcv1OptimizerConstructor,
)


def choose_constructor(section: OptimizerConfig) -> ResolvedConstructor:
    """Find the constructor of an optimizer section, by the names of the config that is planned.

    Raises:
        PlanError: Nothing has that name, or it is no constructor.
        ConfigError: The package that the name belongs to raises on import.
    """
    place = section.places["constructor"]
    written = section.constructor
    if section.is_mmcv1 and not isinstance(written, Symbol):
        return _of_mmcv1(written or DEFAULT_OF_MMCV1, place)
    if written is None:
        written = DEFAULT_CONSTRUCTORS[section.form is SectionForm.WRAPPER]
    found: Any = (
        _imported(written, place) if isinstance(written, Symbol) else _named(written, place)
    )
    if _is_reference_default(found):
        found = DefaultOptimizerConstructor
    if found is LayerDecayOptimizerConstructor and is_for_custom_class(section.paramwise):
        raise _unknown(str(written), place, is_somebodys=True)
    return ResolvedConstructor(
        name=getattr(found, "__name__", str(written)), make=found, place=place
    )


def _of_mmcv1(name: str, place: Place | None) -> ResolvedConstructor:
    """Return the constructor that mmcv 1.x finds under a name.

    Raises:
        PlanError: Nothing has that name.
    """
    found = constructor_of_mmcv1(name)
    if found is None:
        raise _unknown(name, place, is_somebodys=name != DEFAULT_CONSTRUCTORS[1])
    if inspect.isclass(found) and getattr(found, "rules", None) is DEFAULT_RULES:
        found = _by_rules_of_mmcv1(found)
    return ResolvedConstructor(name=name, make=found, place=place)


def _by_rules_of_mmcv1(found: type) -> type:
    """Return a class that builds on optplan's own, which leaves to its base what mmcv 1.x's class decides."""
    names = {"__module__": found.__module__, "__qualname__": found.__qualname__}
    return type(found.__name__, (found,), {"rules": MMCV1_RULES, **names})


def is_constructor(found: object) -> bool:
    """Return whether something is a class of constructors, by what it takes and gives.

    There is no class that all of them inherit from.
    """
    if not inspect.isclass(found) or issubclass(found, nn.Module):
        return False
    if issubclass(found, DefaultOptimizerConstructor) or _is_of_reference(found):
        return True
    try:
        arguments = inspect.signature(found).parameters
    except (TypeError, ValueError):
        return False
    return "paramwise_cfg" in arguments and any("__call__" in vars(b) for b in found.__mro__)


def _named(name: str, place: Place | None) -> object:
    found = look_up(
        name,
        OPTIMIZER_CONSTRUCTORS,
        RegistryKind.CONSTRUCTORS,
        in_any_scope=lambda own_name: own_name in DEFAULT_CONSTRUCTORS,
    )
    if found is not None:
        return found
    if "." in name and (name.count(".") > 1 or is_scope(name.partition(".")[0])):
        return _imported(name, place)
    raise _unknown(name, place)


def _unknown(name: str, place: Place | None, *, is_somebodys: bool = False) -> PlanError:
    return PlanError(
        f"there is no {WHAT} {name!r}",
        place=place,
        hint=_hint(name, is_somebodys=is_somebodys),
        kind=ProblemKind.UNKNOWN_CONSTRUCTOR,
    )


def _hint(name: str, *, is_somebodys: bool = False) -> str:
    scope = name.rpartition(".")[0] or current_namespace().scope
    if scope and not is_scope(scope):
        return f"it belongs to the package {scope}, which is not installed"
    if is_somebodys:
        return own_class_hint(name)
    known = {
        *OPTIMIZER_CONSTRUCTORS,
        *registered_names(RegistryKind.CONSTRUCTORS, scope, current_namespace()),
    }
    own_name = name.rpartition(".")[2]
    # all end alike, so that only what stands before tells one from another
    stems = {_ENDING.sub("", one): one for one in sorted(known)}
    near = close_matches(own_name, known, most=1, cutoff=0.94)
    like = close_matches(_ENDING.sub("", own_name), stems, most=1, cutoff=0.8)
    near += [stems[stem] for stem in like]
    asked = f"did you mean {quoted(near[0])}? Else " if near else ""
    return (
        f"{asked}import what registers it: custom_imports in the config, or --import MODULE_OR_FILE"
    )


_ENDING = re.compile("(OptimWrapper|Optimizer)Constructor$")


def _imported(name: str | Symbol, place: Place | None) -> Callable[..., Any]:
    found = import_named(str(name), WHAT, place)
    if is_constructor(found) or (callable(found) and current_namespace().trusted):
        return found  # type: ignore[return-value]
    raise PlanError(
        f"{str(name)!r} is no {WHAT}",
        place=place,
        hint="it must be a class that takes (optim_wrapper_cfg, paramwise_cfg), whose instances are called "
        "with the model",
    )


def _is_of_reference(found: type) -> bool:
    return any(_is_reference_default(base) for base in found.__mro__)


def _is_reference_default(found: object) -> bool:
    return (
        getattr(found, "__name__", "") in DEFAULT_CONSTRUCTORS
        and getattr(found, "__module__", "").partition(".")[0] == ROOT
    )


def _is_mmpretrains(found: object) -> bool:
    """Return whether it is mmpretrain's own class, of which the built-in one is the double."""
    package = getattr(found, "__module__", "").partition(".")[0]
    name = getattr(found, "__name__", "")
    return package == "mmpretrain" and name == LearningRateDecayOptimWrapperConstructor.__name__
