"""How far a class rounds inside its update, whatever the dtype of the parameter."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from optplan.verify.stepping import Gradients

# An update that is computed exactly changes a hundred times less for a hundredth of the change.
_LARGE, _SMALL = 1e-3, 1e-5
_DRAWS = 3


def inner_rounding(
    run: Callable[[Gradients], Tensor], start: Tensor, gradients: Gradients
) -> float:
    """The change of a way that gradients changed by a thousandth make, as a share of it.

    0 where the update follows its gradients smoothly, as one without rounding of its own does. torch's Muon
    multiplies matrices in bfloat16, so that another order of summation shows.

    Args:
        run: Where the parameter ends with given gradients.
        start: Where it begins.
        gradients: Its gradients.
    """
    end = run(gradients)
    step = float((end - start).abs().max())
    if not step:
        return 0.0
    large, small = (
        max(
            float((run(_changed(gradients, size, draw)) - end).abs().max()) / step
            for draw in range(_DRAWS)
        )
        for size in (_LARGE, _SMALL)
    )
    is_smooth = abs(small * (_LARGE / _SMALL) - large) <= large / 2
    return 0.0 if is_smooth else large


def _changed(gradients: Gradients, size: float, draw: int) -> Gradients:
    """Gradients of which every element is a little larger or smaller."""

    def changed(name: str, step: int) -> Tensor | None:
        found = gradients(name, step)
        if found is None or found.is_sparse:
            return found
        generator = torch.Generator().manual_seed(draw)
        noise = torch.rand(found.shape, generator=generator, dtype=torch.float64)
        return found * (1 + size * (2 * noise - 1))

    return changed
