"""Entries of torchtitan's Python registry, such as ``torchtitan:llama3.llama3_8b``, and their models."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optplan.errors import ModelError, OptplanError, described_exception, did_you_mean, listed
from optplan.model.meta import build_on_meta
from optplan.runtime.audit import download_error, no_network
from optplan.runtime.installed import package_folder
from optplan.runtime.stdio import suppress_output

if TYPE_CHECKING:
    from torch import nn

PREFIX = "torchtitan:"
# Where its ConfigManager looks for the registry of a module.
_HOMES = ("models", "experiments", "experiments/rl/examples")
_REGISTRY = "config_registry.py"
_MOST_NAMES = 12


def entry_config(word: str, overrides: Sequence[str] = ()) -> Any:
    """Return the library's own config of an entry.

    Args:
        word: ``torchtitan:MODULE.ENTRY``.
        overrides: ``a.b=value``, which the library's command line reads as ``--a.b=value``.

    Raises:
        ModelError: The library is not installed, there is no such entry, or it cannot be made here.
    """
    module, _, name = word.removeprefix(PREFIX).rpartition(".")
    entries = _entries(module)
    if name not in entries:
        names = sorted(entries)
        near = did_you_mean(name, names) or f"it has {listed(names, most=_MOST_NAMES)}"
        raise ModelError(f"torchtitan's {module} has no entry {name!r}", hint=near)
    with _running(f"torchtitan's {word.removeprefix(PREFIX)}"):
        if not overrides:
            return entries[name]()
        from torchtitan.config import ConfigManager

        words = ["--module", module, "--config", name, *(f"--{one}" for one in overrides)]
        with redirect_stderr(StringIO()):
            try:
                return ConfigManager().parse_args(words)
            except SystemExit as error:
                raise ModelError(
                    f"torchtitan's command line refuses --set {' --set '.join(overrides)}",
                    hint="the names are those of its own options: --set lr_scheduler.warmup_steps=100",
                ) from error


def torchtitan_model(spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build the model of an entry as the library's trainer does before it is made parallel.

    Raises:
        ModelError: As :func:`entry_config`; it takes no arguments.
    """
    if arguments:
        raise ModelError(
            f"{spec!r} takes no arguments: the entry decides them", hint="leave -k out"
        )
    config = entry_config(spec)
    what = f"the model of {spec!r}"
    if getattr(config, "model_spec", None) is None:
        raise ModelError(f"{spec!r} has no model_spec: it is no training of one model")
    with _running(what):
        from torchtitan.config import TORCH_DTYPE_MAP
        from torchtitan.config.override import apply_overrides
        from torchtitan.tools.utils import set_default_dtype

        model_config = config.model_spec.model
        model_config.update_from_config(config=config)
        if config.override.imports:
            apply_overrides(config.override, config)
        with set_default_dtype(TORCH_DTYPE_MAP[config.training.dtype]):
            built: nn.Module = build_on_meta(model_config.build, what, falls_back=False)
    return built


def _entries(module: str) -> dict[str, Callable[[], Any]]:
    """Return the functions in a module's registry that need no arguments."""
    folder = package_folder("torchtitan")
    if folder is None:
        raise ModelError("torchtitan is not installed", hint="pip install torchtitan")
    homes = _modules(Path(folder))
    if module not in homes:
        known = sorted(homes)
        near = did_you_mean(module, known) or f"it has {listed(known, most=len(known))}"
        what = f"torchtitan has no module {module!r} with a registry"
        raise ModelError(what if module else f"after {PREFIX} stands no MODULE.ENTRY", hint=near)
    with _running(f"torchtitan's {module}"):
        found = importlib.import_module(homes[module])
    return {
        name: value
        for name, value in vars(found).items()
        if inspect.isfunction(value)
        and value.__module__ == found.__name__
        and not name.startswith("_")
        and not any(
            one.default is one.empty for one in inspect.signature(value).parameters.values()
        )
    }


def _modules(folder: Path) -> dict[str, str]:
    """Return the registries of the installed library by the names of their modules; nothing is imported."""
    found: dict[str, str] = {}
    for home in _HOMES:
        root = folder.joinpath(*home.split("/"))
        for file in root.rglob(_REGISTRY):
            below = ".".join(file.parent.relative_to(root).parts)
            found[below] = ".".join(("torchtitan", *file.relative_to(folder).with_suffix("").parts))
    return found


@contextmanager
def _running(what: str) -> Iterator[None]:
    """Run the library's code without network; what it raises becomes one message.

    Raises:
        ModelError: It raises: something is not installed, or its code needs another device.
    """
    with suppress_output(), no_network() as tried:
        logging.disable(logging.WARNING)  # of the machine, and of what surrounds a training
        try:
            yield
        except OptplanError:
            raise
        except ModuleNotFoundError as error:
            raise ModelError(
                f"{what} needs {error.name}, which is not installed", hint=f"install {error.name}"
            ) from error
        except (Exception, SystemExit) as error:
            if tried:
                raise download_error(what, tried[0]) from error
            raise ModelError(f"{what} cannot be made here: {described_exception(error)}") from error
