"""Kinds of tensors that a class steps by a rule of its own, beside others that follow a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from optplan.verify.explain import Explainer
from optplan.verify.formula_oracle import Expected, FormulaOracle, changed_entries
from optplan.verify.formulas import Formula
from optplan.verify.program import Program
from optplan.verify.runs import Trace
from optplan.verify.stepping import failure_of
from optplan.verify.subject import PlannedTensor
from optplan.verify.tensors import digest, own_part

_CLOSE = 1e-6


def has_own_rule(
    members: Sequence[PlannedTensor],
    formula: Formula,
    oracle: FormulaOracle,
    trace: Trace,
    explainer: Explainer,
) -> bool:
    """Return whether no tensor of a kind moves by a formula, not even with other values, scaled or decayed otherwise.

    A class may take the mean off the gradients of matrices, or step flat tensors plainly. What departs from
    the first step on in every tensor, and is no multiple of the formula's step plus one of the value, is such
    a rule, and no departure from it.

    Args:
        members: A sample of the kind.
        formula: What the others of the optimizer follow.
        oracle: Steps parameters by formulas.
        trace: The real run.
        explainer: Finds other values that explain a way.
    """
    fits = []
    for held in members:
        real = trace.digests[held.name]
        if torch.equal(real[0], real[1]) or explainer.words(held, formula, steps=1):
            return False
        planned = next(oracle.expected([held], formula, trace, program=Program(full=1)), None)
        if planned is not None and planned.first is None:
            return False
        expected = _first_step(held, formula, oracle, trace)
        if expected is None:
            continue
        if expected.first is None:
            return False
        start = digest(own_part(expected.start, held.tensor))
        fits.append(_fit(real[1] - real[0], expected.digests[1] - expected.digests[0], start))
    return bool(fits) and not _are_alike(fits)


def _first_step(
    held: PlannedTensor, formula: Formula, oracle: FormulaOracle, trace: Trace
) -> Expected | None:
    """Return where the formula moves a parameter in the first step, without decay."""
    found: list[Expected] = []
    run: Callable[[], object] = lambda: found.extend(  # noqa: E731
        oracle.expected(
            [held],
            formula,
            trace,
            change=changed_entries(weight_decay=0.0),
            program=Program(full=1),
        )
    )
    return found[0] if failure_of(run) is None and found else None


def _fit(way: Tensor, wanted: Tensor, start: Tensor) -> tuple[float, float] | None:
    """Return by what multiples of a step and of the value a way is made up; None where it is not."""
    basis = torch.stack([wanted, start], 1)
    if len(way) < basis.shape[1] + 1:
        ratio = float(way @ wanted) / float(wanted @ wanted)
        return (ratio, 0.0) if _is_close(way, ratio * wanted) else None
    found = torch.linalg.lstsq(basis, way.unsqueeze(1)).solution
    if not _is_close(way, (basis @ found).squeeze(1)):
        return None
    return float(found[0]), float(found[1])


def _is_close(way: Tensor, other: Tensor) -> bool:
    return float((way - other).abs().max()) <= _CLOSE * float(way.abs().max())


def _are_alike(fits: Sequence[tuple[float, float] | None]) -> bool:
    """Return whether all ways are made up alike: then it is another lr or decay, and no other rule."""
    known = [one for one in fits if one is not None]
    if len(known) < len(fits):
        return False
    first = known[0]
    return all(
        abs(one[0] - first[0]) <= _CLOSE * abs(first[0]) and abs(one[1] - first[1]) <= _CLOSE
        for one in known
    )
