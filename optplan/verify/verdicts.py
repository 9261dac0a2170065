"""The verdict on each parameter, given the runs of one dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor
from torch.distributed.tensor import DTensor

from optplan.runtime.progress_line import say_progress
from optplan.verify.compared_runs import ComparedRuns
from optplan.verify.explain import Explainer
from optplan.verify.families import MatchedFormula, own_rule
from optplan.verify.formula_oracle import Expected
from optplan.verify.formulas import Formula
from optplan.verify.judging import Displacement, judge_exact, judge_resolution, judge_trained
from optplan.verify.program import when
from optplan.verify.results import AS_PLANNED, Movement, MovementResult
from optplan.verify.runs import first_difference
from optplan.verify.seeded import exact_dtype
from optplan.verify.subject import PlannedTensor
from optplan.verify.tensors import local, own_part

# What a formula that rounds inside may be off where its sums are in another order, as over processes.
_LOOSE = 0.1
_MOST_EXPLAINED = 4
_SMALL = 1 << 12
_MOST_WATCHED = 1 << 24


class Verdicts:
    """Gives the verdicts of one dtype.

    Args:
        runs: What happened.
    """

    def __init__(self, runs: ComparedRuns) -> None:
        self._runs = runs
        self._watched = 0
        self._explained_kinds: dict[tuple[int | None, int], int] = {}

    def of(
        self, number: int | None, members: Sequence[PlannedTensor], family: MatchedFormula | None
    ) -> dict[str, MovementResult]:
        """Return the verdicts on the parameters that the plan gives to one optimizer, or to none."""
        if number is None:
            return {held.name: self._still(held) for held in members}
        if number in self._runs.real.failures:
            reason = self._runs.real.failures[number]
            return {
                held.name: MovementResult(movement=Movement.UNCHECKED, reason=reason)
                for held in members
            }
        if note := self._runs.real.notes.get(number):
            self._runs.notes.append(
                f"{type(self._runs.subject.optimizers[number].inner).__name__}: {note}"
            )
        if family is None or family.formula is None:
            return self._by_class(number, members, family)
        ruled = [held for held in members if own_rule(held, family)]
        others = [held for held in members if not own_rule(held, family)]
        found = self._by_formula(others, family)
        if any(one.movement is Movement.DEVIATES for one in found.values()):
            return found | self._by_formula(
                ruled, family
            )  # no rule of its own beside a formula kept
        return found | (self._by_class(number, ruled, family) if ruled else {})

    def _still(self, held: PlannedTensor) -> MovementResult:
        start = self._runs.conditions.draws.value(held)
        return self._judge(held, start, start)

    def _by_formula(
        self, members: Sequence[PlannedTensor], family: MatchedFormula
    ) -> dict[str, MovementResult]:
        found = {}
        formula = family.formula
        assert formula is not None
        say_progress(f"{self._runs.conditions.label}, the formula of {formula.name}")
        for one in self._runs.oracle.expected(members, formula, self._runs.real, watches=False):
            moved = self._judged(one, family)
            if moved.movement in AS_PLANNED and self._runs.conditions.in_float64:
                moved = self._agreeing(one.held, moved)
            found[one.held.name] = moved
        return found

    def _judged(self, one: Expected, family: MatchedFormula) -> MovementResult:
        held, rounds = one.held, family.formula is not None and family.formula.rounds
        is_sharded = isinstance(held.tensor, DTensor)
        loose = _LOOSE if rounds and (is_sharded or held.tensor.is_cuda) else 0.0
        moved = self._judge(held, one.start, one.end, loose)
        is_known = moved.movement is Movement.DEVIATES
        is_back = moved.movement in AS_PLANNED and one.first is not None and not loose
        if is_back and self._runs.conditions.in_float64:  # it came back to where it should be
            is_known = True
            moved = replace(moved, movement=Movement.DEVIATES, reason="went another way")
        if not is_known:
            return moved if not self._is_idle(held, moved) else _idle(held)
        return self._explained(held, moved, one.first, family)

    def _explained(
        self, held: PlannedTensor, moved: MovementResult, first: int | None, family: MatchedFormula
    ) -> MovementResult:
        assert family.formula is not None
        if not self._runs.conditions.in_float64:
            return moved
        if not self._runs.moves(held):
            moved = replace(moved, reason="did not move")
        first = self._first_step(held, family.formula, first)
        where = when(first, self._runs.program) if first is not None else ""
        words = "" if moved.reason == "did not move" else self._words(held, family.formula)
        what = ", ".join(part for part in (moved.reason, words) if part)
        lead = f"differs from the formula of {family.formula.name}"
        return replace(moved, reason=f"{what} ({lead}{' ' + where if where else ''})")

    def _first_step(self, held: PlannedTensor, formula: Formula, first: int | None) -> int | None:
        """Return in which step a parameter departs; looked for in a few large ones and in all small ones."""
        self._watched += held.tensor.numel()
        if self._watched > _MOST_WATCHED:
            return first
        return next(self._runs.oracle.expected([held], formula, self._runs.real)).first

    def _words(self, held: PlannedTensor, formula: Formula) -> str:
        """Return what values explain a movement; looked for in a few parameters of each kind."""
        key = held.row.setting, held.tensor.ndim
        tried = self._explained_kinds.setdefault(key, 0)
        if tried >= _MOST_EXPLAINED and held.tensor.numel() > _SMALL:
            return ""
        self._explained_kinds[key] += 1
        return self._runs.explainer.words(held, formula)

    def _agreeing(self, held: PlannedTensor, moved: MovementResult) -> MovementResult:
        """Return the verdict where the formula is followed: the same class on the plan's groups must agree."""
        first = self._runs.first_difference(held)
        number = held.row.optimizer or 0
        if (
            first is None
            or number in self._runs.reference.failures
            or isinstance(held.tensor, DTensor)
        ):
            return moved
        where = when(first, self._runs.program)
        reason = f"ended elsewhere than its class on the plan's groups {where}".rstrip()
        return MovementResult(movement=Movement.DEVIATES, reason=reason)

    def _by_class(
        self, number: int, members: Sequence[PlannedTensor], family: MatchedFormula | None
    ) -> dict[str, MovementResult]:
        if (failure := self._runs.reference.failures.get(number)) is not None:
            reason = f"no reference could be made: {failure}"
            return {
                held.name: MovementResult(movement=Movement.UNCHECKED, reason=reason)
                for held in members
            }
        differing = {
            held.name: first
            for held in members
            if (first := self._runs.first_difference(held)) is not None
        }
        if differing and self._runs.bench.world.size == 1:
            differing = self._certain(number, members)
        verdicts = {
            held.name: self._class_verdict(held, differing.get(held.name)) for held in members
        }
        if family is None or not family.may_stand_still:
            return verdicts
        moves = {held.name: self._runs.moves(held) for held in members}
        what = "it" if any(moves.values()) else "anything"
        reason = f"{family.class_name} does not move {what} in {self._runs.program.full} steps"
        unchecked = MovementResult(movement=Movement.UNCHECKED, reason=reason)
        return {
            held.name: verdict
            if moves[held.name] or held.name in differing or not held.row.lr
            else unchecked
            for held, verdict in zip(members, verdicts.values(), strict=True)
        }

    def _certain(self, number: int, members: Sequence[PlannedTensor]) -> dict[str, int]:
        """Return the differences that are not those of loading a state, nor of chance: run it once more."""
        self._runs.real = self._runs.run(replace(self._runs.program, resumes=False))
        name = type(self._runs.subject.optimizers[number].inner).__name__
        again = {
            held.name: first
            for held in members
            if (first := self._runs.first_difference(held)) is not None
        }
        if not again and self._runs.program.resumes:
            self._runs.notes.append(
                f"{name} does not go on as before when its state is saved and loaded again"
            )
            return {}
        third = self._runs.run(replace(self._runs.program, resumes=False))
        is_chance = any(
            first_difference(self._runs.real, third, held.name, self._runs.allowed(held))
            is not None
            for held in members
        )
        self._runs.explainer = Explainer(self._runs.subject, self._runs.oracle, self._runs.real)
        if is_chance:
            self._runs.notes.append(
                f"{name} moves otherwise each time: it draws random numbers of its own"
            )
            return {}
        return again

    def _class_verdict(self, held: PlannedTensor, first: int | None) -> MovementResult:
        if first is not None:
            where = when(first, self._runs.program)
            reason = f"ended elsewhere than its class on the plan's groups {where}".rstrip()
            return MovementResult(movement=Movement.DEVIATES, reason=reason)
        if not self._runs.moves(held):
            moved = MovementResult(movement=Movement.STILL)
            is_idle = self._is_idle(held, moved)
            if not is_idle or self._runs.conditions.in_float64:
                return _idle(held) if is_idle else moved
        mine = own_part(self._runs.conditions.draws.value(held), held.tensor)
        return judge_resolution(mine, local(held.tensor.detach()).to("cpu", mine.dtype))

    def _is_idle(self, held: PlannedTensor, moved: MovementResult) -> bool:
        """Return whether a parameter that has an lr and a gradient stood still."""
        return (
            moved.movement is Movement.STILL
            and bool(held.row.lr)
            and held.tensor.requires_grad
            and bool(local(held.tensor).numel())
            and not self._runs.moves(held)
        )

    def _judge(
        self, held: PlannedTensor, start: Tensor, expected: Tensor, loose: float = 0.0
    ) -> MovementResult:
        dtype = exact_dtype(self._runs.bench.dtypes[held.name])
        device = expected.device
        way = Displacement(
            start=own_part(start.to(device), held.tensor),
            end=local(held.tensor.detach()).to(device=device, dtype=dtype),
            expected=own_part(expected.detach().to(device=device, dtype=dtype), held.tensor),
        )
        if not way.start.numel():
            return MovementResult(movement=Movement.STILL)
        if self._runs.conditions.in_float64:
            return judge_exact(way, loose)
        return judge_trained(way, self._runs.bench.dtypes[held.name], self._runs.program.full)


def _idle(held: PlannedTensor) -> MovementResult:
    return MovementResult(
        movement=Movement.DEVIATES, reason=f"did not move, though its lr is {held.row.lr:.6g}"
    )
