"""The parameters that a model itself wants to be spared weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def declared_no_decay(modules: Sequence[tuple[str, nn.Module]]) -> frozenset[str]:
    """Registered names that are to get no weight decay.

    As timm and the vision transformers before it declare them: ``no_weight_decay()`` gives names or
    patterns of names below the module, ``no_weight_decay_keywords()`` parts of names, and a parameter
    may carry ``_no_weight_decay``.

    Args:
        modules: Every registered path of the model with its module.
    """
    named = {
        (f"{prefix}.{local}" if prefix else local): parameter
        for prefix, module in modules
        for local, parameter in module._parameters.items()  # noqa: SLF001
        if parameter is not None
    }
    found = {name for name, parameter in named.items() if _is_marked(parameter)}
    for prefix, module in modules:
        patterns = _declared_by(module, "no_weight_decay")
        keywords = _declared_by(module, "no_weight_decay_keywords")
        if patterns or keywords:
            found |= _matching(named, f"{prefix}." if prefix else "", patterns, keywords)
    return frozenset(found)


def _is_marked(parameter: object) -> bool:
    return getattr(parameter, "_no_weight_decay", False) is True


def _declared_by(module: nn.Module, method: str) -> tuple[str, ...]:
    """What a model's own method gives; one that fails declares nothing."""
    declare = getattr(type(module), method, None)
    if not callable(declare):
        return ()
    try:
        given = getattr(module, method)()
        return tuple(entry for entry in given if isinstance(entry, str))
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return ()


def _matching(
    names: Iterable[str], prefix: str, patterns: tuple[str, ...], keywords: tuple[str, ...]
) -> set[str]:
    exact = frozenset(patterns)
    wild = [pattern for pattern in patterns if any(sign in pattern for sign in "*?[")]
    found = set()
    for name in names:
        if not name.startswith(prefix):
            continue
        below = name[len(prefix) :]
        if (
            below in exact
            or any(fnmatchcase(below, pattern) for pattern in wild)
            or any(keyword in below for keyword in keywords)
        ):
            found.add(name)
    return found
