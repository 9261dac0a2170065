"""Turn the words of a command line into what is verified, and how."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from optplan.app.plan import Planner, isolate_named_code, open_with, planner_for
from optplan.app.planning import build_optimizers
from optplan.app.request import PlanRequest
from optplan.app.sources import SavedPlan, open_source
from optplan.config import Config
from optplan.constructors.observed_groups import rewind
from optplan.constructors.only_groups import OnlyGroups
from optplan.dialects import code_dialect
from optplan.errors import UsageError, VerifyError
from optplan.plan import Plan
from optplan.verify.bench import TrainingSource
from optplan.verify.inputs import parse_inputs
from optplan.verify.options import VerifyOptions
from optplan.verify.results import Parallel
from optplan.verify.subject import NamedOptimizer


def terms_of(
    *, dtype: str | None, inputs: Sequence[str], parallel: str | None, **others: Any
) -> VerifyOptions:
    """Return what the options ask for.

    Raises:
        UsageError: One of them is none.
    """
    return VerifyOptions(
        dtype=None if dtype is None else getattr(torch, dtype),
        inputs=parse_inputs(inputs),
        parallel=None if parallel is None else Parallel(parallel),
        **others,
    )


def source_of(config: str, options: PlanRequest, saved: str | None) -> TrainingSource:
    """Return the plan, and what makes the model and its optimizers.

    Args:
        config: What the command line calls CONFIG.
        options: The model, and how the config is read.
        saved: The saved plan to hold them against; the config's own by default.

    Raises:
        OptplanError: No such config, model or plan, or one is wrong.
    """
    model, given = options.model, options.model_arguments
    opened = open_with(config, options)
    if not isinstance(opened, Config):
        raise UsageError(
            f"{config!r} has no optimizer to build and step",
            hint=f"name the config, and this as what it is held against: --plan {config}",
        )
    isolate_named_code(opened, model)
    planner = planner_for(options)
    own = planner.plan(opened, model, given).plan
    wrappers: tuple[str, ...] = ()
    if (code := code_dialect(opened)) is not None:
        module = planner.model(opened, model, given).module
        wrappers = code.attachments(opened, module, planner.world_size).wrappers

    def make_model() -> nn.Module:
        return Planner().model(opened, model, given).module

    def make_optimizers(module: nn.Module) -> list[NamedOptimizer]:
        made = build_optimizers(module, opened, batch=options.batch)
        if any(isinstance(one, OnlyGroups) for _, one in made):
            raise VerifyError(
                f"{config!r} makes param groups, and no optimizer that could step them",
                hint="name one: --set optimizer.type=AdamW --set optimizer.lr=0.001",
            )
        for _, one in made:
            rewind(one)  # a scheduler that is attached has moved the lr already
        return [NamedOptimizer(name=name, optimizer=one) for name, one in made]

    return TrainingSource(
        plan=own if saved is None else _saved(saved),
        make_model=make_model,
        make_optimizers=make_optimizers,
        wrappers=wrappers,
    )


def _saved(word: str) -> Plan:
    found = open_source(word)
    if isinstance(found, SavedPlan):
        return found.plan
    raise UsageError(
        f"--plan {word!r} is no saved plan", hint="save one: optplan show CONFIG --format json"
    )


def is_first_process() -> bool:
    """Return whether this process reports: one of those that torchrun started does."""
    return os.environ.get("RANK", "0") == "0"
