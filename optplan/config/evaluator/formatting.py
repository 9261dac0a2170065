"""Text made from values: f-strings, ``str.format`` and ``str``, without reaching into the values."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.data import is_data
from optplan.config.evaluator.frame import TRUST_HINT
from optplan.config.limits import Refusal
from optplan.config.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optplan.config.evaluator.frame import Frame

_CONVERSIONS: dict[str, Callable[[Any], str]] = {"s": str, "r": repr, "a": ascii}
_MOST_WIDTH = 9999
_NUMBER = re.compile(r"\d+")


def text_of(frame: Frame, value: Any, conversion: str = "s") -> str:
    """Return what ``str``, ``repr`` ('r') or ``ascii`` ('a') makes of a value."""
    if isinstance(value, Symbol):
        return value.name
    if not is_data(value) and not isinstance(value, type):
        raise Refusal("only plain data can be made into text in a config")
    frame.steps.charge_tree(value)
    text = _CONVERSIONS[conversion](value)
    frame.steps.charge_text(len(text))
    return text


def formatted(frame: Frame, value: Any, conversion: str, spec: str) -> str:
    """Return what a replacement field of an f-string stands for.

    Raises:
        Refusal: The field is too wide.
    """
    _width(spec)
    if conversion:
        value = text_of(frame, value, conversion)
    elif not isinstance(value, str | int | float | complex):
        if spec:
            raise TypeError(
                f"unsupported format string passed to {type(value).__name__}.__format__"
            )
        return text_of(frame, value)
    frame.steps.charge_sizes(value, spec)
    text = format(value, spec)
    frame.steps.charge_text(len(text))
    return text


def format_text(frame: Frame, template: str, args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return what ``template.format(*args, **named)`` returns, for fields that are plain names.

    Raises:
        Refusal: A field reaches into its argument, or the text is too long.
    """
    longest = max((len(text_of(frame, one)) for one in (*args, *named.values())), default=0)
    length = len(template)
    frame.steps.charge_text(length)
    for _, field, spec, _ in Formatter().parse(template):
        if field is None:
            continue
        if not re.fullmatch(r"\w*", field) or "{" in (spec or ""):
            raise Refusal("a format field may only name an argument in a config", TRUST_HINT)
        # Escapes make a text that is quoted up to ten times as long.
        length += 10 * longest + _width(spec or "")
        frame.steps.charge_text(length)
    args = [one.name if isinstance(one, Symbol) else one for one in args]
    named = {key: one.name if isinstance(one, Symbol) else one for key, one in named.items()}
    return template.format(*args, **named)


def _width(spec: str) -> int:
    """Return how wide a format specification may make a field.

    Raises:
        Refusal: Too wide.
    """
    width = sum(int(number) for number in _NUMBER.findall(spec[:_MOST_WIDTH]))
    if width > _MOST_WIDTH or len(spec) > _MOST_WIDTH:
        raise Refusal("the format is too wide")
    return width
