"""Hold what a verification found: plain data, free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optplan.plan import Plan


class Parallel(StrEnum):
    """How several processes train one model."""

    DDP = "ddp"
    FSDP = "fsdp"
    ZERO = "zero"


class Movement(StrEnum):
    """How a parameter moved under the real optimizer's steps."""

    MOVED = "moved"  # as planned
    STILL = "still"  # as planned: its lr is 0, it is frozen, or in no group
    DEVIATES = "deviates"
    BELOW_RESOLUTION = "below resolution"
    UNCHECKED = "unchecked"


AS_PLANNED = frozenset({Movement.MOVED, Movement.STILL})
AGAINST_PLAN = frozenset({Movement.DEVIATES})
NOT_TOLD = frozenset({Movement.UNCHECKED, Movement.BELOW_RESOLUTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One thing in which the real groups are not the plan's.

    Args:
        what: ``lr``, ``weight_decay``, an option, ``group``, ``order``, ``coverage``, ...
        planned: What the plan says.
        built: What the real optimizer has.
        parameters: Whom it concerns; empty where it concerns the optimizer or the model as a whole.
    """

    what: str
    planned: Any
    built: Any
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementResult:
    """How one parameter moved in one dtype.

    Args:
        movement: The verdict.
        distance: How far it ended from where the reference did, as a share of the way.
        reason: Why it deviates or was not checked; '' for what went as planned.
    """

    movement: Movement
    distance: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The values that the real optimizer was seen to use; ``None`` where its update does not show them."""

    lr: float | None = None
    weight_decay: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterResult:
    """One tensor of the model under the name that carries it.

    Args:
        name: The name.
        optimizer, setting: As in the plan.
        lr, weight_decay: What the plan says.
        measured: What was seen.
        exact: Its movement in float64.
        trained: Its movement in the dtype of the training; ``None`` where that is float64 too.
        joint: It was held against a run of all parameters, since its optimizer couples them.
    """

    name: str
    optimizer: int | None
    setting: int | None
    lr: float | None
    weight_decay: float | None
    measured: Measured
    exact: MovementResult
    trained: MovementResult | None
    joint: bool = False

    @property
    def movements(self) -> tuple[MovementResult, ...]:
        """The verdicts of both dtypes."""
        return (self.exact,) if self.trained is None else (self.exact, self.trained)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealStep:
    """One batch through the model: forward, backward, step.

    Args:
        inputs: The shapes of the random batch.
        amp: The dtype of autocast, ``None`` without it.
        loss: The loss.
        without_gradient: Trainable parameters that the backward did not reach.
        unmoved: Parameters with an lr and a gradient that is not all zeros which did not change at all.
        changed_parameters: Parameters that changed though they are frozen or have lr 0.
        changed_buffers: Buffers that changed in parts of which every parameter is frozen or has lr 0.
    """

    inputs: tuple[tuple[int, ...], ...]
    amp: str | None
    loss: float
    without_gradient: tuple[str, ...]
    unmoved: tuple[str, ...]
    changed_parameters: tuple[str, ...]
    changed_buffers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRealStep:
    """Why there was none."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The cost of one way to make the optimizer.

    Args:
        merged: Whether groups of equal settings were made one.
        implementation: ``default``, ``foreach`` or ``fused``.
        groups: How many groups there were.
        seconds: Of one step.
        state_bytes: Of the optimizer's state, on this process.
    """

    merged: bool
    implementation: str
    groups: int
    seconds: float
    state_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step costs: every way that was timed, in turn, in one run.

    Args:
        timings: The first is the optimizer as it was built.
        peak_bytes: The most memory that the device's tensors took; ``None`` where it is not counted.
    """

    timings: tuple[Timing, ...]
    peak_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnvironment:
    """Where and how it was run.

    Args:
        device: As torch names it.
        chosen: How it came to be that one: '' where the user named it.
        dtypes: The dtypes of the training.
        steps: Steps per run.
        seed: What all values were drawn from.
        parallel: How several processes shared the work; ``None`` for one process.
        processes: How many there were.
    """

    device: str
    chosen: str
    dtypes: tuple[str, ...]
    steps: int
    seed: int
    parallel: Parallel | None = None
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The second oracle of an optimizer.

    Args:
        optimizer: The number of the optimizer.
        class_name: Its class.
        formula: The published formula that its parameters are held to; None where it follows none.
        reason: Why this one, or none.
    """

    optimizer: int
    class_name: str
    formula: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All that was found.

    Args:
        plan: What the real optimizer was held against.
        plan_source: The saved plan's path; ``None`` where the config made the plan.
        place: Where it was run.
        groups: How many groups the real optimizers have, together.
        mismatches: In what the real groups are not the plan's.
        parameters: Each tensor, in the model's order.
        coupled: Classes of optimizers whose parameters were held jointly, since no formula steps one alone.
        remarks: What else a reader should know.
        step: The real step, or why there was none.
        cost: What a step costs, if that was asked for.
        oracles: The formula of each optimizer.
        hooks: Functions that the user's code has put on optimizers, modules and tensors.
        wrappers: Classes around the optimizers whose own steps were not looked at.
    """

    plan: Plan
    plan_source: str | None
    place: RunEnvironment
    groups: int
    mismatches: tuple[Mismatch, ...]
    parameters: tuple[ParameterResult, ...]
    coupled: tuple[str, ...]
    remarks: tuple[str, ...]
    step: RealStep | NoRealStep
    cost: Cost | None
    oracles: tuple[Oracle, ...] = ()
    hooks: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()

    @property
    def against_plan(self) -> tuple[ParameterResult, ...]:
        """The parameters that did not move as planned."""
        return tuple(
            one for one in self.parameters if any(m.movement in AGAINST_PLAN for m in one.movements)
        )

    @property
    def unchecked(self) -> tuple[ParameterResult, ...]:
        """The parameters of which a movement could not be checked, in one dtype at least."""
        return tuple(
            one for one in self.parameters if any(m.movement in NOT_TOLD for m in one.movements)
        )

    @property
    def matches(self) -> bool:
        """Whether all that was checked is as planned."""
        moved_in_step = isinstance(self.step, RealStep) and self.step.changed_parameters
        return not (self.mismatches or self.against_plan or moved_in_step)


def count_movements(
    moved: Mapping[str, MovementResult] | tuple[MovementResult, ...],
) -> dict[Movement, int]:
    """Return how many parameters moved in each way."""
    counts = dict.fromkeys(Movement, 0)
    for one in moved.values() if isinstance(moved, Mapping) else moved:
        counts[one.movement] += 1
    return counts
