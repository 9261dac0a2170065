"""``paramwise_cfg`` as typed data, for the constructors that optplan knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from optplan.config.placed import place_of
from optplan.config.symbols import Symbol
from optplan.errors import Problem
from optplan.names import LR_OPTIONS, WEIGHT_DECAY_OPTIONS, ProblemKind
from optplan.places import Place

LR_MULTIPLIERS = tuple(LR_OPTIONS)
DECAY_MULTIPLIERS = tuple(WEIGHT_DECAY_OPTIONS)
MULTIPLIERS = (*LR_MULTIPLIERS, *DECAY_MULTIPLIERS)
FIELDS = ("lr_mult", "decay_mult", "lr", "weight_decay")
FIELDS_OF_MMCV1 = FIELDS[:2]
MULTIPLIERS_OF_MMCV1 = tuple(name for name in MULTIPLIERS if name != "flat_decay_mult")
# These are refused without a base weight decay; flat_decay_mult passes and does nothing.
_NEED_WEIGHT_DECAY = tuple(name for name in DECAY_MULTIPLIERS if name != "flat_decay_mult")


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """A multiplier that is set, and where; mmcv 1.x takes None for a value, and fails where it multiplies by it."""

    value: float | None
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomKey:
    """One entry of ``custom_keys``: every field, as it is copied into the param group."""

    key: str
    fields: Mapping[str, Any]
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paramwise:
    """A valid ``paramwise_cfg``.

    Args:
        is_empty: Nothing at all is in it, so that no rule runs.
        multipliers: The ``*_mult`` options that are set.
        custom_keys: As written; which one wins is the rules' affair.
        bypass_duplicate: Leave out a tensor that is in a group already.
    """

    is_empty: bool
    multipliers: Mapping[str, Multiplier]
    custom_keys: tuple[CustomKey, ...]
    bypass_duplicate: bool


def parse_paramwise(
    raw: Mapping[str, Any],
    *,
    has_weight_decay: bool,
    multipliers: Sequence[str] = MULTIPLIERS,
    fields: Sequence[str] = FIELDS,
) -> tuple[Paramwise, list[Problem]]:
    """Read a ``paramwise_cfg``; wrong entries are left out.

    Args:
        raw: The dict as it stands in the config.
        has_weight_decay: Whether the optimizer section sets a weight decay.
        multipliers: The ``*_mult`` options that the constructor reads; the default one reads all.
        fields: The fields of a custom key that it reads as numbers.

    Returns:
        What is valid, and every mistake.
    """
    problems = list(_multiplier_problems(raw, has_weight_decay, multipliers))
    found_multipliers = {
        name: Multiplier(value=raw[name], place=place_of(raw, name))
        for name in multipliers
        if name in raw and _is_multiplier(raw, name, fields)
    }
    custom_keys: list[CustomKey] = []
    for found in _custom_keys(raw, has_weight_decay, fields):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            custom_keys.append(found)
    parsed = Paramwise(
        is_empty=not raw,
        multipliers=found_multipliers,
        custom_keys=tuple(custom_keys),
        bypass_duplicate=bool(raw.get("bypass_duplicate", False)),
    )
    return parsed, problems


def _is_multiplier(raw: Mapping[str, Any], name: str, fields: Sequence[str]) -> bool:
    """Return whether an option is set: None leaves it unset, but in mmcv 1.x."""
    if raw[name] is None:
        return fields == FIELDS_OF_MMCV1
    return number_problem(raw, name) is None


def number_problem(container: Mapping[str, Any], name: str) -> Problem | None:
    """Return what is wrong with a value that has to be a finite number, or None."""
    value = container[name]
    place = place_of(container, name)
    if isinstance(value, str):
        return Problem(
            message=f"{name} must be a number, got the string {value!r}",
            place=place,
            hint=_number_hint(value),
        )
    if not isinstance(value, int | float):
        return Problem(message=f"{name} must be a number, got {described(value)}", place=place)
    try:
        finite = isfinite(value)
    except OverflowError:  # Python's whole numbers have no end, a float has
        return Problem(message=f"{name} is too large for a float", place=place)
    return None if finite else Problem(message=f"{name} must be finite, got {value}", place=place)


def rate_problem(container: Mapping[str, Any], name: str) -> Problem | None:
    """Return what is wrong with a value that has to be a finite number and not negative, or None."""
    if (problem := number_problem(container, name)) is not None or container[name] >= 0:
        return problem
    message = f"{name} must not be negative, got {container[name]}"
    return Problem(message=message, place=place_of(container, name))


def _number_hint(value: str) -> str | None:
    """Return how to write a number that became a string: YAML 1.1 reads ``1e-3`` as one."""
    try:
        number = float(value)
    except ValueError:
        return None
    if not isfinite(number):
        return None
    mantissa, e, exponent = value.strip().lower().partition("e")
    if e and "." not in mantissa:
        return f"write {mantissa}.0e{exponent}"
    return f"write {number!r}, without quotes"


def described(value: object) -> str:
    """Return a value of the wrong type for a message: its plain type, and itself if it is short."""
    if isinstance(value, Symbol):
        return f"the name {value}"
    kinds = (dict, list, tuple)
    kind = next((k for k in kinds if isinstance(value, k)), type(value)).__name__
    text = repr(value)
    return f"{kind} {text}" if len(text) <= 60 else f"{kind} {text[:57]}..."


def _multiplier_problems(
    raw: Mapping[str, Any], has_weight_decay: bool, multipliers: Sequence[str]
) -> Iterator[Problem]:
    for name in multipliers:
        if name not in raw:
            continue
        if raw[name] is not None and (problem := number_problem(raw, name)):
            yield problem
        elif name in _NEED_WEIGHT_DECAY and not has_weight_decay:
            yield _no_weight_decay(name, place_of(raw, name))


def _no_weight_decay(name: str, place: Place | None) -> Problem:
    return Problem(
        message=f"{name} multiplies a base weight_decay, but the optimizer sets none",
        place=place,
        hint="set weight_decay in the optimizer",
        kind=ProblemKind.NO_BASE_VALUE,
    )


def _custom_keys(
    raw: Mapping[str, Any], has_weight_decay: bool, fields: Sequence[str]
) -> Iterator[CustomKey | Problem]:
    if "custom_keys" not in raw:
        return
    keys = raw["custom_keys"]
    if not isinstance(keys, Mapping):
        yield Problem(
            message=f"custom_keys must be a dict, got {described(keys)}",
            place=place_of(raw, "custom_keys"),
        )
        return
    for key, own in keys.items():
        if key == "_delete_" and not isinstance(own, Mapping):
            continue  # a base had nothing to delete; the reference takes it for a key without a match
        place = place_of(keys, key)
        mistakes = list(_key_problems(key, own, place, has_weight_decay, fields))
        if mistakes:
            yield from mistakes
        else:
            yield CustomKey(key=key, fields=own, place=place)


def _key_problems(
    key: object, fields: object, place: Place | None, has_weight_decay: bool, numbers: Sequence[str]
) -> Iterator[Problem]:
    if not isinstance(key, str):
        yield Problem(message=f"a custom key must be a string, got {described(key)}", place=place)
        return
    if not isinstance(fields, Mapping):
        yield Problem(
            message=f"custom key {key!r} must hold a dict, got {described(fields)}",
            place=place,
            hint="write dict(lr_mult=..., decay_mult=...)",
        )
        return
    for name in numbers:
        if name not in fields or (fields[name] is None and numbers == FIELDS_OF_MMCV1):
            continue
        if problem := number_problem(fields, name):
            yield Problem(
                message=f"custom key {key!r}: {problem.message}",
                place=problem.place,
                hint=problem.hint,
            )
    if "decay_mult" in fields and not has_weight_decay:
        yield _no_weight_decay(f"decay_mult of custom key {key!r}", place_of(fields, "decay_mult"))
    if "params" in fields and numbers == FIELDS:  # else no field is copied
        yield Problem(
            message=f"custom key {key!r} may not set 'params': it would replace the parameter itself",
            place=place_of(fields, "params"),
        )
