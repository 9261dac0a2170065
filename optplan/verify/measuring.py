"""The lr and weight decay that the real optimizer was seen to use, where its update shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from optplan.plan import hashable
from optplan.verify.attempts import what_it_says
from optplan.verify.reference import UpdateRule, alone, rule_of
from optplan.verify.results import Measured
from optplan.verify.seeded import Draws
from optplan.verify.stepping import Gradients, take_steps
from optplan.verify.subject import Held, Subject
from optplan.verify.tensors import local, own_part, put_value

# A class whose movement is that proportional to a value shows the value.
_LINEAR = 1e-6
_MOST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A step that shows one value and nothing else.

    Args:
        value: ``lr`` or ``weight_decay``.
        alters: What the group must hold meanwhile.
        gradient: Whether there is one.
    """

    value: str
    alters: dict[str, float]
    gradient: bool


_LR = _Trial(value="lr", alters={"weight_decay": 0.0}, gradient=True)
_DECAY = _Trial(value="weight_decay", alters={}, gradient=False)


def measure(
    fresh: Callable[[], Subject], draws: Draws, coupled: frozenset[int]
) -> dict[str, Measured]:
    """What each parameter was seen to get.

    The lr by one step without decay, the decay by one step without gradient, each from a fresh state, in
    float64: how far the real optimizer goes against how far its class goes alone, with a known value.

    Args:
        fresh: Makes the subject, in float64.
        draws: Values and gradients.
        coupled: Optimizers whose parameters depend on one another, which shows nothing of one.
    """
    rates = dict(_seen(fresh(), draws, _LR, coupled, {}))
    decays = dict(_seen(fresh(), draws, _DECAY, coupled, rates))
    return {
        name: Measured(lr=rates.get(name), weight_decay=decays.get(name))
        for name in (*rates, *(name for name in decays if name not in rates))
    }


def _seen(
    subject: Subject,
    draws: Draws,
    trial: _Trial,
    coupled: frozenset[int],
    rates: Mapping[str, float],
) -> Iterator[tuple[str, float]]:
    """The value of each parameter on which it shows, where the lr is what was seen of it."""
    measurable = [
        held
        for held in subject.stepped
        if held.row.optimizer is not None
        and held.row.optimizer < len(subject.optimizers)
        and held.row.optimizer not in coupled
        and held.row.requires_grad
        and held.tensor.requires_grad
        and held.tensor.numel()
        and (trial.value == "lr" or held.row.weight_decay is not None)
    ]
    failed = _step(subject, draws, trial)
    shown: dict[Any, bool] = {}
    for held in measurable:
        if held.row.optimizer in failed:
            continue
        rule = rule_of(subject, held)
        if rate := rates.get(held.name):
            rule = rule.changed(lr=rate)
        kind = _kind(held, rule)
        if kind not in shown:
            shown[kind] = _shows(held, rule, draws, trial)
        if shown[kind] and (value := _value(held, rule, draws, trial)) is not None:
            yield held.name, value


def _step(subject: Subject, draws: Draws, trial: _Trial) -> set[int]:
    """Do the step; the numbers of the optimizers that raise."""
    held = {one.name: one for one in subject.stepped}
    for one in held.values():
        put_value(one.tensor, draws.value(one), draws.dtypes[one.name])
    for named in subject.optimizers:
        for group in named.optimizer.param_groups:
            group.update({k: v for k, v in trial.alters.items() if k in group})
    trainable = [(name, one.tensor) for name, one in held.items() if one.tensor.requires_grad]
    gradients: Gradients = lambda name, step: _gradient(held[name], draws, trial, step)  # noqa: E731
    return {
        number
        for number, named in enumerate(subject.optimizers)
        if what_it_says(partial(take_steps, [named.optimizer], trainable, gradients, 1)) is not None
    }


def _gradient(held: Held, draws: Draws, trial: _Trial, step: int) -> Tensor:
    drawn = draws.gradient(held, step)
    return drawn if trial.gradient else torch.zeros_like(drawn)


def _kind(held: Held, rule: UpdateRule) -> Any:
    """What decides whether a value shows: the class, its other values, and how many dimensions there are."""
    others = {n: repr(v) for n, v in rule.arguments.items() if n not in ("lr", "weight_decay")}
    return held.row.optimizer, held.tensor.ndim, hashable(others), hashable(held.row.extra)


def _known(held: Held, trial: _Trial) -> float:
    """The value of the reference: the plan's, or one where the plan's shows nothing."""
    planned = held.row.lr if trial.value == "lr" else held.row.weight_decay
    return planned or _MOST


def _reference(
    held: Held, rule: UpdateRule, draws: Draws, trial: _Trial, value: float
) -> tuple[Tensor, Tensor]:
    """Where the parameter begins, and where it ends alone with a known value."""
    alters = {k: v for k, v in trial.alters.items() if held.row.weight_decay is not None}
    changed = rule.changed(**{**alters, trial.value: value})
    if trial.value != "lr" and not held.row.lr:
        changed = changed.changed(lr=_MOST)
    start = draws.value(held)
    gradients: Gradients = lambda _, step: _gradient(held, draws, trial, step)  # noqa: E731
    return start, alone(changed, start, gradients, 1)


def _shows(held: Held, rule: UpdateRule, draws: Draws, trial: _Trial) -> bool:
    """Whether the class moves a parameter in proportion to the value."""
    found: list[float] = []

    def run() -> None:
        value = _known(held, trial)
        start, whole = _reference(held, rule, draws, trial, value)
        _, half = _reference(held, rule, draws, trial, value / 2)
        found.append(_share(half - start, whole - start))
        found.append(float(((half - start) * 2 - (whole - start)).abs().max()))
        found.append(float((whole - start).abs().max()))

    if what_it_says(run) is not None or not found:
        return False
    share, error, step = found
    return step > 0 and abs(share - 0.5) < _LINEAR and error < _LINEAR * step


def _value(held: Held, rule: UpdateRule, draws: Draws, trial: _Trial) -> float | None:
    """The value that explains how far the parameter went."""
    if trial.value != "lr" and not held.row.lr:
        return None  # what does not move shows no decay
    known = _known(held, trial)
    start, end = _reference(held, rule, draws, trial, known)
    mine = own_part(start, held.tensor)
    if not mine.numel():
        return None
    moved = local(held.tensor.detach()).cpu().to(mine.dtype) - mine
    return known * _share(moved, own_part(end, held.tensor) - mine)


def _share(way: Tensor, whole: Tensor) -> float:
    """How much of a way another is."""
    length = float((whole.conj() * whole).real.sum())
    return float((whole.conj() * way).real.sum()) / length if length else 0.0
