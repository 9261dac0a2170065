"""From the words of a command line to what is verified, and how."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from optplan.cli.options import model_arguments
from optplan.cli.planning import Planner, isolate_named_code
from optplan.cli.sources import SavedPlan, open_source
from optplan.config import Batch, Config
from optplan.constructors import build_optimizers
from optplan.constructors.functions import OnlyGroups
from optplan.constructors.observing import rewind
from optplan.errors import UsageError, VerifyError
from optplan.plan import Plan
from optplan.verify.bench import Source
from optplan.verify.inputs import parse_inputs
from optplan.verify.results import Parallel
from optplan.verify.stages import Terms
from optplan.verify.subject import NamedOptimizer


def terms_of(
    *, dtype: str | None, inputs: Sequence[str], parallel: str | None, **others: Any
) -> Terms:
    """What the options ask for.

    Raises:
        UsageError: One of them is none.
    """
    return Terms(
        dtype=None if dtype is None else getattr(torch, dtype),
        inputs=parse_inputs(inputs),
        parallel=None if parallel is None else Parallel(parallel),
        **others,
    )


def source_of(
    config: str,
    model: str | None,
    arguments: Iterable[str] | None,
    saved: str | None,
    *,
    overrides: Sequence[str],
    trust: bool,
    batch: Batch,
    function_arguments: Mapping[str, Any] | None = None,
    materialize: bool = False,
) -> Source:
    """The plan, and what makes the model and its optimizers.

    Args:
        config: What the command line calls CONFIG.
        model: What it calls MODEL; left out, the config's own is meant.
        arguments: ``name=value`` for the model.
        saved: The saved plan to hold them against; the config's own by default.
        overrides: ``a.b=value`` for the config.
        trust: Whether a Python config may be executed.
        batch: What is known of the batch.
        function_arguments: What a function in the place of the config is given beside the model.
        materialize: Whether the model of the plan is built with memory, too.

    Raises:
        OptplanError: No such config, model or plan, or one is wrong.
    """
    given = model_arguments(arguments)
    opened = open_source(config, overrides=overrides, trust=trust, arguments=function_arguments)
    if not isinstance(opened, Config):
        raise UsageError(
            f"{config!r} has no optimizer to build and step",
            hint=f"name the config, and this as what it is held against: --plan {config}",
        )
    isolate_named_code(opened, model)
    own = Planner(batch, materialize=materialize).plan(opened, model, given).plan

    def make_model() -> nn.Module:
        return Planner().model(opened, model, given).module

    def make_optimizers(module: nn.Module) -> list[NamedOptimizer]:
        made = build_optimizers(module, opened, batch=batch)
        if any(isinstance(one, OnlyGroups) for _, one in made):
            raise VerifyError(
                f"{config!r} makes param groups, and no optimizer that could step them",
                hint="name one: --set optimizer.type=AdamW --set optimizer.lr=0.001",
            )
        for _, one in made:
            rewind(one)  # a scheduler that is attached has moved the lr already
        return [NamedOptimizer(name=name, optimizer=one) for name, one in made]

    return Source(
        plan=own if saved is None else _saved(saved),
        make_model=make_model,
        make_optimizers=make_optimizers,
    )


def _saved(word: str) -> Plan:
    found = open_source(word)
    if isinstance(found, SavedPlan):
        return found.plan
    raise UsageError(
        f"--plan {word!r} is no saved plan", hint="save one: optplan show CONFIG --format json"
    )


def is_first_process() -> bool:
    """Whether this process reports: one of those that torchrun started does."""
    return os.environ.get("RANK", "0") == "0"
