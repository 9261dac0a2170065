"""From a config and a model with an argument of several values to how parameters change with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.app.plan import isolate_named_code, open_with, planner_for
from optplan.config import Config
from optplan.errors import ModelError, UsageError, listed
from optplan.names import Status
from optplan.plan import Plan
from optplan.plan.width import ScaledParameter, in_common, kind_of
from optplan.reporters.scale import ScaleView

if TYPE_CHECKING:
    from torch import nn

    from optplan.app.request import PlanRequest

# Up to so many elements a model is built with memory, 0.4 GB in float32, to see how it is initialized.
_MOST_ELEMENTS = 100_000_000
_SEED = 0


def scale_of(word: str, options: PlanRequest, along: str | None) -> ScaleView:
    """Return what each parameter gets at each width, and how it is initialized there.

    Args:
        word: What the command line calls CONFIG.
        options: The model, its arguments, and how the config is read.
        along: The argument that varies; None for the only one with several values.

    Raises:
        OptplanError: No such config or model, or no argument has several values.
    """
    argument, widths = _widths(options.model_arguments, along)
    source = open_with(word, options)
    if not isinstance(source, Config):
        raise UsageError(
            f"{word!r} is no config, which models of several widths could be planned with"
        )
    isolate_named_code(source, options.model)
    plans: list[Plan] = []
    inits: list[Mapping[str, float] | None] = []
    for width in widths:
        given = {**options.model_arguments, argument: width}
        plans.append(planner_for(options).plan(source, options.model, given).plan)
        inits.append(_initialized(source, options, given, plans[-1].model.elements))
    rows = in_common([plan.parameters for plan in plans])
    parameters = tuple(
        ScaledParameter(
            name=own[0].name,
            kind=kind_of(own),
            optimizer=None
            if own[0].optimizer is None
            else plans[0].optimizers[own[0].optimizer].class_name,
            elements=tuple(row.elements for row in own),
            lr=tuple(row.effective_lr for row in own),
            weight_decay=tuple(row.weight_decay for row in own),
            init=tuple(None if init is None else init.get(own[0].name) for init in inits),
        )
        for own in rows
        if own[0].status is not Status.DUPLICATE
    )
    names = {row.name for own in rows for row in own}
    apart = [row.name for plan in plans for row in plan.parameters if row.name not in names]
    return ScaleView(
        plan=plans[0],
        argument=argument,
        widths=widths,
        parameters=parameters,
        apart=tuple(dict.fromkeys(apart)),
        unmeasured=tuple(width for width, init in zip(widths, inits, strict=True) if init is None),
    )


def _widths(arguments: Mapping[str, Any], along: str | None) -> tuple[str, tuple[int | float, ...]]:
    """Return the argument that varies, and its values.

    Raises:
        UsageError: There is none, there are several, or the values are no different positive numbers.
    """
    several = [name for name, value in arguments.items() if isinstance(value, tuple)]
    hint = "such as -k width=256,512,1024"
    if along is None and len(several) > 1:
        raise UsageError(
            f"which argument varies: {listed(several)}?", hint=f"say it: --along {several[0]}"
        )
    name = along if along is not None else next(iter(several), None)
    if name is None or name not in several:
        what = "no argument of the model" if name is None else f"-k {name}"
        raise UsageError(f"{what} has several values", hint=hint)
    values: tuple[Any, ...] = arguments[name]
    numbers = [one for one in values if isinstance(one, int | float) and one > 0]
    if len(numbers) < len(values) or len(set(numbers)) < max(2, len(values)):
        raise UsageError(f"-k {name} needs two or more different positive numbers", hint=hint)
    return name, tuple(sorted(numbers))


def _initialized(
    source: Config, options: PlanRequest, given: Mapping[str, Any], elements: int
) -> Mapping[str, float] | None:
    """Return the root mean square of each parameter as it is first; None where the model is too large for that."""
    if elements > _MOST_ELEMENTS:
        return None
    import torch

    planner = planner_for(replace(options, materialize=True, no_cache=True))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        try:
            module = planner.model(source, options.model, given).module
        except ModelError:
            return None
    return _root_mean_squares(module)


def _root_mean_squares(module: nn.Module) -> Mapping[str, float] | None:
    parameters = dict(module.named_parameters(remove_duplicate=False))
    if any(one.is_meta for one in parameters.values()):
        return None
    return {
        name: float(one.detach().double().square().mean().sqrt())
        for name, one in parameters.items()
        if one.is_floating_point() and one.numel()
    }
