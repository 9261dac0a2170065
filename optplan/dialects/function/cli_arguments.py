"""What the classes that a file of LightningCLI names take, as far as their sources tell."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from optplan.places import Place
from optplan.runtime.installed import package_folder
from optplan.runtime.source_arguments import source_arguments

# Where LightningCLI looks for a class without a module.
_SHORT = {"optimizer": "torch.optim", "lr_scheduler": "torch.optim.lr_scheduler"}


def named_classes(part: Any, name: str = "") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the path of each ``init_args`` in part of a file that is not empty, with its class and itself."""
    if isinstance(part, Mapping):
        kind, given = part.get("class_path"), part.get("init_args")
        if isinstance(kind, str) and isinstance(given, Mapping) and given:
            yield f"{name}.init_args", kind, given
        for key, item in part.items():
            yield from named_classes(item, f"{name}.{key}".strip("."))
    elif isinstance(part, list | tuple):
        for index, item in enumerate(part):
            yield from named_classes(item, f"{name}[{index}]")


def known_arguments(kind: str, name: str, place: Place | None) -> frozenset[str] | None:
    """Return what a class takes; None where its source does not tell.

    Args:
        kind: Its path, or its name alone.
        name: Where the file gives it arguments.
        place: The same: a module that no distribution has may stand beside the file.
    """
    if "." not in kind:
        kind = f"{_SHORT.get(name.partition('.')[0], '')}.{kind}"
    beside = os.path.dirname(place.source.path) if place and place.source.path else ""
    return source_arguments(kind, (os.getcwd(), beside or os.curdir))


@cache
def trainer_arguments() -> frozenset[str]:
    """Return what the installed library's trainer takes; nothing if it is not there."""
    homes = ("lightning.pytorch", "pytorch_lightning")
    home = next((one for one in homes if package_folder(one.partition(".")[0])), homes[0])
    return source_arguments(f"{home}.trainer.trainer.Trainer") or frozenset()
