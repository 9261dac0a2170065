"""Every parameter's movement under the real optimizers, held against both oracles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from optplan.verify.bench import Bench
from optplan.verify.closures import ClosureStep, closure_mismatches, closure_steps
from optplan.verify.explain import Explainer
from optplan.verify.families import Evidence, Family, find_family, own_rule
from optplan.verify.formula_oracle import Expected, FormulaOracle, allowed_error
from optplan.verify.formulas import Formula, declared_formula, formulas
from optplan.verify.judging import Way, judge_exact, judge_resolution, judge_trained
from optplan.verify.program import Program, when
from optplan.verify.progress import Progress
from optplan.verify.results import AS_PLANNED, Mismatch, Moved, Movement
from optplan.verify.runs import Run, Trace, first_difference, looked_at, plain_run, samples
from optplan.verify.seeded import Draws, exact_dtype
from optplan.verify.subject import Held, Subject
from optplan.verify.tensors import local, own_part, put_value

# What a formula that rounds inside may be off where its sums are in another order, as over processes.
_LOOSE = 0.1
# What loading a state may round: torch casts counters and products to the dtype of the parameter.
_SAME_CLASS = 1e-6
_MOST_EXPLAINED = 4
_SMALL = 1 << 12
_MOST_WATCHED = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Movements:
    """One run: how each parameter moved, by its name.

    Args:
        moved: The verdicts.
        families: The formula of each optimizer.
        notes: What could not be told.
        mismatches: What optimizers do to their groups and closures.
        program: The steps that they took.
        is_refused: Whether an optimizer raised.
    """

    moved: Mapping[str, Moved]
    families: Mapping[int, Family]
    notes: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    program: Program = field(default_factory=lambda: Program(full=1))
    is_refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a run is done and judged.

    Args:
        draws: Values and gradients.
        program: The steps.
        in_float64: Whether the parameters are.
        label: The dtype, for the progress line.
        families: The formulas that are known already; None where they are to be found.
    """

    draws: Draws
    program: Program
    in_float64: bool
    label: str
    families: Mapping[int, Family] | None = None


def find_movements(
    bench: Bench, subject: Subject, conditions: Conditions, progress: Progress
) -> Movements:
    """Step references and the real optimizers from the same values with the same gradients.

    Args:
        bench: Makes optimizers again.
        subject: Freshly built; its parameters' values are overwritten.
        conditions: How.
        progress: Is told of each step.
    """
    return _Comparison(bench, subject, conditions, progress).movements()


class _Comparison:
    """The runs of one dtype, and the verdicts on them."""

    def __init__(
        self, bench: Bench, subject: Subject, conditions: Conditions, progress: Progress
    ) -> None:
        self._bench = bench
        self._subject = subject
        self._conditions = conditions
        self._progress = progress
        self._notes: list[str] = []
        self._is_moved = False
        self._watched = 0
        self._explained_kinds: dict[tuple[int | None, int], int] = {}
        self._program, self._reference = self._reference_run()
        self._closures = self._closure_steps() if conditions.families is None else {}
        self._real = self._run(self._program)
        tail = samples(subject) if self._program.tail else []
        self._oracle = FormulaOracle(subject, self._conditions.draws, self._program, tail)
        self._explainer = Explainer(subject, self._oracle, self._real)

    def _reference_run(self) -> tuple[Program, Trace]:
        """Step the references; by a program that asks less, where they refuse."""
        tried = []
        if self._conditions.families is not None and all(
            map(self._has_formula, self._subject.stepped)
        ):
            return self._conditions.program, Trace()  # the formulas tell more
        for program in self._conditions.program.weaker():
            self._put_start()
            run = Run(
                self._bench.reference(self._subject),
                self._conditions.draws,
                replace(program, resumes=False),
                progress=self._progress,
            )
            trace = plain_run(run, f"{self._conditions.label}, the same class")
            tried.append((program, trace))
            if not any(self._bench.world.gathered(bool(trace.failures) or not trace.is_finite())):
                return tried[-1]
        return next((one for one in tried if not one[1].failures), tried[0])

    def _has_formula(self, held: Held) -> bool:
        """Whether a formula is known to move a parameter, or nothing shall."""
        number, families = self._stepping(held), self._conditions.families or {}
        if number is None:
            return True
        family = families.get(number)
        return family is not None and family.formula is not None and not own_rule(held, family)

    def _put_start(self) -> None:
        """Constructors of optimizers may keep copies of the values."""
        draws = self._conditions.draws
        for held in self._subject.stepped:
            put_value(held.tensor, draws.value(held), draws.dtypes[held.name])

    def _run(self, program: Program, only: Sequence[Held] | None = None) -> Trace:
        self._put_start()
        run = Run(
            replace(self._subject, optimizers=self._bench.optimizers(self._subject)),
            self._conditions.draws,
            program,
            only=only,
            fresh=lambda: self._bench.optimizers(self._subject),
            progress=self._progress,
            watches_gradients=self._conditions.in_float64 and only is None,
        )
        return run.take(f"{self._conditions.label}, the real optimizer")

    def movements(self) -> Movements:
        families = self._conditions.families
        if families is None:
            families = {
                number: find_family(number, self._evidence())
                for number in range(len(self._subject.optimizers))
                if number not in self._real.failures
            }
            if self._bench.world.size > 1:
                families = self._agreed(families)
        mismatches = tuple(self._oddities(families)) if self._conditions.families is None else ()
        if self._is_moved:
            self._real = self._run(self._program)
        found: dict[str, Moved] = {}
        by_optimizer: dict[int | None, list[Held]] = {}
        for held in self._subject.stepped:
            by_optimizer.setdefault(self._stepping(held), []).append(held)
        for number, members in by_optimizer.items():
            found |= self._verdicts(number, members, families.get(-1 if number is None else number))
        order = (held.name for held in self._subject.stepped)
        return Movements(
            moved={name: found[name] for name in order},
            families=families,
            notes=tuple(self._notes),
            mismatches=mismatches,
            program=self._program,
            is_refused=bool(self._real.failures),
        )

    def _agreed(self, families: Mapping[int, Family]) -> dict[int, Family]:
        """The formulas that the first process found: others may hold too little of a parameter to tell."""
        mine = {
            number: (replace(one, formula=None), one.formula.name if one.formula else "")
            for number, one in families.items()
        }
        first = self._bench.world.gathered(mine)[0]
        return {
            number: replace(one, formula=formulas().get(name))
            for number, (one, name) in first.items()
        }

    def _evidence(self) -> Evidence:
        return Evidence(
            subject=self._subject,
            oracle=self._oracle,
            real=self._real,
            reference=self._reference,
            alone=self._alone if self._bench.world.size == 1 else None,
        )

    def _alone(self, held: Held) -> Trace:
        """Run the real optimizers with a gradient for one parameter."""
        self._is_moved = True
        return self._run(Program(full=self._program.full), only=[held])

    def _oddities(self, families: Mapping[int, Family]) -> Iterator[Mismatch]:
        """Yield what optimizers that follow a formula do to their groups and closures."""
        if self._real.kept_gradients:
            yield Mismatch(
                what="zero_grad",
                planned="clears every gradient",
                built="leaves some",
                parameters=self._ordered(self._real.kept_gradients),
            )
        for number, family in families.items():
            if family.formula is not None:
                yield from self._changed_gradients(number, family.formula)
                yield from self._overwritten(number, family.formula)
            if family.is_claimed and family.formula is not None and not family.formula.reads_all:
                # torch's optimizers take closures, others need not
                yield from self._closure(number, self._closures.get(number))

    def _changed_gradients(self, number: int, formula: Formula) -> Iterator[Mismatch]:
        """Yield the parameters whose gradients a step leaves changed, where not all of their kind are.

        Optimizers may compute in place in the gradients; torch's own do not.
        """
        kinds = {
            held.name: (held.row.setting, held.tensor.ndim > 1)
            for held in self._subject.own(number)
            if held.row.lr and held.takes_gradient
        }
        changed = kinds.keys() & self._real.changed_gradients
        alike = {kinds[name] for name in changed}
        is_everywhere = changed == {name for name, kind in kinds.items() if kind in alike}
        is_torchs = declared_formula(self._subject.optimizers[number].inner) is formula
        if changed and not (is_everywhere and not is_torchs):
            yield Mismatch(
                what="gradient",
                planned="left as it is",
                built="changed by a step",
                parameters=self._ordered(changed),
            )

    def _ordered(self, names: Collection[str]) -> tuple[str, ...]:
        return tuple(held.name for held in self._subject.stepped if held.name in names)

    def _closure_steps(self) -> Mapping[int, ClosureStep]:
        self._put_start()
        made = self._bench.optimizers(self._subject)
        return closure_steps(self._subject, made, self._conditions.draws.gradient)

    def _overwritten(self, number: int, formula: Formula) -> Iterator[Mismatch]:
        """Yield the first value that a step writes into a group over one that the formula reads."""
        changed = self._real.overwritten.get(number, {})
        texts = [text for name, text in changed.items() if name in formula.options]
        if texts:
            yield Mismatch(what="groups", planned="left as they are", built=texts[0])

    def _closure(self, number: int, step: ClosureStep | None) -> Iterator[Mismatch]:
        if step is None:
            return
        differing = [
            held.name
            for held in self._subject.stepped
            if held.name in step.digests
            and not self._is_same(held, self._real.digests[held.name][1], step.digests[held.name])
        ]
        name = type(self._subject.optimizers[number].inner).__name__
        yield from closure_mismatches(step, differing, name)

    def _is_same(self, held: Held, one: Tensor, other: Tensor) -> bool:
        error = (one - other).abs().nan_to_num(0.0)
        return not error.numel() or float(error.max()) <= self._allowed(held)

    def _stepping(self, held: Held) -> int | None:
        """The optimizer that steps a parameter by the plan; None for one that shall stand still."""
        number = held.row.optimizer
        if number is None or number >= len(self._subject.optimizers) or not held.row.requires_grad:
            return None
        return number

    def _verdicts(
        self, number: int | None, members: Sequence[Held], family: Family | None
    ) -> dict[str, Moved]:
        if number is None:
            return {held.name: self._still(held) for held in members}
        if number in self._real.failures:
            reason = self._real.failures[number]
            return {
                held.name: Moved(movement=Movement.UNCHECKED, reason=reason) for held in members
            }
        if note := self._real.notes.get(number):
            self._notes.append(f"{type(self._subject.optimizers[number].inner).__name__}: {note}")
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

    def _still(self, held: Held) -> Moved:
        start = self._conditions.draws.value(held)
        return self._judge(held, start, start)

    def _by_formula(self, members: Sequence[Held], family: Family) -> dict[str, Moved]:
        found = {}
        formula = family.formula
        assert formula is not None
        self._progress.say(f"{self._conditions.label}, the formula of {formula.name}")
        for one in self._oracle.expected(members, formula, self._real, watches=False):
            moved = self._judged(one, family)
            if moved.movement in AS_PLANNED and self._conditions.in_float64:
                moved = self._agreeing(one.held, moved)
            found[one.held.name] = moved
        return found

    def _judged(self, one: Expected, family: Family) -> Moved:
        held, rounds = one.held, family.formula is not None and family.formula.rounds
        is_sharded = isinstance(held.tensor, DTensor)
        loose = _LOOSE if rounds and (is_sharded or held.tensor.is_cuda) else 0.0
        moved = self._judge(held, one.start, one.end, loose)
        is_known = moved.movement is Movement.DEVIATES
        is_back = moved.movement in AS_PLANNED and one.first is not None and not loose
        if is_back and self._conditions.in_float64:  # it came back to where it should be
            is_known = True
            moved = replace(moved, movement=Movement.DEVIATES, reason="went another way")
        if not is_known:
            return moved if not self._is_idle(held, moved) else _idle(held)
        return self._explained(held, moved, one.first, family)

    def _explained(self, held: Held, moved: Moved, first: int | None, family: Family) -> Moved:
        assert family.formula is not None
        if not self._conditions.in_float64:
            return moved
        if not self._moves(held):
            moved = replace(moved, reason="did not move")
        first = self._first_step(held, family.formula, first)
        where = when(first, self._program) if first is not None else ""
        words = "" if moved.reason == "did not move" else self._words(held, family.formula)
        what = ", ".join(part for part in (moved.reason, words) if part)
        lead = f"differs from the formula of {family.formula.name}"
        return replace(moved, reason=f"{what} ({lead}{' ' + where if where else ''})")

    def _first_step(self, held: Held, formula: Formula, first: int | None) -> int | None:
        """In which step a parameter departs; looked for in a few large ones and in all small ones."""
        self._watched += held.tensor.numel()
        if self._watched > _MOST_WATCHED:
            return first
        return next(self._oracle.expected([held], formula, self._real)).first

    def _words(self, held: Held, formula: Formula) -> str:
        """What values explain a movement; looked for in a few parameters of each kind."""
        key = held.row.setting, held.tensor.ndim
        tried = self._explained_kinds.setdefault(key, 0)
        if tried >= _MOST_EXPLAINED and held.tensor.numel() > _SMALL:
            return ""
        self._explained_kinds[key] += 1
        return self._explainer.words(held, formula)

    def _agreeing(self, held: Held, moved: Moved) -> Moved:
        """The verdict where the formula is followed: the same class on the plan's groups must agree."""
        first = self._first_difference(held)
        number = held.row.optimizer or 0
        if first is None or number in self._reference.failures or _is_rounding(held):
            return moved
        where = when(first, self._program)
        reason = f"ended elsewhere than its class on the plan's groups {where}".rstrip()
        return Moved(movement=Movement.DEVIATES, reason=reason)

    def _by_class(
        self, number: int, members: Sequence[Held], family: Family | None
    ) -> dict[str, Moved]:
        if (failure := self._reference.failures.get(number)) is not None:
            reason = f"no reference could be made: {failure}"
            return {
                held.name: Moved(movement=Movement.UNCHECKED, reason=reason) for held in members
            }
        differing = {
            held.name: first
            for held in members
            if (first := self._first_difference(held)) is not None
        }
        if differing and self._bench.world.size == 1:
            differing = self._certain(number, members)
        verdicts = {
            held.name: self._class_verdict(held, differing.get(held.name)) for held in members
        }
        if family is None or not family.may_stand_still:
            return verdicts
        moves = {held.name: self._moves(held) for held in members}
        what = "it" if any(moves.values()) else "anything"
        reason = f"{family.class_name} does not move {what} in {self._program.full} steps"
        unchecked = Moved(movement=Movement.UNCHECKED, reason=reason)
        return {
            held.name: verdict
            if moves[held.name] or held.name in differing or not held.row.lr
            else unchecked
            for held, verdict in zip(members, verdicts.values(), strict=True)
        }

    def _certain(self, number: int, members: Sequence[Held]) -> dict[str, int]:
        """The differences that are not those of loading a state, nor of chance: run it once more."""
        self._real = self._run(replace(self._program, resumes=False))
        name = type(self._subject.optimizers[number].inner).__name__
        again = {
            held.name: first
            for held in members
            if (first := self._first_difference(held)) is not None
        }
        if not again and self._program.resumes:
            self._notes.append(
                f"{name} does not go on as before when its state is saved and loaded again"
            )
            return {}
        third = self._run(replace(self._program, resumes=False))
        is_chance = any(
            first_difference(self._real, third, held.name, self._allowed(held)) is not None
            for held in members
        )
        self._explainer = Explainer(self._subject, self._oracle, self._real)
        if is_chance:
            self._notes.append(
                f"{name} moves otherwise each time: it draws random numbers of its own"
            )
            return {}
        return again

    def _class_verdict(self, held: Held, first: int | None) -> Moved:
        if first is not None:
            where = when(first, self._program)
            reason = f"ended elsewhere than its class on the plan's groups {where}".rstrip()
            return Moved(movement=Movement.DEVIATES, reason=reason)
        if not self._moves(held):
            moved = Moved(movement=Movement.STILL)
            is_idle = self._is_idle(held, moved)
            if not is_idle or self._conditions.in_float64:
                return _idle(held) if is_idle else moved
        mine = own_part(self._conditions.draws.value(held), held.tensor)
        return judge_resolution(mine, local(held.tensor.detach()).to("cpu", mine.dtype))

    def _is_idle(self, held: Held, moved: Moved) -> bool:
        """Whether a parameter that has an lr and a gradient stood still."""
        return (
            moved.movement is Movement.STILL
            and bool(held.row.lr)
            and held.tensor.requires_grad
            and bool(local(held.tensor).numel())
            and not self._moves(held)
        )

    def _moves(self, held: Held) -> bool:
        """Whether a parameter moved in a step in which all have gradients."""
        digests = self._real.digests[held.name][: self._program.full + 1]
        return any(not torch.equal(digests[0], one) for one in digests[1:])

    def _judge(self, held: Held, start: Tensor, expected: Tensor, loose: float = 0.0) -> Moved:
        dtype = exact_dtype(self._bench.dtypes[held.name])
        device = expected.device
        way = Way(
            start=own_part(start.to(device), held.tensor),
            end=local(held.tensor.detach()).to(device=device, dtype=dtype),
            expected=own_part(expected.detach().to(device=device, dtype=dtype), held.tensor),
        )
        if not way.start.numel():
            return Moved(movement=Movement.STILL)
        if self._conditions.in_float64:
            return judge_exact(way, loose)
        return judge_trained(way, self._bench.dtypes[held.name], self._program.full)

    def _first_difference(self, held: Held) -> int | None:
        return first_difference(self._real, self._reference, held.name, self._allowed(held))

    def _allowed(self, held: Held) -> float:
        digests = [one for _, one in looked_at(self._reference, held.name)]
        if not digests[0].numel():
            return 0.0
        reach = max(float((one - digests[0]).abs().nan_to_num(0.0).max()) for one in digests)
        if self._conditions.in_float64:
            return allowed_error(held, reach) + _SAME_CLASS * reach
        eps = torch.finfo(self._conditions.draws.dtypes[held.name]).eps
        return float(4 * eps * digests[0].abs().max() + eps**0.5 * reach)


def _is_rounding(held: Held) -> bool:
    return isinstance(held.tensor, DTensor)


def _idle(held: Held) -> Moved:
    return Moved(
        movement=Movement.DEVIATES, reason=f"did not move, though its lr is {held.row.lr:.6g}"
    )
