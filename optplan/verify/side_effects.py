"""Find what optimizers do to gradients, groups and closures that their formula does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from optplan.verify.closures import ClosureStep, closure_mismatches
from optplan.verify.compared_runs import ComparedRuns
from optplan.verify.families import MatchedFormula
from optplan.verify.formulas import Formula, declared_formula
from optplan.verify.results import Mismatch
from optplan.verify.subject import PlannedTensor


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
