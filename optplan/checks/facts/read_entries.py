"""Which entries of a param group the class of an optimizer reads: OPT411."""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache

from optplan.checks.facts.torch_signatures import torch_optimizer

_TORCH = "torch.optim."
# Their classes write entries of their own into groups and read them back.
_SCHEDULERS = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")


def read_by_optimizer(entry: str, class_name: str) -> bool | None:
    """Return whether an optimizer, or a scheduler of torch's, reads an entry of a group; None where that is not known.

    A class reads what its module, or that of a class it inherits from, has in quotes.

    Args:
        entry: The entry's name.
        class_name: The class's dotted name.
    """
    if class_name.startswith("optplan."):  # it stands for one that is not known
        return None
    if class_name.startswith(_TORCH):
        known = torch_optimizer(class_name.rpartition(".")[2])
        if known is not None and entry in known.group_names:
            return True
    modules = _modules(class_name)
    texts = [_source(module) for module in modules]
    if not modules or any(text is None for text in texts):
        return None
    texts += [_source(module) for module in _SCHEDULERS]
    quoted = re.compile(rf"['\"]{re.escape(entry)}['\"]")
    return any(quoted.search(text) for text in texts if text)


@cache
def _modules(class_name: str) -> tuple[str, ...]:
    """Return the modules of a class and of what it inherits from; none where it is not to be found."""
    head, _, name = class_name.rpartition(".")
    found = getattr(sys.modules.get(head), name, None)
    if not inspect.isclass(found):
        return ()
    return tuple(dict.fromkeys(base.__module__ for base in found.__mro__ if base is not object))


@cache
def _source(module: str) -> str | None:
    found = sys.modules.get(module)
    try:
        return None if found is None else inspect.getsource(found)
    except (OSError, TypeError):
        return None
