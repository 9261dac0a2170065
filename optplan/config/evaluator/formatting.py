"""Text made from values: f-strings, ``str.format`` and ``str``, without their side doors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.data import is_data
from optplan.config.limits import Refusal
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Callable

    from optplan.config.evaluator.frame import Frame

_CONVERSIONS: dict[str, Callable[[Any], str]] = {"s": str, "r": repr, "a": ascii}
_WIDE = re.compile(r"\d{5}")


def text_of(frame: Frame, value: Any, conversion: str = "s") -> str:
    """What ``str``, ``repr`` ('r') or ``ascii`` ('a') makes of a value."""
    if isinstance(value, Symbol):
        return value.name
    if not is_data(value) and not isinstance(value, type):
        raise Refusal("only plain data can be made into text in a config")
    frame.budget.spend_tree(value)
    make: Callable[[Any], str] = _CONVERSIONS[conversion]
    text = make(value)
    frame.budget.spend_text(len(text))
    return text


def formatted(frame: Frame, value: Any, conversion: str, spec: str) -> str:
    """What a replacement field gives.

    Raises:
        Refusal: The field is too wide.
    """
    if _WIDE.search(spec):
        raise Refusal("the format is too wide")
    if conversion:
        value = text_of(frame, value, conversion)
    elif isinstance(value, Symbol) or not isinstance(value, str | int | float | complex):
        if spec:
            raise TypeError(
                f"unsupported format string passed to {type(value).__name__}.__format__"
            )
        return text_of(frame, value)
    frame.budget.spend_size(value, spec)
    text = format(value, spec)
    frame.budget.spend_text(len(text))
    return text


def format_text(frame: Frame, template: str, args: list[Any], named: dict[str, Any]) -> str:
    """What ``template.format(*args, **named)`` gives, for fields that name an argument only.

    Raises:
        Refusal: A field reaches into its argument.
    """
    return _Template(frame, args, named).filled(template, 0)


class _Template:
    """The arguments of a ``format``, and how they have been numbered so far."""

    def __init__(self, frame: Frame, args: list[Any], named: dict[str, Any]) -> None:
        self.frame = frame
        self.args = args
        self.named = named
        self.count = 0
        self.numbered: bool | None = None

    def filled(self, template: str, depth: int) -> str:
        """The template with its fields replaced, those inside their format specs first."""
        from string import Formatter

        if depth > 1:
            raise Refusal("the format is nested too deeply")
        parts: list[str] = []
        self.frame.budget.spend_text(len(template))
        for literal, field, spec, conversion in Formatter().parse(template):
            self.frame.budget.spend(1)
            parts.append(literal)
            if field is None:
                continue
            value = self.argument(field)
            if conversion not in {None, "s", "r", "a"}:
                raise ValueError(f"Unknown conversion specifier {conversion!r}")
            inner = self.filled(spec, depth + 1) if spec and "{" in spec else spec or ""
            parts.append(formatted(self.frame, value, conversion or "", inner))
        self.frame.budget.spend_text(sum(map(len, parts)))
        return "".join(parts)

    def argument(self, field: str) -> Any:
        """The argument that a field names."""
        if not re.fullmatch(r"\w*", field):
            raise Refusal("a format that reaches into its arguments is not evaluated")
        if field and not field.isdecimal():
            return self.named[field]
        if self.numbered is not None and self.numbered is not bool(field):
            raise ValueError("cannot switch between manual and automatic field numbering")
        self.numbered = bool(field)
        if not field:
            self.count += 1
        return self.args[int(field) if field else self.count - 1]
