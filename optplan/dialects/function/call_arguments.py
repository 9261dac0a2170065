"""Give a function the model and the arguments of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optplan.errors import ConfigError, did_you_mean, listed
from optplan.places import Place

# What functions call the model, where it is not their first argument.
_MODEL_NAMES = ("model", "net", "network", "module")
_Kind = inspect.Parameter


def bound_arguments(
    function: Callable[..., Any],
    model: object,
    arguments: Mapping[str, Any],
    *,
    who: str,
    place: Place | None,
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return the positional arguments and those by name that a function is called with.

    The model is the argument that is called so, else the first that is not given.

    Args:
        function: The function.
        model: The model.
        arguments: Its other arguments by name.
        who, place: What messages call the function, and where it is.

    Raises:
        ConfigError: It takes no such argument, needs others, or takes no model.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions of extension modules have none
        return (model,), arguments
    parameters = list(signature.parameters.values())
    _refuse_unknown(parameters, arguments, who, place)
    named = {one.name: one for one in parameters}
    known = {name: value for name, value in arguments.items() if name in named}
    rest = {name: value for name, value in arguments.items() if name not in named}
    receiver = _receiver(parameters, known, who, place)
    _refuse_missing(parameters, {*known, receiver.name}, who, place)
    is_variadic = receiver.kind is _Kind.VAR_POSITIONAL
    given = {**known, receiver.name: (model,) if is_variadic else model}
    if rest:
        given[parameters[-1].name] = rest
    # as the signature has them: positional ones are taken in this order
    ordered = {one.name: given[one.name] for one in parameters if one.name in given}
    bound = inspect.BoundArguments(signature, ordered)
    return bound.args, bound.kwargs


def _refuse_unknown(
    parameters: Sequence[_Kind], arguments: Mapping[str, Any], who: str, place: Place | None
) -> None:
    if any(one.kind is _Kind.VAR_KEYWORD for one in parameters):
        return
    names = [one.name for one in parameters if one.kind is not _Kind.VAR_POSITIONAL]
    for name in arguments:
        if name not in names:
            hint = did_you_mean(name, names) or f"its arguments are {listed(names) or 'none'}"
            raise ConfigError(f"{who} takes no argument {name!r}", place=place, hint=hint)


def _receiver(
    parameters: Sequence[_Kind], given: Mapping[str, Any], who: str, place: Place | None
) -> _Kind:
    """Return the argument that is the model."""
    free = [
        one for one in parameters if one.name not in given and one.kind is not _Kind.VAR_KEYWORD
    ]
    for one in free:
        if one.name in _MODEL_NAMES:
            return one
    for one in free:
        if one.kind is not _Kind.KEYWORD_ONLY:
            return one
    raise ConfigError(
        f"{who} takes no model", place=place, hint="it must take the model as its first argument"
    )


def _refuse_missing(
    parameters: Sequence[_Kind], given: set[str], who: str, place: Place | None
) -> None:
    variadic = (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD)
    missing = [
        one.name
        for one in parameters
        if one.default is _Kind.empty and one.kind not in variadic and one.name not in given
    ]
    if missing:
        words = " ".join(f"-a {name}=VALUE" for name in missing)
        hint = f"give {'it' if len(missing) == 1 else 'them'}: {words}"
        if "self" in missing:
            hint = "it is a method: name it as that of an object"
        raise ConfigError(
            f"{who} needs {' and '.join(map(repr, missing))} besides the model",
            place=place,
            hint=hint,
        )
