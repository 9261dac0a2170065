"""How long each view of a plan of 10,000 parameters takes in each format, once the plan is made.

Run ``python -m tests.bench.views``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from optplan.app.option_use import entries_of
from optplan.app.planning import plan_with_facts
from optplan.plan import Planned
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from optplan.runtime.gc_control import gc_paused
from tests.bench.timing import medians, seconds

BOUND = 1.0  # seconds
_BLOCKS = 625  # of 16 parameters each

CONFIGS: dict[str, Mapping[str, Any]] = {
    "2 settings": {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0},
    "50 settings, 98 keys": {
        "norm_decay_mult": 0.0,
        "custom_keys": {f"blocks.{block}.": {"lr_mult": 0.9**block} for block in range(49)}
        | {f"nothing_like_{key}": {"lr_mult": 2.0} for key in range(49)},
    },
    "625 settings": {
        "custom_keys": {f"blocks.{block}.": {"lr_mult": 0.999**block} for block in range(_BLOCKS)}
    },
}


def model() -> nn.Module:
    """Blocks like a transformer's, without memory."""
    with torch.device("meta"):
        return nn.ModuleDict({"blocks": nn.ModuleList(_block() for _ in range(_BLOCKS))})


def _block() -> nn.ModuleDict:
    layers = {f"{part}{n}": nn.Linear(2, 2) for part in ("proj", "fc") for n in (1, 2, 3)}
    norms = {f"norm{n}": nn.LayerNorm(2) for n in (1, 2)}
    return nn.ModuleDict({**layers, **norms})


def reports(planned: Planned) -> dict[str, Callable[[], float]]:
    """Every view in every format it has, timed."""
    shown = Selection(plan=planned.plan, rows=planned.plan.parameters)
    found: dict[str, Callable[[], object]] = {}
    for form in TableFormat:
        found[f"params {form}"] = partial(show_report, ShowView.PARAMS, shown, form, width=80)
        if form is TableFormat.CSV:
            continue
        found[f"tree {form}"] = partial(show_report, ShowView.TREE, shown, form, width=80)
        found[f"groups {form}"] = partial(show_report, ShowView.SETTINGS, shown, form, width=80)
        found[f"keys {form}"] = partial(_keys, planned, shown, form)
    return {name: partial(seconds, partial(_as_delivered, make)) for name, make in found.items()}


def _as_delivered(make: Callable[[], object]) -> None:
    with gc_paused():
        make()


def _keys(planned: Planned, shown: Selection, form: TableFormat) -> str:
    entries = entries_of(planned, shown.rows)
    return show_report(ShowView.KEYS, replace(shown, entries=entries), form, width=80)


def main() -> int:
    """Print milliseconds; exit 1 where a view takes longer than the bound."""
    built = model()
    taken = {
        name: medians(reports(_planned(built, paramwise)), rounds=3)
        for name, paramwise in CONFIGS.items()
    }
    print(f"{'milliseconds':14}" + "".join(f"{name:>22}" for name in taken))
    for report in next(iter(taken.values())):
        print(f"{report:14}" + "".join(f"{times[report] * 1000:22.0f}" for times in taken.values()))
    slow = [
        report for times in taken.values() for report, needed in times.items() if needed > BOUND
    ]
    print(f"above {BOUND} s: {', '.join(slow) or 'none'}")
    return int(bool(slow))


def _planned(built: nn.Module, paramwise: Mapping[str, Any]) -> Planned:
    optimizer = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05}
    return plan_with_facts(
        built, {"optim_wrapper": {"optimizer": optimizer, "paramwise_cfg": paramwise}}
    )


if __name__ == "__main__":
    sys.exit(main())
