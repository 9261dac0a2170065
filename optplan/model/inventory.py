"""From an ``nn.Module`` to the facts that the rules ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optplan.errors import ModelError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.model.at_rest import at_rest
from optplan.model.declared import declared_no_decay
from optplan.user_code import FILE_MODULE

if TYPE_CHECKING:
    from torch import nn

# Recognised by name, since mmcv is rarely installed and torchvision has the layer too.
_DCN_CLASSES = frozenset({"DeformConv2d", "ModulatedDeformConv2d"})


def walked_module(model: nn.Module) -> nn.Module:
    """The module that constructors walk: the model, or what hangs under its name ``module``.

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


def is_dcn(module: nn.Module) -> bool:
    """Whether the module is a deformable convolution of mmcv or torchvision."""
    return any(base.__name__ in _DCN_CLASSES for base in type(module).__mro__)


def owner_flags(module: nn.Module) -> dict[str, bool]:
    """What the rules ask about the module that owns a parameter."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.instancenorm import _InstanceNorm

    is_conv2d = isinstance(module, nn.Conv2d)
    return {
        "owner_is_norm": isinstance(
            module, _BatchNorm | _InstanceNorm | nn.GroupNorm | nn.LayerNorm
        ),
        "owner_is_conv2d": is_conv2d,
        "owner_is_depthwise": is_conv2d and module.in_channels == module.groups,
        "owner_has_one_group": is_conv2d and bool(module.groups == 1),
        "owner_keeps_statistics": isinstance(module, _BatchNorm | _InstanceNorm)
        and getattr(module, "running_mean", None) is not None,
    }


def class_name(obj: object) -> str:
    """Dotted name of an object's class; one from a file that the user named starts with its stem."""
    return f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix(FILE_MODULE)


def make_inventory(
    model: nn.Module, *, spec: str | None = None, source: str = "module"
) -> Inventory:
    """Facts of every registered name of a model.

    Args:
        model: Any module; it is only read.
        spec: How the user named it.
        source: Where it came from.

    Raises:
        ModelError: The model has no parameters, parameters without a shape yet, or hides what
            ``model.module`` gives.
    """
    walked = walked_module(model)
    try:
        root = _root_name(model, walked)
        modules = list(_modules(model))
        visited = frozenset(_walk(walked, root))
    except RecursionError:
        raise ModelError("the model's modules are nested too deeply to be walked") from None
    declared = declared_no_decay([(prefix, module) for prefix, module, _ in modules])
    # a user's own module may be in use, and even changing its mode is not for us to do
    resting = frozenset[int]() if source == "module" else at_rest(model)
    tensors: dict[int, int] = {}
    parameters = []
    for prefix, module, parent_is_dcn in modules:
        own = [(local, p) for local, p in module._parameters.items() if p is not None]  # noqa: SLF001
        if not own:
            continue
        flags = owner_flags(module)
        flags["owner_keeps_statistics"] &= id(module) not in resting
        owner = class_name(module)
        for local, parameter in own:
            name = f"{prefix}.{local}" if prefix else local
            parameters.append(
                ParameterFacts(
                    name=name,
                    prefix=_below(prefix, root),
                    local=local,
                    shape=_shape(name, parameter),
                    dtype=str(parameter.dtype).removeprefix("torch."),
                    requires_grad=parameter.requires_grad,
                    module=owner,
                    tensor=tensors.setdefault(id(parameter), len(tensors)),
                    visited=name in visited,
                    parent_is_dcn=parent_is_dcn,
                    declared_no_decay=name in declared,
                    **flags,
                )
            )
    if not parameters:
        raise ModelError(
            f"the model {class_name(model)} has no parameters",
            hint="is this the network, and not only a loss or a transform?",
        )
    return Inventory(
        spec=spec, source=source, class_name=class_name(model), parameters=tuple(parameters)
    )


def _modules(model: nn.Module) -> Iterator[tuple[str, nn.Module, bool]]:
    """Every registered path with its module and whether its parent is a deformable convolution.

    As ``named_modules(remove_duplicate=False)``; a module below itself has no end, and is refused.
    """
    stack: list[tuple[str, nn.Module, bool, frozenset[int]]] = [("", model, False, frozenset())]
    while stack:
        prefix, module, parent_is_dcn, above = stack.pop()
        if id(module) in above:
            raise ModelError(f"the module {prefix!r} contains itself")
        yield prefix, module, parent_is_dcn
        children = [(n, child) for n, child in module._modules.items() if child is not None]  # noqa: SLF001
        if children:
            inner_is_dcn = is_dcn(module)
            path = above | {id(module)}
            for name, child in reversed(children):
                below = f"{prefix}.{name}" if prefix else name
                stack.append((below, child, inner_is_dcn, path))


def _walk(module: nn.Module, prefix: str) -> Iterator[str]:
    """Full names in the constructor's walk: once per tensor and child of one parent, but again
    below another parent."""
    for local, _ in module.named_parameters(recurse=False):
        yield f"{prefix}.{local}" if prefix else local
    for name, child in module.named_children():
        yield from _walk(child, f"{prefix}.{name}" if prefix else name)


def _root_name(model: nn.Module, walked: nn.Module) -> str:
    """The registered path of the module that is walked."""
    if walked is model:
        return ""
    for name, module in model.named_modules():
        if module is walked:
            return str(name)
    raise ModelError(
        "the model's attribute 'module' is a module that is not registered in the model, but optimizer "
        "constructors walk it alone",
        hint="rename the attribute",
    )


def _below(prefix: str, root: str) -> str:
    """A path counted from the walked module; what is outside keeps its full path."""
    if not root:
        return prefix
    if prefix == root:
        return ""
    return prefix.removeprefix(f"{root}.")


def _shape(name: str, parameter: nn.Parameter) -> tuple[int, ...]:
    from torch.nn.parameter import is_lazy

    if is_lazy(parameter):
        raise ModelError(
            f"the parameter {listed([name])} is lazy: it has no shape before the first forward",
            hint="give the layer its input size",
        )
    return tuple(parameter.shape)
