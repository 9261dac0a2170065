"""Compare every parameter's movement under the real optimizers with both oracles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from optplan.verify.bench import ModelFactory
from optplan.verify.compared_runs import ComparedRuns, Conditions
from optplan.verify.families import MatchedFormula, find_family
from optplan.verify.formulas import formulas
from optplan.verify.parallel import World
from optplan.verify.program import Program
from optplan.verify.results import Mismatch, MovementResult
from optplan.verify.side_effects import side_effects
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.verdicts import Verdicts


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

    moved: Mapping[str, MovementResult]
    families: Mapping[int, MatchedFormula]
    notes: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    program: Program = field(default_factory=lambda: Program(full=1))
    is_refused: bool = False


def find_movements(
    bench: ModelFactory, subject: ModelUnderTest, conditions: Conditions
) -> Movements:
    """Step references and the real optimizers from the same values with the same gradients.

    Args:
        bench: Makes optimizers again.
        subject: Freshly built; its parameters' values are overwritten.
        conditions: How.
    """
    runs = ComparedRuns(bench, subject, conditions)
    families, is_known = conditions.families, conditions.families is not None
    if families is None:
        families = _agreed(runs, bench.world)
    mismatches = () if is_known else tuple(side_effects(runs, families))
    runs.settle()
    verdicts = Verdicts(runs)
    by_optimizer: dict[int | None, list[PlannedTensor]] = {}
    for held in subject.stepped:
        by_optimizer.setdefault(runs.stepping(held), []).append(held)
    found: dict[str, MovementResult] = {}
    for number, members in by_optimizer.items():
        found |= verdicts.of(number, members, families.get(-1 if number is None else number))
    return Movements(
        moved={held.name: found[held.name] for held in subject.stepped},
        families=families,
        notes=tuple(runs.notes),
        mismatches=mismatches,
        program=runs.program,
        is_refused=bool(runs.real.failures),
    )


def _agreed(runs: ComparedRuns, world: World) -> dict[int, MatchedFormula]:
    """Return the formulas that the first process finds: others may hold too little of a parameter to tell."""
    found = {
        number: find_family(number, runs.evidence())
        for number in range(len(runs.subject.optimizers))
        if number not in runs.real.failures
    }
    if world.size == 1:
        return found
    # formulas are modules read anew in each process, their names are the same
    named = {n: (replace(one, formula=None), one.formula) for n, one in found.items()}
    mine = {n: (one, formula.name if formula else "") for n, (one, formula) in named.items()}
    first = world.gathered(mine)[0]
    return {n: replace(one, formula=formulas().get(name)) for n, (one, name) in first.items()}
