"""What a verification is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from optplan.verify.inputs import InputShape
from optplan.verify.results import Parallel

STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What the user asks for.

    Args:
        steps: How many steps each run takes.
        seed: The random seed of all values.
        dtype: The dtype of the parameters in training; the model's own by default.
        forward: Whether a real step is done; None where it depends on whether an input is known.
        inputs: The shapes of the model's input; what timm knows by default.
        amp: Whether the forward runs under autocast.
        cost: Whether steps are timed.
        parallel: How several processes share the model.
    """

    steps: int = STEPS
    seed: int = 0
    dtype: torch.dtype | None = None
    forward: bool | None = None
    inputs: tuple[InputShape, ...] = ()
    amp: bool = False
    cost: bool = True
    parallel: Parallel | None = None
