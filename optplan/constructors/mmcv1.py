"""The constructors of mmcv 1.x: its default one, and those that somebody has registered."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from optplan.constructors.default import OPTIMIZER_CONSTRUCTORS, DefaultOptimizerConstructor
from optplan.constructors.registry import Registry
from optplan.rules import MMCV1_RULES

DEFAULT_OF_MMCV1 = "DefaultOptimizerConstructor"
HOME = "mmcv.runner"


class Mmcv1OptimizerConstructor(DefaultOptimizerConstructor):
    """Makes the groups that the default constructor of mmcv 1.x makes."""

    rules = MMCV1_RULES


def constructor_of_mmcv1(name: str) -> Callable[..., Any] | None:
    """Return the constructor that mmcv 1.x would find under a name, None for none.

    Args:
        name: The name as the config writes it.
    """
    found = OPTIMIZER_CONSTRUCTORS.added(name) or _registered("OPTIMIZER_BUILDERS", name)
    return found or (Mmcv1OptimizerConstructor if name == DEFAULT_OF_MMCV1 else None)


def _registered(registry: str, name: str) -> Callable[..., Any] | None:
    """What is registered in mmcv 1.x itself, where code that was imported has imported it; its own default is not."""
    found = getattr(sys.modules.get(HOME), registry, None)
    if found is None or isinstance(found, Registry):  # one of optplan's own in its place
        return None
    one: Callable[..., Any] | None = found.get(name)
    is_its_own = getattr(one, "__module__", "").startswith(f"{HOME}.")
    return None if is_its_own else one
