"""Commands whose options cost something only where something has to be made of their values."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_origin

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """As typer's, but without the validator of a value that needs none.

    With the first validator typer imports pydantic, which takes as long as the whole report of a model that
    is known.
    """

    def get_params(self, context: Any) -> list[Any]:
        """The options and arguments, ``--help`` as well."""
        return _shortened(super().get_params(context))


class Group(TyperGroup):
    """Commands under one name; as :class:`Command`."""

    def get_params(self, context: Any) -> list[Any]:
        """As of a command."""
        return _shortened(super().get_params(context))


_UNDECIDED = object()


def _shortened(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        descriptor = getattr(
            parameter, "type_descriptor", None
        )  # older versions of typer have none
        if descriptor is not None and "process_value" not in vars(parameter):
            _shorten(parameter, descriptor.annotation)
    return parameters


def _shorten(parameter: Any, annotation: Any) -> None:
    process = parameter.process_value
    absent = () if parameter.multiple or parameter.nargs == -1 else None

    def process_value(context: Any, value: Any) -> Any:
        is_absent = value is None and not parameter.required
        found = absent if is_absent else _plain(value, annotation)
        if found is _UNDECIDED:
            return process(context, value)
        return parameter.callback(context, parameter, found) if parameter.callback else found

    parameter.process_value = process_value


def _plain(value: Any, annotation: Any) -> Any:
    """The value of an option that is text, a choice, or several of these; else nothing is decided."""
    if get_origin(annotation) is list and isinstance(value, list | tuple):
        items = [_plain(item, *get_args(annotation)) for item in value]
        return _UNDECIDED if not items or _UNDECIDED in items else items
    if annotation is str:
        return value if isinstance(value, str) else _UNDECIDED
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next((one for one in annotation if value in (one, one.value)), _UNDECIDED)
    return _UNDECIDED
