"""Find out what a parameter that departs from its formula does instead; no part of ``optplan explain``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from optplan.verify.formula_oracle import FormulaOracle, as_built, changed_entries
from optplan.verify.formulas import Formula
from optplan.verify.program import Program
from optplan.verify.runs import Trace
from optplan.verify.stepping import failure_of
from optplan.verify.subject import ModelUnderTest, PlannedTensor

Change = Callable[[dict[str, Any]], dict[str, Any]]
_MOST_SETTINGS = 12
# Steps in which nothing is changed: they tell nothing of what follows changes.
_PLANNED_STEPS = 2


class Explainer:
    """Finds values with which a formula moves a parameter as it really moved.

    Args:
        subject: The parameters.
        oracle: Steps them by formulas.
        trace: The real run.
    """

    def __init__(self, subject: ModelUnderTest, oracle: FormulaOracle, trace: Trace) -> None:
        self._subject = subject
        self._oracle = oracle
        self._trace = trace

    def words(self, held: PlannedTensor, formula: Formula, steps: int | None = None) -> str:
        """Return what the parameter does instead; '' where no single other value explains it.

        Args:
            held: The parameter.
            formula: What it departs from.
            steps: In how many first steps; in all by default.
        """
        if not held.tensor.numel():
            return ""
        own = self._oracle.program
        program = Program(full=steps) if steps else replace(own, tail=0)
        for text, change, changes in self._variants(held, formula):
            if steps is not None and not changes:
                continue
            chosen = program if changes else as_built(program)
            if self._fits(held, formula, change, chosen):
                return f"it moves as if {text}"
        return ""

    def _fits(
        self, held: PlannedTensor, formula: Formula, change: Change, program: Program
    ) -> bool:
        first: list[int | None] = []

        def run() -> None:
            found = self._oracle.expected(
                [held], formula, self._trace, change=change, program=program
            )
            first.extend(one.first for one in found)

        return failure_of(run) is None and first == [None]

    def _variants(
        self, held: PlannedTensor, formula: Formula
    ) -> Iterator[tuple[str, Change, bool]]:
        values = self._oracle.values(held)
        if self._oracle.program.full > _PLANNED_STEPS:
            yield "lr and weight decay were never changed after construction", dict, False
        for name, default in formula.options.items():
            if name in ("lr", "weight_decay") or name not in values or values[name] == default:
                continue
            yield f"{name} were {default}", changed_entries(**{name: default}), True
        if values.get("weight_decay"):
            yield "weight_decay were 0", changed_entries(weight_decay=0.0), True
        for name in ("weight_decay", "lr"):
            for value in self._others(name, held):
                yield f"{name} were {value:.6g}", changed_entries(**{name: value}), True

    def _others(self, name: str, held: PlannedTensor) -> list[float]:
        """Return the values that other settings have, and that of the optimizer itself."""
        plan = self._subject.plan
        number = held.row.optimizer or 0
        found = [getattr(one, name) for one in plan.settings[:_MOST_SETTINGS]]
        found.append(self._subject.optimizers[number].inner.defaults.get(name))
        mine = self._oracle.values(held).get(name)
        numbers = [one for one in found if isinstance(one, int | float) and one and one != mine]
        return list(dict.fromkeys(map(float, numbers)))
