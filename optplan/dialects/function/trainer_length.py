"""How long Lightning's Trainer trains: the installed one is asked."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optplan.config import place_of
from optplan.errors import ConfigError, Problem, ScheduleError, UsageError
from optplan.runtime.installed import find_installed
from optplan.runtime.stdio import suppress_output

if TYPE_CHECKING:
    from optplan.schedule import Training

# The arguments of a trainer that its length depends on.
ARGUMENTS = (
    "max_epochs", "max_steps", "max_time", "accumulate_grad_batches", "limit_train_batches",
    "overfit_batches", "fast_dev_run",
)  # fmt: skip
# What it answers; the second is known once it has been asked for the first.
_ANSWERS = (
    "estimated_stepping_batches", "num_training_batches", "max_epochs", "max_steps",
    "accumulate_grad_batches",
)  # fmt: skip
# Where either package has its Trainer.
_HOMES = ("lightning.pytorch", "pytorch_lightning")
_QUIET = (
    "logger",
    "enable_checkpointing",
    "enable_progress_bar",
    "enable_model_summary",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerLength:
    """What a trainer says of its length before it trains.

    Args:
        max_epochs: The most epochs; -1 for no limit.
        max_steps: The most steps of optimizers; -1 for no limit.
        accumulated: The batches of one step.
        batches: The batches of an epoch, after the trainer's limits; None where they are not known.
        per_epoch: The steps of an epoch; None where they are not known.
        estimated: Its ``estimated_stepping_batches``; None where that is not known.
    """

    max_epochs: int
    max_steps: int
    accumulated: int
    batches: int | None = None
    per_epoch: int | None = None
    estimated: int | None = None

    def answers(self) -> dict[str, int]:
        """Return what a module that asks its trainer is answered."""
        found = {
            "max_epochs": self.max_epochs,
            "max_steps": self.max_steps,
            "accumulate_grad_batches": self.accumulated,
            "num_training_batches": self.batches,
            "estimated_stepping_batches": self.estimated,
        }
        return {name: value for name, value in found.items() if value is not None}

    def training(self) -> Training:
        """Return the training, in which an iteration is a step.

        Raises:
            UsageError: It takes the batches of an epoch, or has no end.
        """
        from optplan.schedule.training import NoLengthError, Training, in_epochs

        if self.max_epochs == -1 and self.max_steps == -1:
            raise NoLengthError("max_epochs and max_steps are -1: it has no end")
        if self.per_epoch is None:
            if self.max_epochs == -1:
                return Training(by_epoch=False, length=self.max_steps)
            if self.max_steps != -1:
                raise UsageError(
                    f"which comes first, {self.max_epochs} epochs or {self.max_steps} steps?",
                    hint="give --iters-per-epoch N, the batches of an epoch",
                )
            return Training(by_epoch=True, length=self.max_epochs)
        steps = [] if self.max_steps == -1 else [self.max_steps]
        whole = [] if self.max_epochs == -1 else [self.max_epochs * self.per_epoch]
        found = in_epochs(min([*whole, *steps]), self.per_epoch)
        return replace(found, accumulated=self.accumulated, batches=self.batches)


def told_trainer(
    written: Mapping[str, Any], batches: int | None, *, epochs: int | None, iters: int | None
) -> TrainerLength | None:
    """Return what a trainer says of its length where the command line says one that counts instead.

    Args:
        written: Its arguments.
        batches: The batches of an epoch, before the trainer's own limits.
        epochs, iters: What the command line says.

    Returns:
        None where neither says how long it is.

    Raises:
        OptplanError: The trainer refuses what is said.
    """
    if epochs is not None and iters is not None:
        raise UsageError("--epochs and --iters: give one of them")
    if epochs is not None or iters is not None:
        limits = {"max_epochs": epochs or -1, "max_steps": iters or -1}
        rest = {name: written[name] for name in written if name not in (*limits, "max_time")}
        return trainer_length({**rest, **limits}, batches)
    _refuse_no_counts(written)
    if all(written.get(name) is None for name in ("max_epochs", "max_steps", "fast_dev_run")):
        return None
    return trainer_length(written, batches)


def trainer_length(written: Mapping[str, Any], batches: int | None) -> TrainerLength:
    """Return what the installed trainer says of its length.

    Args:
        written: Its arguments, of which others than :data:`ARGUMENTS` count for nothing.
        batches: The batches of an epoch, before the trainer's own limits.

    Raises:
        ConfigError: The trainer refuses its arguments.
    """
    given = {name: written[name] for name in ARGUMENTS if written.get(name) is not None}
    trainer = _asked(written, given, batches)
    found = TrainerLength(
        max_epochs=trainer["max_epochs"],
        max_steps=trainer["max_steps"],
        accumulated=trainer["accumulate_grad_batches"],
    )
    if batches is not None:
        # the steps of an epoch are those of one that nothing ends
        alone = _asked(written, {**given, "max_epochs": 1, "max_steps": -1}, batches)
        per_epoch = alone["estimated_stepping_batches"]
        if per_epoch < 1:
            raise _refused(written, given, "it trains no step")
        found = replace(found, per_epoch=per_epoch, batches=alone["num_training_batches"])
    if batches is not None or found.max_epochs == -1:
        estimated = trainer["estimated_stepping_batches"]
        found = replace(found, estimated=estimated if isinstance(estimated, int) else None)
    return found


def _refuse_no_counts(written: Mapping[str, Any]) -> None:
    """Refuse limits that are no counts, each with its place.

    Raises:
        ScheduleError: There is one.
    """
    from optplan.schedule.training import count_in

    problems: list[Problem] = []
    for name in ("max_epochs", "max_steps", "accumulate_grad_batches"):
        if written.get(name) not in (None, -1):
            try:
                count_in(written, name)
            except ScheduleError as error:
                problems += error.problems
    if problems:
        raise ScheduleError(problems)


def _asked(
    written: Mapping[str, Any], given: Mapping[str, Any], batches: int | None
) -> Mapping[str, Any]:
    """Return what a module that configures its optimizers is answered by a trainer, which then stops."""
    home = next((one for one in _HOMES if one in sys.modules), None)
    home = home or next((one for one in _HOMES if find_installed(one.partition(".")[0])), _HOMES[0])
    package: Any = importlib.import_module(home)
    environments: Any = importlib.import_module(f"{home}.plugins.environments")
    answers: dict[str, Any] = {}
    try:
        with suppress_output(), suppress(_AnsweredError):
            trainer = package.Trainer(
                **given,
                **dict.fromkeys(_QUIET, False),
                accelerator="cpu",
                devices=1,
                plugins=[environments.LightningEnvironment()],
            )
            loader = _Batches() if batches is None else _CountedBatches(batches)
            trainer.fit(_asking(package.LightningModule, answers), loader)
    except Exception as error:  # the library raises its own and Python's
        text = " ".join(str(error).split()) or type(error).__name__
        raise _refused(written, given, text) from error
    if not answers:
        raise _refused(written, given, "it trains no step")
    return answers


def _refused(written: Mapping[str, Any], given: Mapping[str, Any], text: str) -> ConfigError:
    name = next((one for one in given if one in text), next(iter(given), ""))
    return ConfigError(f"Lightning's Trainer refuses it: {text}", place=place_of(written, name))


class _AnsweredError(Exception):
    """A module has been answered, and needs no training."""


def _asking(base: Any, answers: dict[str, Any]) -> Any:
    """Return a module that notes what its trainer says, and ends the training before its first step."""

    class Asking(base):  # type: ignore[misc]
        def training_step(self, batch: object) -> None:
            """Make the trainer take it for one that trains."""

        def configure_optimizers(self) -> None:
            answers.update({name: getattr(self.trainer, name) for name in _ANSWERS})
            raise _AnsweredError

    return Asking()


class _Batches:
    """Batches of which nobody knows how many there are; none is ever taken."""

    def __iter__(self) -> Iterator[object]:
        return iter(())


class _CountedBatches(_Batches):
    """So many batches.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count
