"""Read the facts that the rules ask for from an ``nn.Module``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from optplan.errors import ModelError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.model.owner_flags import owner_flags
from optplan.model.traversal import RegisteredModule, Traversal
from optplan.runtime.stdio import suppress_output
from optplan.runtime.user_modules import FILE_MODULE

if TYPE_CHECKING:
    import torch
    from torch import nn


def walked_module(model: nn.Module) -> nn.Module:
    """Return the module that constructors walk: the model, or its attribute ``module``.

    Raises:
        ModelError: ``model.module`` is something else than a module.
    """
    from torch import nn

    try:
        inner = getattr(model, "module", model)
    except Exception as error:  # whatever a property of the user's class raises
        raise ModelError(
            f"the model's attribute 'module' raises {type(error).__name__}, and optimizer constructors ask "
            "for it",
            hint="rename the attribute",
        ) from error
    if isinstance(inner, nn.Module):
        return inner
    raise ModelError(
        f"the model's attribute 'module' is a {type(inner).__name__}: optimizer constructors take it "
        "for the wrapped model",
        hint="rename the attribute",
    )


def class_name(obj: object) -> str:
    """Return the dotted name of an object's class; the module of a user's file is its stem."""
    return f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix(FILE_MODULE)


def make_inventory(
    model: nn.Module, *, spec: str | None = None, source: str = "module"
) -> Inventory:
    """Return the facts of every registered name of a model.

    Args:
        model: Any module; it is only read.
        spec: How the user named it.
        source: Where it came from.

    Raises:
        ModelError: The model has no parameters, parameters without a shape yet, or hides what
            ``model.module`` gives.
    """
    traversal = Traversal(model, walked_module(model))
    parameters: list[ParameterFacts] = []
    owners: list[int] = []
    tensors: dict[int, int] = {}
    for found in traversal:
        parameters += _facts(found, traversal.root, tensors)
        owners += [id(found.module)] * len(found.parameters)
    if traversal.root is None:
        raise ModelError(
            "the model's attribute 'module' is a module that is not registered in the model, but optimizer "
            "constructors walk it alone",
            hint="rename the attribute",
        )
    if not parameters:
        raise ModelError(
            f"the model {class_name(model)} has no parameters",
            hint="is this the network, and not only a loss or a transform?",
        )
    # A user's own module may be in use: not even its mode is changed.
    in_eval = (
        frozenset[int]() if source == "module" else modules_in_eval_mode(model, traversal.classes)
    )
    declared = declared_no_decay(model, traversal.classes, [facts.name for facts in parameters])
    if declared or in_eval:
        parameters = [
            _with_model(facts, is_declared=facts.name in declared, is_in_eval=owner in in_eval)
            for facts, owner in zip(parameters, owners, strict=True)
        ]
    return Inventory(
        spec=spec, source=source, class_name=class_name(model), parameters=tuple(parameters)
    )


def _facts(
    found: RegisteredModule, root: str | None, tensors: dict[int, int]
) -> Iterator[ParameterFacts]:
    """Yield the facts of a module's own parameters.

    Args:
        found: The module.
        root: The path of the module that constructors start at.
        tensors: By id, the numbers of the tensors so far; new ones are added.
    """
    from torch import nn

    flags = owner_flags(found.module)
    owner, prefix = class_name(found.module), _below(found.path, root)
    for local, parameter in found.parameters.items():
        name = f"{found.path}.{local}" if found.path else local
        is_plain = type(parameter) is nn.Parameter
        if not is_plain:
            _refuse_lazy(name, parameter)
        yield ParameterFacts(
            name=name,
            prefix=prefix,
            local=local,
            # ZeRO's third stage empties parameters, and keeps their shapes
            shape=tuple(getattr(parameter, "ds_shape", parameter.shape)),
            dtype=_dtype_name(parameter.dtype),
            requires_grad=parameter.requires_grad,
            module=owner,
            tensor=tensors.setdefault(id(parameter), len(tensors)),
            visited=local in found.visited,
            owner_is_norm=flags.owner_is_norm,
            owner_is_conv2d=flags.owner_is_conv2d,
            owner_is_depthwise=flags.owner_is_depthwise,
            owner_has_one_group=flags.owner_has_one_group,
            owner_keeps_statistics=flags.owner_keeps_statistics,
            parent_is_dcn=found.parent_is_dcn,
            declared_no_decay=parameter.__dict__.get("_no_weight_decay") is True,
            is_plain=is_plain and not parameter.__dict__,
        )


def _with_model(facts: ParameterFacts, *, is_declared: bool, is_in_eval: bool) -> ParameterFacts:
    """Add what the model as a whole says."""
    if not (is_declared or is_in_eval):
        return facts
    return facts._replace(
        declared_no_decay=facts.declared_no_decay or is_declared,
        owner_keeps_statistics=facts.owner_keeps_statistics and not is_in_eval,
    )


@cache
def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _below(prefix: str, root: str | None) -> str:
    """Return a path counted from the walked module; one outside of it stays as it is."""
    if not root:
        return prefix
    if prefix == root:
        return ""
    return prefix.removeprefix(f"{root}.")


def _refuse_lazy(name: str, parameter: nn.Parameter) -> None:
    from torch.nn.parameter import is_lazy

    if is_lazy(parameter):
        raise ModelError(
            f"the parameter {listed([name])} is lazy: it has no shape before the first forward",
            hint="give the layer its input size",
        )


def modules_in_eval_mode(model: nn.Module, kinds: Iterable[type[nn.Module]]) -> frozenset[int]:
    """Return the modules that ``model.train()`` leaves in eval mode, by their ``id``.

    Many backbones override it, to keep the running statistics of what they freeze. Modes and
    ``requires_grad`` are put back; where ``train`` raises, no module counts.

    Args:
        model: The model.
        kinds: The classes of its modules.
    """
    from torch import nn

    if all(kind.train is nn.Module.train for kind in kinds):
        return frozenset()
    modules = list(nn.Module.modules(model))
    modes = [(module, module.training) for module in modules]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        with suppress_output():
            model.train()
        return frozenset(id(module) for module in modules if not module.training)
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return frozenset()
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


_METHODS = ("no_weight_decay", "no_weight_decay_keywords")


def declared_no_decay(
    model: nn.Module, kinds: Iterable[type[nn.Module]], names: Sequence[str]
) -> frozenset[str]:
    """Return registered names that modules declare to get no weight decay.

    As timm and the vision transformers before it do: ``no_weight_decay()`` gives names or patterns of names
    below the module, ``no_weight_decay_keywords()`` parts of names.

    Args:
        model: The model.
        kinds: The classes of its modules.
        names: The registered names of its parameters.
    """
    declaring = {kind for kind in kinds if any(hasattr(kind, method) for method in _METHODS)}
    if not declaring:
        return frozenset()
    from torch import nn

    declared: set[str] = set()
    for path, module in nn.Module.named_modules(model, remove_duplicate=False):
        if type(module) not in declaring:
            continue
        patterns, keywords = (_declared_by(module, method) for method in _METHODS)
        if patterns or keywords:
            declared |= _matching(names, f"{path}." if path else "", patterns, keywords)
    return frozenset(declared)


def _declared_by(module: nn.Module, method: str) -> tuple[str, ...]:
    """Return the entries that a model's own method returns; none where it fails."""
    declare = getattr(type(module), method, None)
    if not callable(declare):
        return ()
    try:
        given = getattr(module, method)()
        return tuple(entry for entry in given if isinstance(entry, str))
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return ()


def _matching(
    names: Sequence[str], prefix: str, patterns: tuple[str, ...], keywords: tuple[str, ...]
) -> set[str]:
    found = {prefix + pattern for pattern in patterns}.intersection(names)
    wild = [pattern for pattern in patterns if any(sign in pattern for sign in "*?[")]
    for name in names if wild or keywords else ():
        if not name.startswith(prefix):
            continue
        below = name[len(prefix) :]
        if any(fnmatchcase(below, pattern) for pattern in wild) or any(
            keyword in below for keyword in keywords
        ):
            found.add(name)
    return found
