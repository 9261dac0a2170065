"""Find parameters that the model itself declares to get no weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


_METHODS = ("no_weight_decay", "no_weight_decay_keywords")


def declared_no_decay(
    model: nn.Module, kinds: Iterable[type[nn.Module]], names: Sequence[str]
) -> frozenset[str]:
    """Return registered names that modules declare to get no weight decay.

    As timm and the vision transformers before it do: ``no_weight_decay()`` gives names or patterns of names
    below the module, ``no_weight_decay_keywords()`` parts of names.

    Args:
        model: The model.
        kinds: The classes of its modules.
        names: The registered names of its parameters.
    """
    declaring = {kind for kind in kinds if any(hasattr(kind, method) for method in _METHODS)}
    if not declaring:
        return frozenset()
    from torch import nn

    declared: set[str] = set()
    for path, module in nn.Module.named_modules(model, remove_duplicate=False):
        if type(module) not in declaring:
            continue
        patterns, keywords = (_declared_by(module, method) for method in _METHODS)
        if patterns or keywords:
            declared |= _matching(names, f"{path}." if path else "", patterns, keywords)
    return frozenset(declared)


def _declared_by(module: nn.Module, method: str) -> tuple[str, ...]:
    """Return the entries that a model's own method returns; none where it fails."""
    declare = getattr(type(module), method, None)
    if not callable(declare):
        return ()
    try:
        given = getattr(module, method)()
        return tuple(entry for entry in given if isinstance(entry, str))
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return ()


def _matching(
    names: Sequence[str], prefix: str, patterns: tuple[str, ...], keywords: tuple[str, ...]
) -> set[str]:
    found = {prefix + pattern for pattern in patterns}.intersection(names)
    wild = [pattern for pattern in patterns if any(sign in pattern for sign in "*?[")]
    for name in names if wild or keywords else ():
        if not name.startswith(prefix):
            continue
        below = name[len(prefix) :]
        if any(fnmatchcase(below, pattern) for pattern in wild) or any(
            keyword in below for keyword in keywords
        ):
            found.add(name)
    return found
