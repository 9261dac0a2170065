"""The guard: called with a model and its optimizer, or given to a trainer as its callback."""

from __future__ import annotations

import os
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from optplan.errors import MismatchError, PlanError
from optplan.runtime.whole_files import write_whole

if TYPE_CHECKING:
    from torch import nn

    from optplan.plan import Plan

# The classes that trainers demand of what they call, by the module that defines each.
_BASES = (
    ("transformers.trainer_callback", "TrainerCallback"),
    ("lightning.pytorch.callbacks.callback", "Callback"),
    ("pytorch_lightning.callbacks.callback", "Callback"),
    ("mmengine.hooks.hook", "Hook"),
)


class PlanGuard:
    """Compare a training with a saved plan before its first step, and on each resume.

    One object serves all trainers: give it to ``transformers.Trainer(callbacks=[...])``, to Lightning's
    ``Trainer(callbacks=[...])`` or to mmengine's ``Runner(custom_hooks=[...])``, or call it with a model and
    an optimizer. Make it after the trainer is imported. Wrappers of Accelerate, DeepSpeed, DDP, FSDP and
    ``torch.compile`` are looked through. No weight is read.

    Args:
        path: The plan, as ``optplan show --format json`` or ``Plan.to_json`` writes it.
        on_mismatch: ``raise`` an error, or ``warn`` and go on.
        if_missing: Where there is no such file: ``raise``, or ``write`` the plan of this training.
        groups: Whether parameters must be in the planned groups; False where equal groups are merged.

    Raises:
        PlanError: The file is missing or no plan.
        MismatchError: What differs, with the names of the parameters.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Make an object that is a callback of each trainer that this process has imported."""
        made: Any = object.__new__(_with_bases(cast(Any, cls), _loaded_bases()))
        return made  # type: ignore[no-any-return]

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        on_mismatch: Literal["raise", "warn"] = "raise",
        if_missing: Literal["raise", "write"] = "raise",
        groups: bool = True,
    ) -> None:
        _require_one_of("on_mismatch", on_mismatch, ("raise", "warn"))
        _require_one_of("if_missing", if_missing, ("raise", "write"))
        self.path = Path(path)
        self.on_mismatch = on_mismatch
        self.if_missing = if_missing
        self.groups = groups

    def __call__(self, model: nn.Module, optimizer: Any) -> None:
        """Compare a model and its optimizer with the plan.

        Args:
            model: The model, bare or wrapped.
            optimizer: Its optimizer, a wrapper around it, or several in a list or by name.

        Raises:
            PlanError, MismatchError: As of this class.
        """
        from optplan.constructors.live_optimizer import assert_matches

        plan = self._plan(model, optimizer)
        if plan is None:
            return
        try:
            assert_matches(plan, model, optimizer, groups=self.groups)
        except MismatchError as error:
            if self.on_mismatch == "raise":
                raise
            warnings.warn(f"the training departs from {self.path}: {error}", stacklevel=2)

    def _plan(self, model: nn.Module, optimizer: Any) -> Plan | None:
        """Read the plan; None where this process, or the first of a group of them, has just written it."""
        from optplan.constructors.live_optimizer import plan_from_optimizer
        from optplan.plan import Plan

        try:
            return Plan.from_json(self.path.read_bytes())
        except FileNotFoundError:
            if self.if_missing == "raise":
                raise PlanError(
                    f"there is no plan {str(self.path)!r}",
                    hint="save one with optplan show --format json, or pass if_missing='write'",
                ) from None
        except OSError as error:
            raise PlanError(f"cannot read {str(self.path)!r}: {error.strerror or error}") from None
        text = plan_from_optimizer(model, optimizer).to_json()
        if _is_first_process():
            write_whole(self.path, text, makes_folder=True)
        return None

    # What the trainers call once models and optimizers are as they will be trained, on resume as well.

    def on_train_begin(self, *_: Any, model: Any, optimizer: Any, **__: Any) -> None:
        """Compare, when called by ``transformers.Trainer``."""
        self(model, optimizer)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Compare, when called by Lightning."""
        optimizers = trainer.optimizers
        self(pl_module, optimizers[0] if len(optimizers) == 1 else optimizers)

    def before_train(self, runner: Any) -> None:
        """Compare, when called by mmengine."""
        self(runner.model, runner.optim_wrapper)

    # Events that two trainers call alike, with arguments of their own.

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


def _require_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def _loaded_bases() -> tuple[type, ...]:
    """Return the callback classes of the trainers that are imported already."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in _BASES)
    return tuple(one for one in found if isinstance(one, type))


@cache
def _with_bases(cls: Any, bases: tuple[type, ...]) -> Any:
    bases = tuple(base for base in bases if not issubclass(cls, base))
    return type(cls.__name__, (cls, *bases), {"__module__": cls.__module__}) if bases else cls


def _is_first_process() -> bool:
    from torch import distributed

    is_several = distributed.is_available() and distributed.is_initialized()
    return not is_several or distributed.get_rank() == 0
