"""The reference's own schedulers, built and stepped as its runner and its hook do."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from math import inf, isfinite, isnan
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.dialects import find_schedulers
from optplan.plan import Plan, PlannedModel, PlannedOptimizer, Setting
from optplan.schedule import Section, Training, Unit, courses_of, schedule_of
from optplan.schedule.running_scheduler import MakeForeign
from tests.plans import row

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the packages it imports use what Python deprecates
    import mmengine.optim  # noqa: F401 - registers them
    from mmengine.registry import PARAM_SCHEDULERS

SCHEDULERS = PARAM_SCHEDULERS
LRS = (0.1, 0.01, 0.0003)
DECAYS = (0.05, 0.0, 0.02)
SGD: Mapping[str, Any] = {"momentum": 0.9, "dampening": 0.0, "nesterov": False}
ADAM: Mapping[str, Any] = {"betas": (0.9, 0.999), "eps": 1e-8}

Table = dict[str, list[list[float]]]


def stepped(
    schedulers: Sequence[Mapping[str, Any]],
    training: Training,
    unit: Unit,
    *,
    options: Mapping[str, Any] = SGD,
    fields: Sequence[str] = ("lr",),
) -> Table:
    """What the reference's groups hold at every step: a list of the groups' values for each field."""
    optimizer = _optimizer(options)
    made = [_built(one, optimizer, training) for one in schedulers]
    optimizer.step()
    table: Table = {field: [] for field in fields}
    for step in range(training.steps(unit)):
        for field in fields:
            table[field].append([_value(group, field) for group in optimizer.param_groups])
        if unit is Unit.ITERATION:
            _step(made, by_epoch=False)
        if unit is Unit.EPOCH or (
            training.by_epoch and (step + 1) % (training.per_epoch or 1) == 0
        ):
            _step(made, by_epoch=True)
    return table


def _built(one: Mapping[str, Any], optimizer: Optimizer, training: Training) -> Any:
    scheduler = copy.deepcopy(dict(one))
    by_epoch = scheduler.get("by_epoch", True)
    scheduler.setdefault("end", training.epochs if by_epoch else training.iterations)
    defaults = {"optimizer": optimizer, "epoch_length": training.per_epoch}
    return PARAM_SCHEDULERS.build(scheduler, default_args=defaults)


def _step(made: Sequence[Any], *, by_epoch: bool) -> None:
    for scheduler in made:
        if scheduler.by_epoch is by_epoch:
            scheduler.step()


def _value(group: Mapping[str, Any], field: str) -> float:
    value = group["betas"][0] if field == "momentum" and "betas" in group else group[field]
    return float(value)


def _optimizer(options: Mapping[str, Any]) -> Optimizer:
    groups = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr, "weight_decay": decay}
        for lr, decay in zip(LRS, DECAYS, strict=True)
    ]
    make: Any = torch.optim.SGD if "momentum" in options else torch.optim.AdamW
    found: Optimizer = make(groups, lr=LRS[0], weight_decay=DECAYS[0], **options)
    return found


def plan_of_three(options: Mapping[str, Any] = SGD) -> Plan:
    """A plan with the three settings that the reference is stepped with."""
    rows = tuple(
        row(f"p{index}", lr=lr, weight_decay=decay, group=index, setting=index)
        for index, (lr, decay) in enumerate(zip(LRS, DECAYS, strict=True))
    )
    kind = "SGD" if "momentum" in options else "AdamW"
    settings = tuple(
        Setting(
            index=one.setting or 0,
            optimizer=0,
            lr=one.lr,
            weight_decay=one.weight_decay,
            lr_scale=None,
            options={},
            parameters=1,
            elements=10,
        )
        for one in rows
    )
    return Plan(
        versions={},
        config="a.py",
        model=PlannedModel(
            spec="three", source="test", class_name="Three", parameters=3, elements=30
        ),
        constructor="DefaultOptimWrapperConstructor",
        optimizers=(
            PlannedOptimizer(
                name=None,
                type=kind,
                class_name=f"torch.optim.{kind}",
                lr=LRS[0],
                weight_decay=DECAYS[0],
                options=options,
            ),
        ),
        parameters=rows,
        settings=settings,
    )


def ours(
    section: Section | Sequence[Mapping[str, Any]],
    training: Training,
    *,
    options: Mapping[str, Any] = SGD,
    fields: Sequence[str] = ("lr",),
    stride: int = 1,
    make_foreign: MakeForeign | None = None,
) -> tuple[Unit, Table]:
    """What optplan says, in the same form: at every step, or at every so many."""
    if not isinstance(section, Section):
        section = find_schedulers({"param_scheduler": list(section)})
    schedule = schedule_of(plan_of_three(options), section, training, [dict(options)], make_foreign)
    courses = courses_of(schedule, range(0, schedule.length, stride))
    table = {
        field: [list(map(float, values)) for values in zip(*courses.values[field], strict=True)]
        for field in fields
    }
    return schedule.unit, table


def worst(first: Table, second: Table, *, stride: int = 1) -> float:
    """The largest relative difference between two tables, the first of which holds every step."""
    found = 0.0
    for field, steps in second.items():
        for theirs, own in zip(first[field][::stride], steps, strict=True):
            for one, other in zip(theirs, own, strict=True):
                if one == other or (isnan(one) and isnan(other)):
                    continue
                if not (isfinite(one) and isfinite(other)):
                    return inf
                found = max(found, abs(one - other) / max(abs(one), abs(other)))
    return found
