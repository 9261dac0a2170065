"""The second oracle: each parameter against a published formula, given the plan's values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from optplan.verify.formulas import Formula
from optplan.verify.hooks import without_global_hooks
from optplan.verify.judging import EXACT_ROUNDINGS, EXACT_SHARE
from optplan.verify.planned_groups import PlannedValues, values_key
from optplan.verify.program import Program
from optplan.verify.runs import Trace, looked_at
from optplan.verify.seeded import SeededTensors, exact_dtype
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import Param, block_noise, digest, own_part, put_gradient

# How many elements are stepped at once at most.
_CHUNK = 1 << 22
_MOST_TENSORS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Where a formula moves one parameter.

    Args:
        held: The parameter.
        start, end: Its whole value before and after.
        first: The first step after which the real run was elsewhere; None where there is none.
        digests: Of its value at the start and after each step.
    """

    held: PlannedTensor
    start: Tensor
    end: Tensor
    first: int | None
    digests: tuple[Tensor, ...]


class FormulaOracle:
    """Steps parameters by formulas as a run stepped them really.

    Args:
        subject: The parameters.
        draws: Values and gradients of the run.
        program: Its steps.
        tail: The parameters that have gradients in its tail.
    """

    def __init__(
        self,
        subject: ModelUnderTest,
        draws: SeededTensors,
        program: Program,
        tail: Iterable[PlannedTensor],
    ) -> None:
        self.program = program
        self._subject = subject
        self._draws = draws
        self._tail = {held.name for held in tail}
        self._values = PlannedValues(subject)
        self._norms: dict[int, list[float]] = {}

    def values(self, held: PlannedTensor) -> dict[str, Any]:
        """Return the entries that a parameter's group has by the plan."""
        return self._values.entries(held)

    def expected(
        self,
        members: Sequence[PlannedTensor],
        formula: Formula,
        trace: Trace,
        *,
        change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        program: Program | None = None,
        watches: bool = True,
    ) -> Iterator[Expected]:
        """Yield where each parameter should be, stepped in small batches.

        Args:
            members: The parameters.
            formula: What steps them.
            trace: The run, for the first step that departs.
            change: Changes the planned entries, to see what the real run looks like.
            program: Other steps than those of the run.
            watches: Look at each step; else at the last ones alone, which takes half of the time.
        """
        chosen = program or self.program
        for chunk, values in self._chunks(members, change or dict):
            with without_global_hooks():
                yield from _Chunk(self, chunk, formula, values, chosen).run(trace, watches=watches)

    def tensor_lr(self, held: PlannedTensor) -> Tensor | None:
        """Return the tensor in which the real group of a parameter keeps its lr."""
        return self._values.tensor_lr(held)

    def gradient(self, held: PlannedTensor, step: int) -> Tensor | None:
        """Return the gradient of a parameter in a step."""
        if not held.tensor.requires_grad:
            return None
        if self.program.is_zero(step):
            return torch.zeros_like(self._draws.gradient(held, 0))
        if step >= self.program.full and held.name not in self._tail:
            return None
        return self._draws.gradient(held, step)

    def start(self, held: PlannedTensor) -> Tensor:
        """Return the value that a parameter begins with, whole."""
        return self._draws.value(held)

    def dtype(self, held: PlannedTensor, formula: Formula) -> torch.dtype:
        """Return the dtype that it is stepped in: float64, unless the formula rounds to less in any case."""
        dtype = self._draws.dtypes[held.name]
        return dtype if formula.rounds else exact_dtype(dtype)

    def norm(self, optimizer: int, step: int) -> float:
        """Return the norm of all gradients of an optimizer in a step."""
        if optimizer not in self._norms:
            self._norms[optimizer] = [
                sum(self._squares(optimizer, number)) ** 0.5 for number in range(self.program.total)
            ]
        return self._norms[optimizer][step]

    def _squares(self, optimizer: int, step: int) -> Iterator[float]:
        for held in self._subject.stepped:
            if held.row.optimizer == optimizer:
                gradient = self.gradient(held, step)
                if gradient is not None:
                    yield float(gradient.abs().square().sum())

    def _chunks(
        self, members: Iterable[PlannedTensor], change: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Iterator[tuple[list[PlannedTensor], dict[str, Any]]]:
        by_values: dict[Any, tuple[dict[str, Any], list[PlannedTensor]]] = {}
        for held in members:
            values = change(self.values(held))
            is_tensor = self._values.tensor_lr(held) is not None
            place = held.row.setting, held.name in self._tail, is_tensor, held.tensor.dtype
            key = values_key(values), place
            by_values.setdefault(key, (values, []))[1].append(held)
        for values, alike in by_values.values():
            chunk: list[PlannedTensor] = []
            for held in alike:
                size = sum(one.tensor.numel() for one in chunk) + held.tensor.numel()
                if chunk and (size > _CHUNK or len(chunk) >= _MOST_TENSORS):
                    yield chunk, values
                    chunk = []
                chunk.append(held)
            yield chunk, values


class _Chunk:
    """Parameters of one group, stepped by a formula."""

    def __init__(
        self,
        oracle: FormulaOracle,
        members: Sequence[PlannedTensor],
        formula: Formula,
        values: Mapping[str, Any],
        program: Program,
    ) -> None:
        self._oracle = oracle
        self._members = members
        self._program = program
        self._values = values
        self._starts = [oracle.start(held) for held in members]
        self._parameters = [
            _stand_in(held, start, oracle.dtype(held, formula))
            for held, start in zip(members, self._starts, strict=True)
        ]
        self._optimizer = formula.optimizer(self._parameters, values)
        self._reads_all = formula.reads_all
        self._is_decoupled = formula.is_decoupled
        self._tensor_lr = oracle.tensor_lr(members[0])
        self._digests: list[list[Tensor]] = [[] for _ in members]
        self._first: dict[str, int] = {}
        self._reach: dict[str, float] = defaultdict(float)

    def run(self, trace: Trace, *, watches: bool) -> Iterator[Expected]:
        looks = {held.name: dict(looked_at(trace, held.name)) for held in self._members}
        for index in range(len(self._members)):
            self._digests[index].append(self._digest(index))
        for step in range(self._program.total):
            if self._program.is_resumed(step):  # torch casts what it loads
                self._optimizer.load_state_dict(self._optimizer.state_dict())
            if not self._step(step):
                break
            if not watches and step < self._program.whole - 1:
                continue
            for index, held in enumerate(self._members):
                real = looks[held.name].get(step)
                if real is not None:
                    self._digests[index].append(self._digest(index))
                    self._compare(held, step, real, self._digests[index])
        for index, held in enumerate(self._members):
            yield Expected(
                held=held,
                start=self._starts[index],
                end=self._parameters[index].detach(),
                first=self._first.get(held.name),
                digests=tuple(self._digests[index]),
            )

    def _step(self, step: int) -> bool:
        """Do a step; False where there is no gradient any more."""
        any_gradient = False
        for held, parameter in zip(self._members, self._parameters, strict=True):
            gradient = self._oracle.gradient(held, step)
            any_gradient = any_gradient or gradient is not None
            put_gradient(parameter, gradient)
        (group,) = self._optimizer.param_groups
        setting = self._members[0].row.setting
        if "lr" in group and self._values.get("lr") is not None:
            chosen = 0 if self._tensor_lr is not None else setting
            lr = self._values["lr"] * self._program.lr_factor(chosen, step)
            group["lr"] = lr if self._tensor_lr is None else torch.full_like(self._tensor_lr, lr)
        if decay := self._values.get("weight_decay"):
            decay *= self._program.decay_factor(setting, step)
            if self._is_decoupled:
                self._shrink(1 - group["lr"] * decay)
            elif "weight_decay" in group:
                group["weight_decay"] = decay
        if self._reads_all:
            number = self._members[0].row.optimizer or 0
            setattr(self._optimizer, "norm", self._oracle.norm(number, step))  # noqa: B010
        if any_gradient:
            self._optimizer.step()
        return any_gradient

    @torch.no_grad()
    def _shrink(self, factor: float) -> None:
        for parameter in self._parameters:
            if parameter.grad is not None:
                parameter.mul_(factor)

    def _digest(self, index: int) -> Tensor:
        held = self._members[index]
        return digest(own_part(self._parameters[index].detach(), held.tensor))

    def _compare(
        self, held: PlannedTensor, step: int, real: Tensor, digests: Sequence[Tensor]
    ) -> None:
        begin, mine = digests[0], digests[-1]
        if not mine.numel() or held.name in self._first:
            return
        way = float((mine - begin).abs().max())
        self._reach[held.name] = max(self._reach[held.name], way)
        allowed = allowed_error(held, self._reach[held.name])
        error = float((real - mine).abs().max())
        if not error <= allowed:  # also where one of them is no number
            self._first[held.name] = step


def allowed_error(held: PlannedTensor, reach: float) -> float:
    """Return how far digests of the same values may be apart in float64."""
    noise = block_noise(held.tensor.numel())
    size = 2.0 * noise
    return EXACT_ROUNDINGS * torch.finfo(torch.float64).eps * size + EXACT_SHARE * reach


def _stand_in(held: PlannedTensor, start: Tensor, dtype: torch.dtype) -> Param:
    """Return a parameter to step, with a copy of the value and whatever the user's code has written on the real one."""
    value = start.to(device=held.tensor.device, dtype=dtype, copy=True)
    return torch.nn.Parameter(value)


def changed_entries(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what changes planned entries to other values."""
    return lambda entries: {**entries, **values}


def as_built(program: Program) -> Program:
    """Return the program of an optimizer that never sees later changes of its groups."""
    return replace(program, changes=False)
