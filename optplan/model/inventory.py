"""From an ``nn.Module`` to the facts that the rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optplan.errors import ModelError, listed
from optplan.facts import Inventory, ParameterFacts
from optplan.model.declared import declared_no_decay
from optplan.model.eval_mode import modules_in_eval_mode
from optplan.model.owners import Owners
from optplan.model.walk import Walk
from optplan.runtime.user_modules import FILE_MODULE

if TYPE_CHECKING:
    import torch
    from torch import nn


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
    start = walked_module(model)
    walk = Walk(model, start)
    owners, dtypes, plain = Owners(), _Dtypes(), _plain_class()
    tensors: dict[int, int] = {}
    modules: list[int] = []
    parameters: list[ParameterFacts] = []
    for path, module, parent_is_dcn, own, walked_names in walk:
        flags = owners.of(module)
        owner, below = class_name(module), _below(path, walk.root)
        for local, parameter in own.items():
            name = f"{path}.{local}" if path else local
            attributes = parameter.__dict__
            is_plain = type(parameter) is plain
            if not is_plain:
                _refuse_lazy(name, parameter)
            modules.append(id(module))
            parameters.append(
                ParameterFacts(  # names would take as long as all else here
                    name,
                    below,
                    local,
                    tuple(parameter.shape),
                    dtypes[parameter.dtype],
                    parameter.requires_grad,
                    owner,
                    tensors.setdefault(id(parameter), len(tensors)),
                    local in walked_names,
                    *flags,
                    parent_is_dcn,
                    attributes.get("_no_weight_decay") is True,
                    is_plain and not attributes,
                )
            )
    if walk.root is None:
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
    # a user's own module may be in use, and even changing its mode is not for us to do
    resting = frozenset[int]() if source == "module" else modules_in_eval_mode(model, walk.kinds)
    declared = declared_no_decay(model, walk.kinds, [facts.name for facts in parameters])
    if declared or resting:
        parameters = [
            _with_model(facts, is_declared=facts.name in declared, rests=owner in resting)
            for facts, owner in zip(parameters, modules, strict=True)
        ]
    return Inventory(
        spec=spec, source=source, class_name=class_name(model), parameters=tuple(parameters)
    )


def _with_model(facts: ParameterFacts, *, is_declared: bool, rests: bool) -> ParameterFacts:
    """The facts with what the model as a whole says."""
    if not (is_declared or rests):
        return facts
    return facts._replace(
        declared_no_decay=facts.declared_no_decay or is_declared,
        owner_keeps_statistics=facts.owner_keeps_statistics and not rests,
    )


class _Dtypes(dict[Any, str]):
    """The names of dtypes, each made once."""

    def __missing__(self, dtype: torch.dtype) -> str:
        name = self[dtype] = str(dtype).removeprefix("torch.")
        return name


def _below(prefix: str, root: str | None) -> str:
    """A path counted from the walked module; what is outside keeps its full path."""
    if not root:
        return prefix
    if prefix == root:
        return ""
    return prefix.removeprefix(f"{root}.")


def _plain_class() -> type:
    from torch import nn

    return nn.Parameter


def _refuse_lazy(name: str, parameter: nn.Parameter) -> None:
    from torch.nn.parameter import is_lazy

    if is_lazy(parameter):
        raise ModelError(
            f"the parameter {listed([name])} is lazy: it has no shape before the first forward",
            hint="give the layer its input size",
        )
