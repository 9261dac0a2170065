"""Small plans made by hand, for what is a pure function of plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.names import Rule, Status
from optplan.plan import (
    Origin,
    Plan,
    PlannedModel,
    PlannedOptimizer,
    PlannedParameter,
    RuleUse,
)

DEFAULT = RuleUse(rule=Rule.DEFAULT)
NORM = RuleUse(
    rule=Rule.NORM,
    option="norm_decay_mult",
    mult=0.0,
    origin=Origin(file="b.py", line=9, column=3),
)


def key(name: str, mult: float | None, line: int = 7) -> RuleUse:
    """The use of a custom key."""
    origin = Origin(file="b.py", line=line, column=1)
    return RuleUse(rule=Rule.CUSTOM_KEY, key=name, mult=mult, origin=origin)


def row(name: str, **given: Any) -> PlannedParameter:
    """A parameter of ten elements, optimized by default with lr 0.1 and weight decay 0.05."""
    values: dict[str, Any] = {
        "shape": (10,),
        "elements": 10,
        "dtype": "float32",
        "requires_grad": True,
        "module": "torch.nn.modules.linear.Linear",
        "status": Status.OPTIMIZED,
        "lr": 0.1,
        "weight_decay": 0.05,
        "lr_rule": DEFAULT,
        "weight_decay_rule": DEFAULT,
        "optimizer": 0,
        "group": 0,
        "setting": 0,
    }
    return PlannedParameter(name=name, **{**values, **given})


def outside(name: str, status: Status, **given: Any) -> PlannedParameter:
    """A parameter in no group."""
    missing = dict.fromkeys(
        ("lr", "weight_decay", "lr_rule", "weight_decay_rule", "optimizer", "group", "setting")
    )
    trainable = status is not Status.FROZEN
    return row(name, status=status, **{**missing, "requires_grad": trainable, **given})


def optimizer(**given: Any) -> PlannedOptimizer:
    """SGD with the base values that rows have by default."""
    values: dict[str, Any] = {
        "name": None,
        "type": "SGD",
        "class_name": "torch.optim.sgd.SGD",
        "lr": 0.1,
        "weight_decay": 0.05,
    }
    return PlannedOptimizer(**{**values, **given})


def plan(
    *rows: PlannedParameter,
    optimizers: tuple[PlannedOptimizer, ...] | None = None,
    versions: Mapping[str, str | None] | None = None,
    constructor: str = "DefaultOptimizerConstructor",
) -> Plan:
    """A plan with these rows."""
    return Plan(
        versions=versions or {"optplan": "1", "torch": "2", "timm": "3"},
        config="a.py",
        model=PlannedModel(
            spec="tiny",
            source="timm",
            class_name="tiny.Tiny",
            parameters=len(rows),
            elements=sum(r.elements for r in rows),
        ),
        constructor=constructor,
        optimizers=optimizers or (optimizer(),),
        parameters=rows,
        settings=(),
    )
