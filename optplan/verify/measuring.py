"""Measure the lr and weight decay that each parameter got, where its optimizer's formula shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from optplan.verify.families import MatchedFormula, own_rule
from optplan.verify.formulas import Formula
from optplan.verify.hooks import without_global_hooks
from optplan.verify.planned_groups import PlannedValues, values_key
from optplan.verify.program import set_value
from optplan.verify.results import Measured
from optplan.verify.seeded import SeededTensors
from optplan.verify.stepping import failure_of, set_train_mode, wants_closure
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import Param, digest, local, own_part, put_gradient, put_value

# A formula whose movement is that proportional to a value shows the value.
_LINEAR = 1e-6
_MOST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A step that shows one value and nothing else.

    Args:
        value: ``lr`` or ``weight_decay``.
        has_gradient: Whether the gradient is other than 0.
        without_decay: Whether weight decay is 0 meanwhile.
    """

    value: str
    has_gradient: bool
    without_decay: bool


_LR = _Trial(value="lr", has_gradient=True, without_decay=True)
_DECAY = _Trial(value="weight_decay", has_gradient=False, without_decay=False)


def measure(
    fresh: Callable[[], ModelUnderTest],
    draws: SeededTensors,
    families: Mapping[int, MatchedFormula],
) -> dict[str, Measured]:
    """Return what each parameter was seen to get.

    The lr by one step without decay, the decay by one step with a gradient of 0, each from a fresh state,
    in float64: how far the real optimizer goes against how far its formula goes with a known value.

    Args:
        fresh: Makes the subject, in float64.
        draws: Values and gradients.
        families: The formulas by the optimizers' numbers. Where there is none, a value counts as seen if twice
            the value in the group makes the way twice as long.
    """
    rates = dict(_seen(fresh, draws, _LR, families, {}))
    decays = dict(_seen(fresh, draws, _DECAY, families, rates))
    return {
        name: Measured(lr=rates.get(name), weight_decay=decays.get(name))
        for name in dict.fromkeys([*rates, *decays])
    }


def _seen(
    fresh: Callable[[], ModelUnderTest],
    draws: SeededTensors,
    trial: _Trial,
    families: Mapping[int, MatchedFormula],
    rates: Mapping[str, float],
) -> Iterator[tuple[str, float]]:
    subject = fresh()
    failed = _step(subject, draws, trial)
    reference = _Reference(subject, draws, trial)
    unknown: list[PlannedTensor] = []
    for held in subject.stepped:
        family = families.get(-1 if held.row.optimizer is None else held.row.optimizer)
        if held.row.optimizer in failed or family is None or not _is_measurable(held, trial):
            continue
        if family.formula is None or own_rule(held, family):
            unknown.append(held)
        elif not family.formula.reads_all:
            value = reference.value(held, family.formula, rates.get(held.name))
            if value is not None:
                yield held.name, value
    if unknown:
        yield from _doubled(fresh, draws, trial, unknown)


def _doubled(
    fresh: Callable[[], ModelUnderTest],
    draws: SeededTensors,
    trial: _Trial,
    members: Sequence[PlannedTensor],
) -> Iterator[tuple[str, float]]:
    """Yield the values of parameters whose way is proportional to the value in their group."""
    ways = []
    for factor in (1.0, 2.0):
        subject = fresh()
        _step(subject, draws, trial, factor)
        begins = {held.name: digest(own_part(draws.value(held), held.tensor)) for held in members}
        by_name = subject.tensors
        ways.append({name: digest(by_name[name]) - begin for name, begin in begins.items()})
    for held in members:
        once, twice = ways[0][held.name], ways[1][held.name]
        length = float(once.abs().max()) if once.numel() else 0.0
        error = float((twice - 2 * once).abs().max()) if once.numel() else 0.0
        planned = held.row.lr if trial.value == "lr" else held.row.weight_decay
        if planned is not None and bool(length) is bool(planned) and error <= _LINEAR * length:
            yield held.name, planned


def _is_measurable(held: PlannedTensor, trial: _Trial) -> bool:
    row = held.row
    has_value = trial.value == "lr" or (row.weight_decay is not None and bool(row.lr))
    return has_value and row.requires_grad and held.tensor.requires_grad and held.tensor.numel() > 0


def _step(
    subject: ModelUnderTest, draws: SeededTensors, trial: _Trial, factor: float = 1.0
) -> set[int]:
    """Do the step, with a multiple of the value; return the numbers of the optimizers that raise."""
    for held in subject.stepped:
        put_value(held.tensor, draws.value(held), draws.dtypes[held.name])
        if held.tensor.requires_grad:
            put_gradient(held.tensor, _gradient(held, draws, trial))
    failed = set()
    for number, named in enumerate(subject.optimizers):
        set_train_mode(named.optimizer)
        if wants_closure(named.optimizer):
            failed.add(number)
            continue
        for group in named.optimizer.param_groups:
            if trial.without_decay and group.get("weight_decay"):
                set_value(group, "weight_decay", 0.0)
            if factor != 1.0 and isinstance(group.get(trial.value), float | torch.Tensor):
                set_value(group, trial.value, float(group[trial.value]) * factor)
        if failure_of(named.optimizer.step) is not None:
            failed.add(number)
    for held in subject.stepped:
        held.tensor.grad = None
    return failed


def _gradient(held: PlannedTensor, draws: SeededTensors, trial: _Trial) -> Tensor:
    drawn = draws.gradient(held, 0)
    return drawn if trial.has_gradient else torch.zeros_like(drawn)


class _Reference:
    """One step of formulas with known values."""

    def __init__(self, subject: ModelUnderTest, draws: SeededTensors, trial: _Trial) -> None:
        self._values = PlannedValues(subject)
        self._draws = draws
        self._trial = trial
        self._shown: dict[Any, bool] = {}

    def value(self, held: PlannedTensor, formula: Formula, rate: float | None) -> float | None:
        """Return the value that explains how far a parameter went; None where its way does not show it."""
        values = self._values.entries(held)
        planned = values.get(self._trial.value) or _MOST
        if self._trial.without_decay:
            values |= {"weight_decay": 0.0} if "weight_decay" in values else {}
        elif rate is not None and rate > 0:
            values["lr"] = rate
        if not self._shows(held, formula, values, planned):
            return None
        start = self._draws.value(held)
        mine = own_part(start, held.tensor)
        if not mine.numel():
            return None
        whole = self._way(held, formula, values, planned, start)
        moved = local(held.tensor.detach()).cpu().to(mine.dtype) - mine
        return planned * _share(moved, own_part(whole, held.tensor))

    def _way(
        self,
        held: PlannedTensor,
        formula: Formula,
        values: Mapping[str, Any],
        value: float,
        start: Tensor,
    ) -> Tensor:
        parameter = Param(start.clone())
        values = {**values, self._trial.value: value}
        optimizer = formula.optimizer([parameter], values)
        if formula.is_decoupled and values.get("weight_decay"):
            parameter.data.mul_(1 - values["lr"] * values["weight_decay"])
        put_gradient(parameter, _gradient(held, self._draws, self._trial))
        with without_global_hooks():
            optimizer.step()
        return parameter.detach() - start

    def _shows(
        self, held: PlannedTensor, formula: Formula, values: Mapping[str, Any], value: float
    ) -> bool:
        """Return whether the formula moves such a parameter in proportion to the value."""
        others = {name: one for name, one in values.items() if name not in ("lr", "weight_decay")}
        key = formula.name, held.tensor.ndim, values_key(others)
        if key not in self._shown:
            self._shown[key] = self._is_linear(held, formula, values, value)
        return self._shown[key]

    def _is_linear(
        self, held: PlannedTensor, formula: Formula, values: Mapping[str, Any], value: float
    ) -> bool:
        found: list[Tensor] = []
        start = self._draws.value(held)

        def run() -> None:
            found.extend(self._way(held, formula, values, one, start) for one in (value, value / 2))

        if failure_of(run) is not None:
            return False
        whole, half = found
        step = float(whole.abs().max())
        error = float((half * 2 - whole).abs().max())
        return step > 0 and abs(_share(half, whole) - 0.5) < _LINEAR and error < _LINEAR * step


def _share(way: Tensor, whole: Tensor) -> float:
    """Return how much of a way another is."""
    length = float((whole.conj() * whole).real.sum())
    return float((whole.conj() * way).real.sum()) / length if length else 0.0
