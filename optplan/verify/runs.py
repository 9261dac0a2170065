"""Real optimizers stepped through a program, and where each parameter was after each step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.optim import Optimizer

from optplan.runtime.progress_line import say_progress
from optplan.verify.hooks import without_global_hooks
from optplan.verify.program import GroupValues, Program, changed_values, values_of
from optplan.verify.seeded import SeededTensors, seed_all
from optplan.verify.stepping import Closure, failure_of, set_train_mode, wants_closure
from optplan.verify.subject import ModelUnderTest, NamedOptimizer, PlannedTensor
from optplan.verify.tensors import digest, local, own_part, put_gradient, put_graph

_SAMPLES = 16


@dataclass(kw_only=True)
class Trace:
    """What a run left.

    Attributes:
        digests: Of each parameter, by name: at the start and after each step that it was looked at.
        steps: The step before each digest; -1 for the start.
        failures: What optimizers raised, by their number.
        notes: What else happened to optimizers, by their number.
        overwritten: What a step, or loading a state, made of the groups' entries: by the optimizer's number, by
            the entry's name.
        changed_gradients: Parameters whose gradient a step left another than it was given.
        kept_gradients: Parameters whose gradient ``zero_grad`` left.
    """

    digests: dict[str, list[Tensor]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    overwritten: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    changed_gradients: set[str] = field(default_factory=set)
    kept_gradients: set[str] = field(default_factory=set)

    def is_finite(self) -> bool:
        """Return whether all parameters ended with finite values."""
        return all(bool(torch.isfinite(several[-1]).all()) for several in self.digests.values())

    def look(self, held: Iterable[PlannedTensor], step: int) -> None:
        """Keep digests of parameters."""
        for one in held:
            self.digests[one.name].append(digest(one.tensor))
            self.steps[one.name].append(step)


def samples(subject: ModelUnderTest) -> list[PlannedTensor]:
    """Return the smallest parameters of each setting and number of dimensions, a few of each optimizer."""
    smallest: dict[tuple[object, ...], PlannedTensor] = {}
    for held in subject.stepped:
        row = held.row
        key = row.optimizer, row.setting, held.tensor.ndim
        if row.optimizer is None or not held.takes_gradient or not held.tensor.numel():
            continue
        if key not in smallest or held.tensor.numel() < smallest[key].tensor.numel():
            smallest[key] = held
    found: dict[object, list[PlannedTensor]] = defaultdict(list)
    for held in sorted(smallest.values(), key=lambda one: one.tensor.numel()):
        found[held.row.optimizer].append(held)
    return [held for several in found.values() for held in several[:_SAMPLES]]


class Run:
    """One run of the optimizers of a subject.

    Args:
        subject: Freshly built, with the values that the run begins with.
        draws: Gradients.
        program: What happens in each step.
        fresh: Makes the optimizers again, to resume with.
        only: The parameters that get gradients; all by default.
        watches_gradients: Whether it is looked at what steps do to gradients.
    """

    def __init__(
        self,
        subject: ModelUnderTest,
        draws: SeededTensors,
        program: Program,
        *,
        only: Sequence[PlannedTensor] | None = None,
        fresh: Callable[[], Sequence[NamedOptimizer]] | None = None,
        watches_gradients: bool = False,
    ) -> None:
        self.subject = subject
        self.trace = Trace()
        self._draws = draws
        self._program = program
        self._fresh = fresh
        self._optimizers = list(subject.optimizers)
        self._only = only
        is_given = not (
            program.has_graph
            or program.has_closures
            or any(wants_closure(one.optimizer) for one in subject.optimizers)
        )
        self._watches_gradients = watches_gradients and is_given

    def take(self, what: str = "") -> Trace:
        """Do all steps."""
        seed_all(self._draws.seed)
        self.trace.look(self.subject.stepped, -1)
        groups = [GroupValues(one.optimizer, self._settings(one)) for one in self._optimizers]
        for number, named in enumerate(self._optimizers):
            self._attempt(number, partial(set_train_mode, named.optimizer))
        trainable = [one for one in self.subject.stepped if one.tensor.requires_grad]
        if self._only is not None:
            trainable = list(self._only)
        sample = samples(self.subject) if self._program.tail else []
        for step in range(self._program.total):
            say_progress(f"{what}, step {step + 1} of {self._program.total}")
            if self._program.is_resumed(step):
                self._resume()
            members = trainable if step < self._program.whole else sample
            self._step(step, members, groups)
            is_whole = step < self._program.whole and self._only is None
            looked = self.subject.stepped if is_whole else members
            self.trace.look(looked, step)
        return self.trace

    def _settings(self, named: NamedOptimizer) -> tuple[int | None, ...]:
        settings = {id(held.tensor): held.row.setting for held in self.subject.held}
        return tuple(
            next((settings[id(one)] for one in group["params"] if id(one) in settings), None)
            for group in named.optimizer.param_groups
        )

    def _step(
        self, step: int, members: Sequence[PlannedTensor], groups: Sequence[GroupValues]
    ) -> None:
        put = partial(self._put_gradients, members, step)
        put()
        for number, named in enumerate(self._optimizers):
            groups[number].apply(named.optimizer, self._program, step)
            if number not in self.trace.failures:
                self._attempt(number, partial(self._call, number, named.optimizer, step, put))
        if self._watches_gradients:
            self.trace.changed_gradients |= {h.name for h in members if self._is_changed(h, step)}
        self._zero_grad(members)

    def _is_changed(self, held: PlannedTensor, step: int) -> bool:
        """Return whether a gradient is another than it was given; one that is gone will not be used again."""
        left = held.tensor.grad
        if left is None or left.is_sparse:
            return False
        given = own_part(self._gradient(held, step), held.tensor)
        return not torch.equal(local(left), given.to(left.device, left.dtype))

    def _zero_grad(self, members: Iterable[PlannedTensor]) -> None:
        cleared = {
            id(one)
            for named in self._optimizers
            if failure_of(named.optimizer.zero_grad) is None
            for group in named.optimizer.param_groups
            for one in group["params"]
        }
        for held in members:
            left, held.tensor.grad = held.tensor.grad, None
            if id(held.tensor) in cleared and left is not None and bool(local(left).any()):
                self.trace.kept_gradients.add(held.name)

    def _put_gradients(self, members: Iterable[PlannedTensor], step: int) -> None:
        for held in members:
            gradient = self._gradient(held, step)
            if self._program.has_graph:
                put_graph(held.tensor, gradient)
            else:
                put_gradient(held.tensor, gradient)

    def _gradient(self, held: PlannedTensor, step: int) -> Tensor:
        if self._program.is_zero(step):
            return torch.zeros_like(self._draws.gradient(held, 0))
        return self._draws.gradient(held, step)

    def _call(
        self, number: int, optimizer: Optimizer, step: int, put: Callable[[], object]
    ) -> None:
        before = values_of(optimizer)
        if wants_closure(optimizer) or self._program.has_closures:
            own = [one for group in optimizer.param_groups for one in group["params"]]
            closure = Closure([one for one in own if one.requires_grad], put, bends=True)
            optimizer.step(closure)  # type: ignore[arg-type]
        else:
            optimizer.step()
        self._note_values(number, before, optimizer, f"by step {step + 1}")

    def _note_values(
        self, number: int, before: Sequence[Mapping[str, Any]], optimizer: Optimizer, when: str
    ) -> None:
        for name, text in changed_values(before, optimizer).items():
            self.trace.overwritten[number].setdefault(name, f"{text} {when}")

    def _attempt(self, number: int, action: Callable[[], object]) -> None:
        failure = failure_of(action)
        if failure is not None:
            self.trace.failures.setdefault(number, failure)

    def _resume(self) -> None:
        """Load the state of each optimizer into a new one, and go on with that."""
        if self._fresh is None:
            return
        made = list(self._fresh())
        for number, old in enumerate(self._optimizers):
            if number in self.trace.failures or number >= len(made):
                continue
            new = made[number]
            if isinstance(new.optimizer, ZeroRedundancyOptimizer):
                continue  # its state lies on several processes
            before = values_of(old.optimizer)
            failure = failure_of(partial(_hand_over, old.optimizer, new.optimizer))
            if failure is None:
                self._optimizers[number] = new
                self._note_values(number, before, new.optimizer, "when its state is loaded")
            else:
                self.trace.notes[number] = f"its state cannot be loaded again: {failure}"


def _hand_over(old: Optimizer, new: Optimizer) -> None:
    new.load_state_dict(old.state_dict())
    set_train_mode(new)


def plain_run(run: Run, what: str = "") -> Trace:
    """Do a run of references, which hooks on every optimizer of the process must not touch."""
    with without_global_hooks():
        return run.take(what)


def looked_at(trace: Trace, name: str) -> Iterator[tuple[int, Tensor]]:
    """Yield the steps after which a parameter was looked at, with its digests."""
    yield from zip(trace.steps[name], trace.digests[name], strict=True)


def first_difference(mine: Trace, other: Trace, name: str, allowed: float) -> int | None:
    """Return the first step after which two runs differ in a parameter by more than allowed."""
    for (step, one), (_, two) in zip(looked_at(mine, name), looked_at(other, name), strict=False):
        error = (one - two).abs()
        if (
            not bool(torch.isfinite(error).all())
            or float(error.max() if len(error) else 0) > allowed
        ):
            same = torch.equal(torch.isfinite(one), torch.isfinite(two))
            if not (same and not bool(torch.isfinite(two).all())):
                return step
    return None
