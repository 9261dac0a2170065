"""Optimizer classes by the names that configs use, and their dry construction."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from optplan.config import Symbol, place_of
from optplan.config.paramwise import described
from optplan.constructors.lookup import current_namespace, look_up, registered_in_mmcv1
from optplan.constructors.lookup import import_named as import_or_explain
from optplan.constructors.optimizer_arguments import (
    Group,
    Param,
    check_arguments,
    first_argument,
    refusal,
)
from optplan.constructors.registry import Registry
from optplan.constructors.timm_optimizers import PREFIX as TIMM
from optplan.constructors.timm_optimizers import timm_optimizer
from optplan.errors import OptplanError, PlanError, did_you_mean
from optplan.places import Place
from optplan.plan import plain
from optplan.registries import RegistryKind
from optplan.runtime.gate import calling, import_named, is_optimizer_class
from optplan.runtime.user_modules import FILE_MODULE

# Where else optimizers with registered names come from, if it is installed; None: all of its own.
_OPTIONAL_HOMES = {
    "torch.distributed.optim": ("ZeroRedundancyOptimizer",),
    "dadaptation": ("DAdaptAdaGrad", "DAdaptAdam", "DAdaptSGD"),
    "lion_pytorch": ("Lion",),
    "transformers": ("Adafactor",),
    "Sophia": None,
    "bitsandbytes.optim": None,
}


def _register_torch(registry: Registry) -> None:
    for name, found in vars(torch.optim).items():
        if inspect.isclass(found) and issubclass(found, Optimizer):
            # the reference keeps the bare name for transformers' class
            registry.register_module(
                "TorchAdafactor" if name == "Adafactor" else name, module=found
            )


OPTIMIZERS = Registry("optimizer", _register_torch)


def optimizer_class(
    kind: str | Symbol | Callable[..., Optimizer], place: Place | None = None
) -> Callable[..., Optimizer]:
    """Return the class that a config's ``type`` names.

    Args:
        kind: A registered name, ``timm:NAME``, a dotted import path of an installed package, a symbol or
            a class, or what this function gave.
        place: Where the type is written.

    Raises:
        PlanError: There is none, or it is no optimizer.
    """
    if isinstance(kind, type):
        return _checked(kind, kind.__qualname__, place)
    if not isinstance(kind, str | Symbol):
        return kind
    name = str(kind)
    if name.startswith(TIMM):
        return timm_optimizer(name.removeprefix(TIMM), place)
    if current_namespace().is_mmcv1 and "." not in name:
        return _of_mmcv1(name, place)
    if isinstance(kind, str) and (found := _registered(name)) is not None:
        return found
    if "." in name:
        return _checked(import_or_explain(name, "optimizer", place), name, place)
    if (optional := _optional(name)) is not None:
        return optional
    home = next((h for h, names in _OPTIONAL_HOMES.items() if name in (names or ())), None)
    hint = did_you_mean(name, OPTIMIZERS)
    if home:
        hint = f"it belongs to the package {home}, which is not installed"
        if name == "Adafactor":
            hint += "; torch's own is 'TorchAdafactor'"
    raise PlanError(f"there is no optimizer {name!r}", place=place, hint=hint)


def _of_mmcv1(name: str, place: Place | None) -> Callable[..., Optimizer]:
    """Return the class that mmcv 1.x finds under a name: one that somebody has registered, or torch's.

    Raises:
        PlanError: There is none.
    """
    torchs = vars(torch.optim)
    found = OPTIMIZERS.added(name) or registered_in_mmcv1("OPTIMIZERS", name) or torchs.get(name)
    if found is None:
        near = did_you_mean(name, [one for one in torchs if is_optimizer_class(torchs[one])])
        raise PlanError(
            f"mmcv 1.x has no optimizer {name!r}",
            place=place,
            hint=near or "where a package registers it: --import FILE, the file that does",
        )
    return _checked(found, name, place)


def _checked(found: object, name: str, place: Place | None) -> Callable[..., Optimizer]:
    if isinstance(found, ModuleType):  # a module beside the class that it defines, of the same name
        found = getattr(found, name.rpartition(".")[2], found)
    if is_optimizer_class(found):
        return found  # type: ignore[return-value]
    raise PlanError(f"{name!r} is not an optimizer class", place=place)


def _registered(name: str) -> Callable[..., Optimizer] | None:
    found: Callable[..., Optimizer] | None = look_up(
        name, OPTIMIZERS, RegistryKind.OPTIMIZERS, in_any_scope=lambda _: True
    )
    return found


def _optional(name: str) -> Callable[..., Optimizer] | None:
    """Return an optimizer of a package that is known, if it is installed."""
    for home, names in _OPTIONAL_HOMES.items():
        if names is None or name in names:
            try:
                module = _home(home)
            except Exception:  # noqa: BLE001 - a broken or missing package provides nothing
                continue
            found = getattr(module, name.removeprefix("bnb_"), None)
            if inspect.isclass(found) and issubclass(found, Optimizer):
                return found
    return None


def _home(name: str) -> object:
    """Return a package that has optimizers; torch is there, wherever it was imported from."""
    if name == "torch.distributed.optim":
        from torch.distributed import optim

        return optim
    return import_named(name, trusted=False)


def instantiate(
    found: Callable[..., Optimizer],
    arguments: Mapping[str, Any],
    params: Iterable[Param] | Sequence[Group],
    *,
    names: Mapping[int, str],
    written: Mapping[str, Any],
    dry: bool,
    type_place: Place | None = None,
) -> Optimizer:
    """Make the real optimizer.

    Args:
        found: The class, as :func:`optimizer_class` gives it.
        arguments: The config's arguments for the class.
        params: Parameters, or param groups.
        names: A parameter's name by ``id``, for messages.
        written: The dict that the arguments stand in, for their places.
        dry: The optimizer is thrown away: one that shards itself over processes is left out and its
            inner class is made.
        type_place: Where the type is written.

    Raises:
        PlanError: An argument that the class does not take, or a refusal by the class, with the names
            of the parameters that it refuses.
    """
    given = dict(arguments)
    if getattr(found, "__name__", "") == "ZeroRedundancyOptimizer":
        inner = _inner_class(given, place_of(written, "optimizer_type"), type_place)
        if dry:
            found, given = inner, _without(given, *_INNER, *_ZERO_ARGUMENTS)
        elif "optimizer_class" in inspect.signature(found).parameters:  # mmengine's takes the name
            given = {**_without(given, *_INNER), "optimizer_class": inner}
    check_arguments(found, given, written, type_place)
    first, name = first_argument(found), getattr(found, "__name__", str(found))
    with calling(found, name, trusted=current_namespace().trusted):
        try:
            return found(**{first: params}, **given)
        except OptplanError:
            raise
        except Exception as error:  # whatever the class says to values that it refuses
            raise refusal(found, given, params, names, error, type_place) from error


_INNER = ("optimizer_type", "optimizer_class")
_ZERO_ARGUMENTS = ("process_group", "parameters_as_bucket_view", "overlap_with_ddp")


def _inner_class(
    given: Mapping[str, Any], place: Place | None, type_place: Place | None
) -> Callable[..., Optimizer]:
    """Return the class of which ZeroRedundancyOptimizer makes one on each process.

    Raises:
        PlanError: The arguments name none, or one that there is not.
    """
    inner = given.get("optimizer_type") or given.get("optimizer_class")
    if inner is None:
        raise PlanError(
            "ZeroRedundancyOptimizer needs the inner optimizer's name",
            place=type_place,
            hint="write optimizer_type='SGD'",
        )
    if isinstance(inner, str | Symbol) or callable(inner):
        return optimizer_class(inner, place or type_place)
    raise PlanError(
        f"optimizer_type must be an optimizer's name, got {described(inner)}",
        place=place or type_place,
        hint="write optimizer_type='SGD'",
    )


def _without(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def class_defaults(class_name: str) -> dict[str, Any]:
    """Return the options of one of torch's optimizers with their values; empty for any other class."""
    module, _, name = class_name.rpartition(".")
    found = getattr(torch.optim, name, None) if module.startswith("torch.optim") else None
    if not (inspect.isclass(found) and issubclass(found, torch.optim.Optimizer)):
        return {}
    try:
        make: Any = found
        with torch.device("meta"):  # the state that some make at once, too
            defaults = make([nn.Parameter(torch.empty(1))]).defaults
    except (TypeError, ValueError):
        return {}
    return {key: plain(value) for key, value in defaults.items() if key != "lr"}


def named_class(class_name: str, *, trusted: bool) -> type[Optimizer] | None:
    """Return a class by its path, from the modules that are loaded or by importing it.

    Args:
        class_name: The path.
        trusted: Whether the user vouches for the code that the config names.

    Returns:
        None where it cannot be imported, or is no optimizer.
    """
    module, _, name = class_name.rpartition(".")
    for home in (module, f"{FILE_MODULE}{module}"):
        found = getattr(sys.modules.get(home), name, None)
        if is_optimizer_class(found):
            return found
    try:
        found = import_named(class_name, trusted=trusted)
    except Exception:  # noqa: BLE001 - what cannot be imported is not known
        return None
    return found if is_optimizer_class(found) else None  # type: ignore[return-value]


def real_values(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's entries as a class takes them: JSON has neither infinite numbers nor dtypes."""
    return {name: _real(value) for name, value in entries.items()}


def _real(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value in ("inf", "-inf", "nan"):
        return float(value)
    home, _, name = value.partition(".")
    found = getattr(torch, name, None) if home == "torch" else None
    return found if isinstance(found, torch.dtype) else value
