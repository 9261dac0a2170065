"""Commands that raise optplan's own errors, and whose options cost little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from itertools import takewhile
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

# typer's base of usage errors, which newer versions of typer do not take from click
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_NO_ARGUMENTS = "NoArgsIsHelpError"
# what stands before the help of an option, where there is no room beside it
_INDENT = 2


class Command(TyperCommand):
    """A command of typer's, without the validator of a value that needs none.

    With the first validator typer imports pydantic, which takes as long as the whole report of a model that
    is known.
    """

    def get_params(self, context: Any) -> list[Any]:
        """Return the options and arguments, ``--help`` among them."""
        return _with_own_values(super().get_params(context))

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002
        """Return the first sentence of the help, as a whole."""
        return " ".join((self.help or "").partition("\n\n")[0].split())

    def format_options(self, context: Any, formatter: Any) -> None:
        """Write the options of a narrow help, each above what it does."""
        formatter.write_dl = partial(formatter.write_dl, col_max=_INDENT)
        super().format_options(context, formatter)

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        """Read the words of the command line.

        Raises:
            UsageError: They do not fit the command.
        """
        given = list(args)
        context.allow_extra_args = True
        _refuse_misread(context, given)
        with _own_errors(context, given):
            super().parse_args(context, args)
        if context.args and not context.resilient_parsing:
            from optplan.cli.usage import extra_words

            raise extra_words(context, given)
        return []


class Group(TyperGroup):
    """Commands under one name, otherwise as :class:`Command`."""

    def get_params(self, context: Any) -> list[Any]:
        """Return the options, ``--help`` among them."""
        return _with_own_values(super().get_params(context))

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        """Read the words before the command.

        Raises:
            UsageError: One is no option.
        """
        _refuse_misread(context, list(takewhile(lambda word: word[:1] == "-", args)))
        with _own_errors(context, list(args)):
            return super().parse_args(context, args)

    def resolve_command(self, context: Any, args: list[str]) -> Any:
        """Return the command that the first word names.

        Raises:
            UsageError: There is none of that name.
        """
        if not context.resilient_parsing and self.get_command(context, args[0]) is None:
            from optplan.cli.usage import unknown_command

            raise unknown_command(context, args)
        return super().resolve_command(context, args)


@contextmanager
def _own_errors(context: Any, given: list[str]) -> Iterator[None]:
    """Raise optplan's error in the place of typer's."""
    try:
        yield
    except _UsageError as error:
        if type(error).__name__ == _NO_ARGUMENTS:
            raise
        from optplan.cli.usage import usage_error

        raise usage_error(error, context, given) from None


def _refuse_misread(context: Any, given: list[str]) -> None:
    if context.resilient_parsing:
        return
    from optplan.cli.command_line import misread

    if (error := misread(context, given)) is not None:
        raise error


_UNDECIDED = object()


def _with_own_values(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if "process_value" not in vars(parameter):
            _replace_process(parameter)
            if parameter.param_type_name == "argument" or parameter.is_flag:
                # newer versions of typer put <str> behind CONFIG, and <bool> behind what takes no value
                vars(parameter)["display_type_rich"] = _no_type
    return parameters


def _no_type(ctx: Any) -> None:
    """Name no type in the help."""


def _replace_process(parameter: Any) -> None:
    # older versions of typer have no descriptors
    descriptor = getattr(parameter, "type_descriptor", None)
    process = parameter.process_value
    absent = () if parameter.multiple or parameter.nargs == -1 else None

    def process_value(context: Any, value: Any) -> Any:
        found = _UNDECIDED
        if descriptor is not None:
            is_absent = value is None and not parameter.required
            found = absent if is_absent else _plain(value, descriptor.annotation)
        if found is not _UNDECIDED:
            return parameter.callback(context, parameter, found) if parameter.callback else found
        try:
            return process(context, value)
        except typer.BadParameter as error:
            if value is not None:
                vars(error)["given"] = value  # for the message
            raise

    parameter.process_value = process_value


def _plain(value: Any, annotation: Any) -> Any:
    """Return the value of an option that is text, a choice, or several of these; else nothing is decided."""
    if get_origin(annotation) is list and isinstance(value, list | tuple):
        items = [_plain(item, *get_args(annotation)) for item in value]
        return _UNDECIDED if not items or _UNDECIDED in items else items
    if annotation is str:
        return value if isinstance(value, str) else _UNDECIDED
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next((one for one in annotation if value in (one, one.value)), _UNDECIDED)
    return _UNDECIDED
