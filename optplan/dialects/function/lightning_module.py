"""Classes with ``configure_optimizers`` in the place of a config: model and optimizer in one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from optplan.errors import PlanError
from optplan.runtime.gate import calling, import_named

METHOD = "configure_optimizers"
PACKAGES = ("lightning", "pytorch_lightning")
# What a module may ask of its trainer, and the user can say.
VALUES = (
    "max_epochs", "max_steps", "estimated_stepping_batches", "num_training_batches",
    "accumulate_grad_batches", "num_devices", "num_nodes", "world_size",
)  # fmt: skip
# What a trainer says before the first step.
_AT_START = {"current_epoch": 0, "global_step": 0, "is_global_zero": True}


def configures_optimizers(found: object) -> bool:
    """Return whether something is a class that makes its own optimizers."""
    return isinstance(found, type) and callable(getattr(found, METHOD, None))


def is_lightning_class(found: object) -> bool:
    """Return whether something is a class of LightningModules, of either package."""
    return isinstance(found, type) and any(
        base.__name__ == "LightningModule" and base.__module__.partition(".")[0] in PACKAGES
        for base in found.__mro__
    )


def epochs_are_default(function: object) -> bool:
    """Return whether schedulers are stepped once an epoch where nothing is said: those of Lightning are."""
    if isinstance(function, CliFunction):
        return True
    return isinstance(function, ModuleFunction) and is_lightning_class(function.kind)


class ModuleFunction:
    """``configure_optimizers`` of a class, as a function that takes the module.

    Args:
        kind: The class.
        who: What messages call it.
    """

    def __init__(self, kind: type, who: str) -> None:
        self.kind = kind
        self._who = who
        own = list(inspect.signature(getattr(kind, METHOD)).parameters.values())[1:]
        self._own = frozenset(one.name for one in own)
        module = inspect.Parameter("module", inspect.Parameter.POSITIONAL_ONLY)
        self.__signature__ = inspect.Signature([module, *own, *self._of_trainer()])

    def _of_trainer(self) -> list[inspect.Parameter]:
        names = [name for name in VALUES if name not in self._own]
        kind = inspect.Parameter.KEYWORD_ONLY
        return (
            [inspect.Parameter(name, kind, default=None) for name in names]
            if is_lightning_class(self.kind)
            else []
        )

    def __call__(self, module: Any, *positional: Any, **named: Any) -> Any:
        """Return what the module configures, its trainer answering with the values that are given."""
        own = {name: value for name, value in named.items() if name in self._own}
        values = {name: value for name, value in named.items() if name not in self._own}
        if not is_lightning_class(type(module)):
            return getattr(module, METHOD)(*positional, **own)
        with _trained_by(module, _Trainer(self._who, values)):
            return getattr(module, METHOD)(*positional, **own)


class CliFunction:
    """``configure_optimizers`` of a module as LightningCLI overrides it, as a function that takes the module.

    Args:
        parts: The ``optimizer`` and the ``lr_scheduler`` of a file.
        who: What messages call it.
        trusted: Whether the user vouches for the file.
    """

    def __init__(self, parts: Mapping[str, Any], who: str, *, trusted: bool) -> None:
        self._parts = parts
        self._who = who
        self._trusted = trusted

    def __call__(self, module: Any, **values: Any) -> Any:
        """Return what the module configures."""
        from optplan.model.class_paths import class_paths
        from optplan.model.lightning_cli import configured

        paths = [path for path, _ in class_paths(self._parts) if "." in path]
        found = [import_named(path, trusted=self._trusted) for path in paths]
        with (
            calling(type(module), self._who, trusted=self._trusted, given=found),
            _trained_by(module, _Trainer(self._who, values)),
            configured(module, self._parts),
        ):
            return getattr(module, METHOD)()


class _Trainer:
    """Answers in the place of a trainer, which there is none of before training."""

    def __init__(self, who: str, values: Mapping[str, Any]) -> None:
        self._who = who
        self._values = {**_AT_START, **values}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        is_known = name in VALUES
        raise PlanError(
            f"{self._who} asks its trainer for {name}, and there is no trainer before training",
            hint=f"say it: -a {name}=N"
            if is_known
            else "take what it needs as an argument of the module's own, and give that with -k",
        )


@contextmanager
def _trained_by(module: Any, trainer: _Trainer) -> Iterator[None]:
    module.trainer = trainer
    try:
        yield
    finally:
        module.trainer = None


def length_values(
    *, epochs: int | None, iters: int | None, per_epoch: int | None
) -> dict[str, int]:
    """Return what a trainer says of a training's length, as far as the command line gives it."""
    found = {"max_epochs": epochs, "max_steps": iters, "num_training_batches": per_epoch}
    steps = epochs * per_epoch if epochs is not None and per_epoch is not None else iters
    found["estimated_stepping_batches"] = steps
    return {name: value for name, value in found.items() if value is not None}
