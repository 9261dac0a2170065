"""Hold what is verified: a module, the real optimizers on it, and the plan that they are compared with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.optim import Optimizer

from optplan.names import Status
from optplan.plan import Plan, PlannedParameter
from optplan.verify.tensors import Param


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedOptimizer:
    """One real optimizer; the name is that of its section where there are several."""

    name: str | None
    optimizer: Optimizer

    @property
    def inner(self) -> Optimizer:
        """The optimizer that does the steps: its own, or the one that it shards."""
        outer = self.optimizer
        return outer.optim if isinstance(outer, ZeroRedundancyOptimizer) else outer


def arguments_of(real: Optimizer) -> dict[str, Any]:
    """Return what of an optimizer's values for all its groups its class takes as an argument."""
    takes = set(inspect.signature(type(real)).parameters)
    return {name: value for name, value in real.defaults.items() if name in takes}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTensor:
    """A tensor of the model with its row of the plan."""

    row: PlannedParameter
    tensor: Param

    @property
    def name(self) -> str:
        """The name that carries the tensor."""
        return self.row.name

    @property
    def takes_gradient(self) -> bool:
        """Whether a backward gives it one."""
        return self.tensor.requires_grad


@dataclass(frozen=True, kw_only=True)
class ModelUnderTest:
    """One model with the optimizers on it.

    Args:
        module: The model itself, inside whatever wraps it.
        engine: What is called for a forward: the model, or its wrapper.
        plan: What the optimizers are held against.
        optimizers: In the plan's order.
        sample: The names of the tensors that are stepped where memory does not hold all; None for all.
    """

    module: nn.Module
    engine: nn.Module
    plan: Plan
    optimizers: tuple[NamedOptimizer, ...]
    sample: frozenset[str] | None = None

    @cached_property
    def tensors(self) -> Mapping[str, Param]:
        """The model's parameters by every name they have."""
        return dict(nn.Module.named_parameters(self.module, remove_duplicate=False))

    @cached_property
    def held(self) -> tuple[PlannedTensor, ...]:
        """The rows that carry a tensor which the model has."""
        return tuple(
            PlannedTensor(row=row, tensor=self.tensors[row.name])
            for row in self.plan.parameters
            if row.status is not Status.DUPLICATE and row.name in self.tensors
        )

    @cached_property
    def stepped(self) -> tuple[PlannedTensor, ...]:
        """Those among them that can be, and are in the sample: the others hold whole numbers."""
        return tuple(
            held
            for held in self.held
            if (held.tensor.is_floating_point() or held.tensor.is_complex())
            and (self.sample is None or held.name in self.sample)
        )

    @cached_property
    def names(self) -> Mapping[int, str]:
        """The name that carries a tensor, by the tensor's ``id``."""
        first = {id(tensor): name for name, tensor in reversed(list(self.tensors.items()))}
        return first | {id(held.tensor): held.name for held in self.held}

    def own(self, optimizer: int) -> Sequence[PlannedTensor]:
        """Return the tensors that the plan gives to an optimizer."""
        return [held for held in self.held if held.row.optimizer == optimizer]
