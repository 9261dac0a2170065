"""Compare every parameter's movement under the real optimizers with both oracles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from optplan.verify.bench import ModelFactory
from optplan.verify.closures import ClosureStep, closure_mismatches
from optplan.verify.compared_runs import ComparedRuns, Conditions
from optplan.verify.families import MatchedFormula, find_family
from optplan.verify.formulas import Formula, declared_formula, formulas
from optplan.verify.parallel import World
from optplan.verify.program import Program
from optplan.verify.results import Mismatch, MovementResult
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


def side_effects(runs: ComparedRuns, families: Mapping[int, MatchedFormula]) -> Iterator[Mismatch]:
    """Yield what optimizers that follow a formula do to their groups and closures."""
    if runs.real.kept_gradients:
        yield Mismatch(
            what="zero_grad",
            planned="clears every gradient",
            built="leaves some",
            parameters=runs.ordered(runs.real.kept_gradients),
        )
    for number, family in families.items():
        if family.formula is not None:
            yield from _changed_gradients(runs, number, family.formula)
            yield from _overwritten(runs, number, family.formula)
        if family.is_claimed and family.formula is not None and not family.formula.reads_all:
            # torch's optimizers take closures, others need not
            yield from _closure(runs, number, runs.closures.get(number))


def _changed_gradients(runs: ComparedRuns, number: int, formula: Formula) -> Iterator[Mismatch]:
    """Yield the parameters whose gradients a step leaves changed, where not all of their kind are.

    Optimizers may compute in place in the gradients; torch's own do not.
    """
    kinds = {
        held.name: (held.row.setting, held.tensor.ndim > 1)
        for held in runs.subject.own(number)
        if held.row.lr and held.takes_gradient
    }
    changed = kinds.keys() & runs.real.changed_gradients
    alike = {kinds[name] for name in changed}
    is_everywhere = changed == {name for name, kind in kinds.items() if kind in alike}
    is_torchs = declared_formula(runs.subject.optimizers[number].inner) is formula
    if changed and not (is_everywhere and not is_torchs):
        yield Mismatch(
            what="gradient",
            planned="left as it is",
            built="changed by a step",
            parameters=runs.ordered(changed),
        )


def _overwritten(runs: ComparedRuns, number: int, formula: Formula) -> Iterator[Mismatch]:
    """Yield the first value that a step writes into a group over one that the formula reads."""
    changed = runs.real.overwritten.get(number, {})
    texts = [text for name, text in changed.items() if name in formula.options]
    if texts:
        yield Mismatch(what="groups", planned="left as they are", built=texts[0])


def _closure(runs: ComparedRuns, number: int, step: ClosureStep | None) -> Iterator[Mismatch]:
    if step is None:
        return
    differing = [
        held.name
        for held in runs.subject.stepped
        if held.name in step.digests
        and not _is_same(runs, held, runs.real.digests[held.name][1], step.digests[held.name])
    ]
    name = type(runs.subject.optimizers[number].inner).__name__
    yield from closure_mismatches(step, differing, name)


def _is_same(runs: ComparedRuns, held: PlannedTensor, one: Tensor, other: Tensor) -> bool:
    error = (one - other).abs().nan_to_num(0.0)
    return not error.numel() or float(error.max()) <= runs.allowed(held)
