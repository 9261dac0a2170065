"""Say what happens in each step of a run: which gradients, which lr, a state saved and loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.errors import listed

# Factors of lr and weight decay, as schedulers set them after construction; another one for each setting.
_LR_FACTORS = (0.5, 0.25, 1.25, 0.75, 0.125)
_DECAY_FACTORS = (0.75, 1.5, 0.5)
_FIRST_CHANGE = 2
_RESUME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The steps of a run; the first two have the planned values.

    Args:
        full: Steps in which every parameter has a gradient.
        tail: Further steps in which a sample of the parameters has one.
        changes: Whether lr and weight decay are changed from the third step on.
        resumes: Whether the state is saved and loaded into a new optimizer before the fourth step.
        is_uniform: Whether all settings are changed alike.
        has_graph: Whether gradients can be differentiated again.
        has_closures: Whether each step is given a closure that computes the gradients.
        has_zeros: Whether a step follows them in which every gradient is 0.
    """

    full: int
    tail: int = 0
    changes: bool = True
    resumes: bool = False
    is_uniform: bool = False
    has_graph: bool = False
    has_closures: bool = False
    has_zeros: bool = False

    @property
    def total(self) -> int:
        """All steps."""
        return self.whole + self.tail

    @property
    def whole(self) -> int:
        """Steps in which every parameter has a gradient, be it 0."""
        return self.full + self.has_zeros

    def is_zero(self, step: int) -> bool:
        """Return whether every gradient of a step is 0."""
        return self.has_zeros and step == self.full

    def is_resumed(self, step: int) -> bool:
        """Return whether the state is saved and loaded before a step."""
        return self.resumes and step == _RESUME

    def lr_factor(self, setting: int | None, step: int) -> float:
        """Return what the lr of a setting is multiplied by in a step."""
        return self._factor(_LR_FACTORS, setting, step)

    def decay_factor(self, setting: int | None, step: int) -> float:
        """Return what the weight decay of a setting is multiplied by in a step."""
        return self._factor(_DECAY_FACTORS, setting, step)

    def _factor(self, factors: tuple[float, ...], setting: int | None, step: int) -> float:
        if not self.changes or step < _FIRST_CHANGE:
            return 1.0
        shift = 0 if self.is_uniform else setting or 0
        return factors[(step + shift) % len(factors)]

    def weaker(self) -> Iterator[Program]:
        """Yield this and what optimizers may take that refuse it."""
        yield self
        yield replace(self, has_zeros=False)
        yield replace(self, is_uniform=True)
        yield replace(self, changes=False)
        yield replace(self, has_graph=True)
        yield replace(self, has_closures=True)


def left_out(asked: Program, taken: Program) -> str | None:
    """Return what of the steps that were asked for is not tried, in words; None for nothing."""
    missing = [
        text for name, text in _PARTS.items() if getattr(asked, name) is not getattr(taken, name)
    ]
    if not missing:
        return None
    return f"not tried, since the class itself fails in it: {listed(missing)}"


_PARTS = {
    "has_zeros": "a step in which every gradient is 0",
    "is_uniform": "changes of lr and weight decay that differ from setting to setting",
    "changes": "changes of lr and weight decay during the run",
}


def when(step: int, program: Program) -> str:
    """Return what is new in a step, for a message about the first step that departs."""
    text = f"from step {step + 1} on"
    if step == 0:
        return ""
    if program.is_resumed(step):
        return f"{text}, after its state was saved and loaded"
    if program.changes and step == _FIRST_CHANGE:
        return f"{text}, after lr and weight decay were changed as a scheduler does"
    return text


def set_value(group: dict[str, Any], name: str, value: float) -> None:
    """Write a value into a group as torch's schedulers do: into a tensor in place."""
    if isinstance(old := group[name], torch.Tensor):
        old.fill_(value)
    else:
        group[name] = value


class GroupValues:
    """The lr and weight decay that the groups of an optimizer were made with, to be changed step by step.

    Args:
        optimizer: The optimizer.
        settings: The setting of each group.
    """

    def __init__(self, optimizer: Optimizer, settings: tuple[int | None, ...]) -> None:
        self._settings = settings
        self._start = [_numbers(group) for group in optimizer.param_groups]

    def apply(self, optimizer: Optimizer, program: Program, step: int) -> None:
        """Give each group the values of a step."""
        if step < _FIRST_CHANGE or not program.changes:
            return
        groups = zip(optimizer.param_groups, self._start, self._settings, strict=False)
        for group, start, setting in groups:
            # groups may share one tensor
            chosen = 0 if isinstance(group.get("lr"), torch.Tensor) else setting
            if "lr" in start:
                set_value(group, "lr", start["lr"] * program.lr_factor(chosen, step))
            if "weight_decay" in start:
                decay = start["weight_decay"] * program.decay_factor(setting, step)
                set_value(group, "weight_decay", decay)


def changed_values(before: Sequence[Mapping[str, Any]], optimizer: Optimizer) -> dict[str, str]:
    """Return which entries of groups are others than they were: in words, by their names."""
    found: dict[str, str] = {}
    for index, (old, now) in enumerate(zip(before, values_of(optimizer), strict=False)):
        for name, value in old.items():
            if name in now and now[name] != value:
                found.setdefault(
                    name, f"{name} of group {index} {_text(value)} → {_text(now[name])}"
                )
    return found


def values_of(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the numbers in each group, those of tensors among them."""
    return [
        {name: value for name, value in group.items() if isinstance(value, int | float | tuple)}
        | _numbers(group)
        for group in optimizer.param_groups
    ]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _numbers(group: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(group[name]) for name in ("lr", "weight_decay") if _is_number(group, name)}


def _is_number(group: Mapping[str, Any], name: str) -> bool:
    value = group.get(name)
    if isinstance(value, torch.Tensor):
        return value.numel() == 1
    return isinstance(value, int | float) and not isinstance(value, bool)
