"""Find out whether an optimizer class takes its arguments, and what it says of those that it refuses."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.config import place_of
from optplan.config.inherited import inherited_hint
from optplan.errors import PlanError, Problem, did_you_mean, listed
from optplan.names import ProblemKind
from optplan.places import Place

Param = torch.nn.Parameter
Group = dict[str, Any]


def first_argument(optimizer: Callable[..., Optimizer]) -> str:
    """Return the name under which a class takes its parameters: not all call it ``params``."""
    return next(iter(inspect.signature(optimizer).parameters))


def check_arguments(
    found: Callable[..., Optimizer],
    given: Mapping[str, Any],
    written: Mapping[str, Any],
    place: Place | None,
) -> None:
    """Name every argument that an optimizer class does not take, and every one that it lacks.

    Args:
        found: The class.
        given: The arguments.
        written: The dict that they stand in, for their places.
        place: Where the type is written.

    Raises:
        PlanError: There are some.
    """
    signature = inspect.signature(found)
    parameters = list(signature.parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = {parameter.name for parameter in parameters}
    class_name = getattr(found, "__name__", str(found))
    problems = [
        Problem(
            message=f"{class_name} takes no argument {name!r}",
            place=place_of(written, name) or place,
            hint=inherited_hint(written, name) or did_you_mean(name, known),
            kind=ProblemKind.UNKNOWN_ARGUMENT,
        )
        for name in given
        if name not in known
    ]
    problems += [
        Problem(message=f"{class_name} needs the argument {parameter.name!r}", place=place)
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind is not parameter.VAR_POSITIONAL
        and parameter.name not in given
    ]
    if problems:
        raise PlanError(problems)


def refusal(
    found: Callable[..., Optimizer],
    given: Mapping[str, Any],
    params: Iterable[Param] | Sequence[Group],
    names: Mapping[int, str],
    error: Exception,
    place: Place | None,
) -> PlanError:
    """Return what the class said, with the names of the parameters that it refuses one by one.

    Args:
        found: The class.
        given: Its arguments.
        params: Parameters, or param groups.
        names: A parameter's name by ``id``.
        error: What the class raised.
        place: Where the type is written.
    """
    class_name = getattr(found, "__name__", str(found))
    said = " ".join(str(error).split()) or type(error).__name__
    message = f"{class_name} refuses this: {said}"
    if _takes_something(found, given):
        refused = _refused(found, given, params, names, type(error))
        if refused:
            message += f"; refused {'is' if len(refused) == 1 else 'are'} {listed(refused)}"
    return PlanError(message, place=place)


def _takes_something(found: Callable[..., Optimizer], given: Mapping[str, Any]) -> bool:
    """Return whether the arguments are fine for a parameter of some shape: then the model's are at fault."""
    first = first_argument(found)
    for shape in ((1, 1), (1,), (1, 1, 1, 1), ()):
        with contextlib.suppress(Exception):
            found(**{first: [torch.nn.Parameter(torch.empty(shape, device="meta"))]}, **given)
            return True
    return False


def _refused(
    found: Callable[..., Optimizer],
    given: Mapping[str, Any],
    params: Iterable[Param] | Sequence[Group],
    names: Mapping[int, str],
    kind: type[Exception],
) -> list[str]:
    """Return names of the parameters that the class refuses one by one, in the same way as all together."""
    first = first_argument(found)
    refused = []
    for entry in params:
        group = entry if isinstance(entry, dict) else {"params": [entry]}
        for parameter in group["params"]:
            try:
                found(**{first: [{**group, "params": [parameter]}]}, **given)
            except kind:
                refused.append(names.get(id(parameter), "?"))
            except Exception:  # noqa: BLE001 - another trouble than the one to explain
                continue
    return refused
