"""The largest models: how long each command takes once the model is there, and how much memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from optplan.app.planning import plan_with_facts
from optplan.checks import ALL_CHECKS, Context
from optplan.config import load_config
from optplan.model import LoadedModel
from optplan.plan import Planned
from optplan.plan.diff import diff_plans
from optplan.reporters.diff.text import render as diff_text
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from optplan.runtime.gc_control import gc_paused
from tests.bench.giants import mixture_of_experts
from tests.bench.table import Row
from tests.bench.timing import peak_memory, seconds

_CONFIG = """
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0., custom_keys={{
        f'blocks.{{i}}.' if i % 2 else f'experts.{{i}}.up': dict(lr_mult={rate} ** i) for i in range(200)
    }}),
)
"""
_GIANTS = Path(__file__).with_name("giants.py")
_OPTPLAN = str(Path(sys.executable).with_name("optplan"))


def scale_rows(_rounds: int) -> Iterator[Row]:
    """A mixture of experts of 100,000 parameters, and 200 keys."""
    loaded = LoadedModel(module=mixture_of_experts(100_000), spec="experts", source="file")
    made: dict[str, Planned] = {}
    with TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.py" for name in ("before", "after")}
        for (_, file), rate in zip(files.items(), (0.99, 0.98), strict=True):
            file.write_text(_CONFIG.format(rate=rate), encoding="utf-8")
        configs = {name: load_config(str(file)) for name, file in files.items()}

        def plan(name: str) -> None:
            made[name] = plan_with_facts(loaded, configs[name])

        def diff() -> None:
            found = diff_plans(made["before"].plan, made["after"].plan)
            diff_text(found, ("before", "after"), full=False, width=80, color=False)

        def tree() -> None:
            shown = Selection(plan=made["after"].plan, rows=made["after"].plan.parameters)
            show_report(ShowView.TREE, shown, TableFormat.TEXT, width=80)

        def check() -> None:
            found = made["after"]
            context = Context(
                config=configs["after"], section=found.section, planned=found, has_model=True
            )
            for one in ALL_CHECKS:
                list(one.run(context))

        actions: dict[str, Callable[[], None]] = {
            "planning": lambda: plan("before"),
            "planning another config": lambda: plan("after"),
            "`show --view tree`": tree,
            "`diff`": diff,
            "`check`": check,
        }
        for name, action in actions.items():
            with gc_paused():  # as in the command, to which all that is loaded is older
                yield Row(
                    what=f"{name}, 100,000 parameters × 200 keys",
                    against="loading the model" if name.startswith("planning") else "the plan",
                    value=seconds(action),
                    unit="s more",
                    bound=5.0,
                )


def memory_rows(_rounds: int) -> Iterator[Row]:
    """A transformer of seventy billion elements."""
    bare = peak_memory([sys.executable, "-c", "import torch"])
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.py"
        file.write_text(_CONFIG.format(rate=0.99), encoding="utf-8")
        words = [_OPTPLAN, "show", str(file), "--model", f"{_GIANTS}:seventy_billion"]
        shown = peak_memory(words)
    yield Row(
        what="memory of `show` of a transformer of 70 billion elements",
        against="`import torch`",
        value=(shown - bare) / 1e6,
        unit="MB more",
        bound=300.0,
    )
