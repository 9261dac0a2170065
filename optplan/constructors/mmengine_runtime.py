"""Give mmengine, while a constructor runs, what it may call and what it needs of a config."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from torch.optim import Optimizer

from optplan.config import place_of
from optplan.constructors.lookup import current_namespace, import_named
from optplan.constructors.recording_dict import Recording
from optplan.constructors.resolve_constructor import is_constructor
from optplan.errors import PlanError
from optplan.places import Place
from optplan.registries import ROOT, RegistryKind, registered
from optplan.unregistered_names import Unregistered, replaced


def may_call(found: object) -> bool:
    """Return whether something is of a kind that an optimizer section may name."""
    return inspect.isclass(found) and (
        issubclass(found, Optimizer) or is_wrapper(found) or is_constructor(found)
    )


def is_wrapper(found: object) -> bool:
    """Return whether something is a class of mmengine's wrappers for optimizers."""
    if ROOT not in sys.modules:
        return False
    from mmengine.optim import BaseOptimWrapper  # type: ignore[import-not-found, unused-ignore]

    return inspect.isclass(found) and issubclass(found, BaseOptimWrapper)


def refusal(name: str, place: Place | None) -> PlanError:
    """Return what to say of a name that is not called."""
    return PlanError(
        f"{name!r} is not called: it is no class of optimizers, of their wrappers or constructors",
        place=place,
        hint="--trust calls it all the same",
    )


@contextmanager
def reference_at_work(recording: Recording, *sections: Mapping[str, Any]) -> Iterator[None]:
    """Let mmengine work for a constructor meanwhile.

    It validates options without a note of it, since that puts none to use. It does not log what the plan
    says. And it calls only what an optimizer section may name.

    Args:
        recording: What notes which options are read.
        sections: What the constructor is given, for the places of names in it.

    Raises:
        PlanError: The config names something that is not called.
    """
    if ROOT not in sys.modules:
        yield
        return
    lookups = Unregistered(may_call, trusted=current_namespace().trusted)
    failure = None
    try:
        with ExitStack() as stack:
            stack.enter_context(_unnoticed(recording))
            stack.enter_context(_unlogged())
            stack.enter_context(lookups.watched())
            yield
    except Exception as error:  # noqa: BLE001 - it is raised again
        failure = error
    if lookups.refused is not None:
        raise refusal(lookups.refused, _place_of_type(sections, lookups.refused)) from failure
    if failure is not None:
        raise failure


def _unnoticed(recording: Recording) -> AbstractContextManager[None]:
    from mmengine.optim import DefaultOptimWrapperConstructor

    real = DefaultOptimWrapperConstructor._validate_cfg  # noqa: SLF001 - it is what reads all of them

    def validate(self: Any) -> None:
        with recording.paused():
            real(self)

    return replaced(DefaultOptimWrapperConstructor, "_validate_cfg", validate)


def _unlogged() -> AbstractContextManager[None]:
    """Silence the line that its default constructor logs for every entry of every group."""
    from mmengine.optim.optimizer import (  # type: ignore[import-not-found, unused-ignore]
        default_constructor,
    )

    return replaced(default_constructor, "print_log", lambda *_, **__: None)


def _place_of_type(section: object, name: str) -> Place | None:
    """Return where a section, or one inside it, has a type of this name."""
    if isinstance(section, Mapping):
        if section.get("type") == name:
            return place_of(section, "type")
        section = tuple(section.values())
    if not isinstance(section, list | tuple):
        return None
    places = (_place_of_type(inner, name) for inner in section)
    return next((place for place in places if place is not None), None)


# They can be made on a GPU only; what they do with gradients changes nothing of what is planned.
_AMP_WRAPPERS = ("AmpOptimWrapper", "ApexOptimWrapper")


def wrapper_for_planning(wrapper: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a wrapper's section with its class, or a plain one in the place of one for mixed precision.

    Raises:
        PlanError: It names something that is no wrapper.
    """
    kind = wrapper.get("type")
    if kind is None or ROOT not in sys.modules:
        return wrapper
    found = kind
    if isinstance(kind, str):
        found = registered(RegistryKind.WRAPPERS, kind, current_namespace())
        if found is None and "." not in kind:
            return wrapper  # nobody has it, which mmengine says itself if it is asked
        if found is None:
            found = import_named(kind, "optimizer wrapper", place_of(wrapper, "type"))
    if not is_wrapper(found):
        raise PlanError(f"{str(kind)!r} is no optimizer wrapper", place=place_of(wrapper, "type"))
    amp = [base for base in inspect.getmro(found) if base.__name__ in _AMP_WRAPPERS]
    if not amp:
        return {**wrapper, "type": found}
    from mmengine.optim import OptimWrapper

    own = _arguments(found, amp[-1]) - _arguments(OptimWrapper)
    kept = {name: value for name, value in wrapper.items() if name not in own}
    return {**kept, "type": OptimWrapper}


def _arguments(*classes: type) -> frozenset[str]:
    return frozenset(name for found in classes for name in inspect.signature(found).parameters)
