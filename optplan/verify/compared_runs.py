"""The runs of one dtype: the real optimizers, references of their classes, and formulas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from optplan.verify.bench import ModelFactory
from optplan.verify.closures import ClosureStep, closure_steps
from optplan.verify.explain import Explainer
from optplan.verify.families import Evidence, MatchedFormula, own_rule
from optplan.verify.formula_oracle import FormulaOracle, allowed_error
from optplan.verify.program import Program, left_out
from optplan.verify.runs import Run, Trace, first_difference, looked_at, plain_run, samples
from optplan.verify.seeded import SeededTensors
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import put_value

# What loading a state may round: torch casts counters and products to the dtype of the parameter.
_SAME_CLASS = 1e-6


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

    draws: SeededTensors
    program: Program
    in_float64: bool
    label: str
    families: Mapping[int, MatchedFormula] | None = None


class ComparedRuns:
    """The runs that verdicts are given on.

    Args:
        bench: Makes optimizers again.
        subject: Freshly built; its parameters' values are overwritten.
        conditions: How.

    Attributes:
        program: The steps that all took.
        reference, real: What the optimizers of the plan's groups and the real ones did.
        closures: What the real ones did with a closure, by their numbers.
        oracle: Steps parameters by formulas.
        explainer: Finds values that explain a departure.
        notes: What could not be told.
    """

    def __init__(
        self, bench: ModelFactory, subject: ModelUnderTest, conditions: Conditions
    ) -> None:
        self.bench = bench
        self.subject = subject
        self.conditions = conditions
        self.notes: list[str] = []
        self._is_moved = False
        self.program, self.reference = self._reference_run()
        if (missing := left_out(conditions.program, self.program)) is not None:
            self.notes.append(missing)
        self.closures = self._closure_steps() if conditions.families is None else {}
        self.real = self.run(self.program)
        tail = samples(subject) if self.program.tail else []
        self.oracle = FormulaOracle(subject, self.conditions.draws, self.program, tail)
        self.explainer = Explainer(subject, self.oracle, self.real)

    def _reference_run(self) -> tuple[Program, Trace]:
        """Step the references; by a program that asks less, where they refuse."""
        tried = []
        if self.conditions.families is not None and all(
            map(self._has_formula, self.subject.stepped)
        ):
            return self.conditions.program, Trace()  # the formulas tell more
        for program in self.conditions.program.weaker():
            self.put_start()
            run = Run(
                self.bench.reference(self.subject),
                self.conditions.draws,
                replace(program, resumes=False),
            )
            trace = plain_run(run, f"{self.conditions.label}, the same class")
            tried.append((program, trace))
            if not any(self.bench.world.gathered(bool(trace.failures) or not trace.is_finite())):
                return tried[-1]
        return next((one for one in tried if not one[1].failures), tried[0])

    def _has_formula(self, held: PlannedTensor) -> bool:
        """Return whether a formula is known to move a parameter, or nothing shall."""
        number, families = self.stepping(held), self.conditions.families or {}
        if number is None:
            return True
        family = families.get(number)
        return family is not None and family.formula is not None and not own_rule(held, family)

    def put_start(self) -> None:
        """Put values into parameters anew: constructors of optimizers may keep copies of them."""
        draws = self.conditions.draws
        for held in self.subject.stepped:
            put_value(held.tensor, draws.value(held), draws.dtypes[held.name])

    def run(self, program: Program, only: Sequence[PlannedTensor] | None = None) -> Trace:
        """Run the real optimizers."""
        self.put_start()
        run = Run(
            replace(self.subject, optimizers=self.bench.optimizers(self.subject)),
            self.conditions.draws,
            program,
            only=only,
            fresh=lambda: self.bench.optimizers(self.subject),
            watches_gradients=self.conditions.in_float64 and only is None,
        )
        return run.take(f"{self.conditions.label}, the real optimizer")

    def settle(self) -> None:
        """Run the real optimizers once more, where a run with one gradient has left other values."""
        if self._is_moved:
            self.real = self.run(self.program)
            self._is_moved = False

    def evidence(self) -> Evidence:
        """Return what shows how optimizers move."""
        return Evidence(
            subject=self.subject,
            oracle=self.oracle,
            real=self.real,
            reference=self.reference,
            alone=self._alone if self.bench.world.size == 1 else None,
        )

    def _alone(self, held: PlannedTensor) -> Trace:
        """Run the real optimizers with a gradient for one parameter."""
        self._is_moved = True
        return self.run(Program(full=self.program.full), only=[held])

    def ordered(self, names: Collection[str]) -> tuple[str, ...]:
        """Return names in the model's order."""
        return tuple(held.name for held in self.subject.stepped if held.name in names)

    def _closure_steps(self) -> Mapping[int, ClosureStep]:
        self.put_start()
        made = self.bench.optimizers(self.subject)
        return closure_steps(self.subject, made, self.conditions.draws.gradient)

    def stepping(self, held: PlannedTensor) -> int | None:
        """Return the optimizer that steps a parameter by the plan; None for one that shall stand still."""
        number = held.row.optimizer
        if number is None or number >= len(self.subject.optimizers) or not held.row.requires_grad:
            return None
        return number

    def moves(self, held: PlannedTensor) -> bool:
        """Return whether a parameter moved in a step in which all have gradients."""
        digests = self.real.digests[held.name][: self.program.full + 1]
        return any(not torch.equal(digests[0], one) for one in digests[1:])

    def first_difference(self, held: PlannedTensor) -> int | None:
        """Return the first step after which a parameter was not where its class would have it."""
        return first_difference(self.real, self.reference, held.name, self.allowed(held))

    def allowed(self, held: PlannedTensor) -> float:
        """Return how far two runs of a class may be apart."""
        digests = [one for _, one in looked_at(self.reference, held.name)]
        if not digests[0].numel():
            return 0.0
        reach = max(float((one - digests[0]).abs().nan_to_num(0.0).max()) for one in digests)
        if self.conditions.in_float64:
            return allowed_error(held, reach) + _SAME_CLASS * reach
        eps = torch.finfo(self.conditions.draws.dtypes[held.name]).eps
        return float(4 * eps * digests[0].abs().max() + eps**0.5 * reach)
