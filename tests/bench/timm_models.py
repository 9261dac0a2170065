"""Every architecture of timm: planned, held against the running reference, and what that costs."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from typing import Any

import timm
from torch import nn

from optplan.app.planning import plan_with_facts
from optplan.model import open_model
from optplan.runtime.gc_control import gc_paused
from tests.agreement import assert_same_plan
from tests.bench.table import Row
from tests.bench.timing import seconds
from tests.reference import run_reference

_OPTIMIZER = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05}
_PARAMWISE: dict[str, Any] = {
    "norm_decay_mult": 0.0,
    "bias_decay_mult": 0.5,
    "bias_lr_mult": 2.0,
    "flat_decay_mult": 0.1,
    "dwconv_decay_mult": 0.2,
    "bypass_duplicate": True,
    "custom_keys": {"head": {"lr_mult": 10.0}, "stem": {"lr_mult": 0.1, "decay_mult": 0.0}},
}
_CONFIG = {"optim_wrapper": {"optimizer": _OPTIMIZER, "paramwise_cfg": _PARAMWISE}}


def timm_rows(_rounds: int) -> Iterator[Row]:
    """All architectures with one config."""
    logging.disable(logging.WARNING)  # the reference warns of each tied parameter
    names = timm.list_models()
    clock = _Clock()
    differing, parameters = [], 0
    for number, name in enumerate(names):
        total, built = clock.plan(name)
        agrees, count = _agrees(built)
        parameters += count
        if not agrees:
            differing.append(name)
        clock.add(total)
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {len(names)}", end="", file=sys.stderr)
    logging.disable(logging.NOTSET)
    yield Row(
        what=f"timm's {len(names):,} architectures that do not agree with mmengine",
        value=len(differing),
        bound=0,
        detail=", ".join(differing[:5]) or f"{parameters:,} parameters compared",
    )
    yield Row(
        what="planning them",
        against="making them",
        value=100 * (clock.total - clock.making) / clock.making,
        unit="% more",
        bound=5.0,
        detail=f"{clock.total:.0f} s : {clock.making:.0f} s",
    )


class _Clock:
    """Tells the time that timm's own code takes from all that a plan takes."""

    def __init__(self) -> None:
        self.total = self.making = 0.0

    def add(self, total: float) -> None:
        """Count a plan."""
        self.total += total

    def plan(self, name: str) -> tuple[float, tuple[nn.Module, Any]]:
        """Plan an architecture, from its name on: the seconds, and the model with its plan."""
        real = timm.create_model
        found: list[Any] = []

        def create(*arguments: Any, **named: Any) -> Any:
            made: list[Any] = []
            self.making += seconds(lambda: made.append(real(*arguments, **named)))
            return made[0]

        def plan() -> None:
            loaded = open_model(name, {})
            found.extend((loaded.module, plan_with_facts(loaded, _CONFIG).plan))

        gc.collect()
        timm.create_model = create
        try:
            with gc_paused():  # as in the command
                total = seconds(plan)
        finally:
            timm.create_model = real
        return total, (found[0], found[1])


def _agrees(built: tuple[nn.Module, Any]) -> tuple[bool, int]:
    """Whether the reference gives every parameter the same, and how many there are."""
    model, plan = built
    theirs = run_reference(model, _OPTIMIZER, _PARAMWISE)
    if isinstance(theirs, Exception):
        return False, 0
    try:
        assert_same_plan(plan, model, theirs)
    except AssertionError:
        return False, 0
    return True, len(plan.parameters)
