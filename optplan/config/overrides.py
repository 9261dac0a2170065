"""Set values given on the command line on top of a config."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from optplan.config.placed import (
    File,
    PlacedDict,
    PlacedList,
    PlacedTuple,
    placed_dict,
    placed_list,
    placed_tuple,
)
from optplan.config.settable import refuse_dead
from optplan.errors import ConfigError, UsageError, did_you_mean
from optplan.places import Place, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optplan.config.placed import RawPlace
    from optplan.config.settable import Settable

OPTION = "--set"
_MAX_LENGTH = 100_000
_MAX_BRACKETS = 50
# a comma before another a.b=value
_SEVERAL = re.compile(r",(?=[A-Za-z_]\w*(?:\.\w+)+=)")
_ASSIGNMENT = re.compile(r"[A-Za-z_][^=\s]*=")


def regroup_cfg_options(argv: Sequence[str]) -> list[str]:
    """Rewrite ``--cfg-options a.b=1 c.d=2`` as ``--set a.b=1 --set c.d=2``.

    The option takes the arguments that follow it directly, as long as each has the form
    ``word=…`` and names no existing file.

    Raises:
        UsageError: Nothing that it could take follows.
    """
    result: list[str] = []
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*result, argument, *rest]
        if argument.startswith("--cfg-options="):
            result += [OPTION, argument.partition("=")[2]]
        elif argument != "--cfg-options":
            result.append(argument)
        else:
            taken = 0
            while rest and _ASSIGNMENT.match(rest[0]) and not os.path.exists(rest[0]):
                result += [OPTION, rest.pop(0)]
                taken += 1
            if not taken:
                raise UsageError("--cfg-options needs a value", hint="such as a.b=1 c.d=2")
    return result


def parse_value(text: str) -> Any:
    """Return what the text of an override means.

    ``1,2`` and ``[1,2]`` are lists, ``(1,2)`` is a tuple; quotes around the whole and all spaces
    are dropped; ``true`` and ``false`` are booleans in any case, ``None`` is None; what is no
    number stays text.

    Raises:
        ConfigError: Its brackets do not match, or it is too long.
    """
    if len(text) > _MAX_LENGTH:
        raise ConfigError("the value is too long")
    return _parsed(text, 0)


def _parsed(text: str, depth: int) -> Any:
    if depth > _MAX_BRACKETS:
        raise ConfigError("the value is nested too deeply")
    text = text.strip("'\"").replace(" ", "")
    is_tuple = text.startswith("(") and text.endswith(")")
    if is_tuple or (text.startswith("[") and text.endswith("]")):
        text = text[1:-1]
    elif "," not in text:
        return _scalar(text)
    parts = _parts(text)
    if parts == [text] and "," in text and text[:1] not in {"(", "["}:
        raise ConfigError(f"the brackets in '{text}' do not match")
    values = [_parsed(part, depth + 1) for part in parts]
    return tuple(values) if is_tuple else values


def _parts(text: str) -> list[str]:
    """Return the parts between the commas that stand in no brackets."""
    parts: list[str] = []
    start = round_open = square_open = 0
    for at, char in enumerate(text):
        if char == "," and not round_open and not square_open:
            parts.append(text[start:at])
            start = at + 1
        round_open += (char == "(") - (char == ")")
        square_open += (char == "[") - (char == "]")
    if round_open or square_open:
        raise ConfigError(f"the brackets in '{text}' do not match")
    return [*parts, text[start:]] if start < len(text) else parts


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return None if text == "None" else text


class _Branch(dict[str, Any]):
    """Overrides of entries of one container."""


def apply_overrides(
    data: PlacedDict, overrides: Sequence[str], settable: Settable | None = None
) -> None:
    """Set the values of ``a.b.c=value`` texts, all together.

    Args:
        data: The config.
        overrides: The texts.
        settable: Returns the top-level entries that they may add; None for all.

    Raises:
        ConfigError: One is malformed, its path leads nowhere, or nothing would read what it adds.
    """
    tree = _Branch()
    for text in overrides:
        source = Source(name=OPTION, path=f"{OPTION} {text}", text=text)
        raw: RawPlace = (File(source, text), 0, 0)
        try:
            _add_override(tree, text, raw)
            path = text.partition("=")[0]
            if settable is not None:
                refuse_dead(data, path, settable(data))
            if not _is_addable(data, path, settable):
                _check_path(data, path.split("."))
        except ConfigError as error:
            problem = error.problems[0]
            raise ConfigError(
                problem.message, place=Place(source, 0, 0), hint=problem.hint
            ) from None
    _applied(data, tree)


def _is_addable(data: PlacedDict, path: str, settable: Settable | None) -> bool:
    """Return whether a path begins with a section that other files have, as in Hydra's compositions."""
    head = path.partition(".")[0]
    return settable is not None and head not in data and f"{head}." in settable(data)


def _add_override(tree: _Branch, text: str, raw: RawPlace) -> None:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ConfigError(
            "it must have the form a.b.c=value", hint=f"such as {OPTION} optimizer.lr=0.1"
        )
    if len(several := _SEVERAL.split(text)) > 1:
        each = " ".join(f"{OPTION} {one}" for one in several)
        raise ConfigError("it holds several values", hint=f"one {OPTION} each: {each}")
    *parents, last = path.split(".")
    for key in parents:
        branch = tree.get(key)
        if branch is None:
            branch = tree[key] = _Branch()
        if not isinstance(branch, _Branch):
            raise ConfigError(f"'{key}' was set to a value by an earlier option")
        tree = branch
    tree[last] = (_placed(parse_value(value), raw), raw)


def _placed(value: Any, raw: RawPlace) -> Any:
    if isinstance(value, list):
        return placed_list([_placed(item, raw) for item in value], [raw] * len(value))
    if isinstance(value, tuple):
        return placed_tuple([_placed(item, raw) for item in value], [raw] * len(value))
    return value


def _check_path(data: Any, path: list[str]) -> None:
    walked: list[str] = []
    for key in path[:-1]:
        data = _child(data, key, walked)
        walked.append(key)
    if not isinstance(data, dict):
        _child(data, path[-1], walked)


def _child(data: Any, key: str, walked: list[str]) -> Any:
    where = f"'{'.'.join(walked)}'" if walked else "the config"
    if isinstance(data, dict):
        if key in data:
            return data[key]
        known = [name for name in data if isinstance(name, str)]
        raise ConfigError(f"{where} has no '{key}'", hint=did_you_mean(key, known))
    if isinstance(data, list | tuple):
        if not key.isdecimal():
            raise ConfigError(f"{where} is a list, '{key}' is no index of it")
        if int(key) >= len(data):
            raise ConfigError(f"{where} has only {len(data)} elements, there is no '{key}'")
        return data[int(key)]
    raise ConfigError(f"{where} is no dict or list, it has no '{key}'")


def _applied(target: Any, tree: _Branch) -> Any:
    """Return ``target`` with the overrides of a branch; a tuple is replaced, all else is changed."""
    if isinstance(target, PlacedTuple):
        as_list = placed_list(target, list(target.raw_places))
        changed = _applied(as_list, tree)
        return placed_tuple(changed, changed.raw_places)
    if isinstance(target, PlacedList):
        for key, new in tree.items():
            at = int(key)
            if isinstance(new, _Branch):
                target[at] = _applied(target[at], new)
            else:
                target[at], target.raw_places[at] = new
        return target
    delete = tree.pop("_delete_", None)
    if delete is not None and delete[0]:
        target = placed_dict((), {})
    for key, new in tree.items():
        if isinstance(new, _Branch):
            target[key] = _applied(target.get(key, placed_dict((), {})), new)
        else:
            target[key], target.raw_places[key] = new
    return target
