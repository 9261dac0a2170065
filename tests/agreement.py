"""optplan held against the reference: bit for bit and type for type."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from torch.optim import Optimizer

import optplan
from optplan import OptplanError, Plan
from optplan.names import Rule, Status
from optplan.plan import PlannedParameter
from tests.reference import Entries, ReferenceGroup, ReferenceOptimizer, run_reference


def assert_agrees(
    model: nn.Module, optimizer: Entries, paramwise: Entries | None = None
) -> ReferenceOptimizer | Exception:
    """Both build the same, or both refuse.

    Returns:
        What the reference did.
    """
    wrapper: Entries = {"optimizer": optimizer}
    if paramwise is not None:
        wrapper["paramwise_cfg"] = paramwise
    config = {"optim_wrapper": wrapper}
    theirs = run_reference(model, optimizer, paramwise)
    if isinstance(theirs, Exception):
        for refuse in (optplan.make_plan, optplan.build_optimizer):
            with pytest.raises(OptplanError):
                refuse(model, config)
    else:
        assert_same_optimizer(optplan.build_optimizer(model, config), theirs)
        plan = optplan.make_plan(model, config)
        assert_same_plan(plan, model, theirs)
        assert_rules_fit(plan, theirs, optimizer, paramwise or {})
    return theirs


def assert_same_optimizer(ours: Optimizer, theirs: ReferenceOptimizer) -> None:
    """The real optimizers have the same groups, one by one."""
    assert f"{type(ours).__module__}.{type(ours).__qualname__}" == theirs.class_name
    assert exact(ours.defaults) == exact(theirs.defaults)
    assert len(ours.param_groups) == len(theirs.groups)
    for index, (group, expected) in enumerate(zip(ours.param_groups, theirs.groups, strict=True)):
        assert [id(p) for p in group["params"]] == [id(p) for p in expected.params], index
        entries = {name: value for name, value in group.items() if name != "params"}
        assert exact(entries) == exact(expected.final), index


def assert_same_plan(plan: Plan, model: nn.Module, theirs: ReferenceOptimizer) -> None:
    """Every row of the plan says what the reference's groups hold."""
    by_name = dict(nn.Module.named_parameters(model, remove_duplicate=False))
    assert [row.name for row in plan.parameters] == list(by_name)
    carriers = carrier_names(model)
    home = {id(p): place for place in enumerate(theirs.groups) for p in place[1].params}
    for row in plan.parameters:
        parameter = by_name[row.name]
        if row.name != carriers[id(parameter)]:
            assert row.status is Status.DUPLICATE, row.name
            assert_in_no_group(row)
        elif id(parameter) in home:
            expected = Status.OPTIMIZED if parameter.requires_grad else Status.FROZEN
            assert row.status is expected, row.name
            assert_in_group(row, *home[id(parameter)], theirs.defaults)
        else:
            expected = Status.UNCOVERED if parameter.requires_grad else Status.FROZEN
            assert row.status is expected, row.name
            assert_in_no_group(row)


def carrier_names(model: nn.Module) -> dict[int, str]:
    """The name that stands for each tensor: the first that the walk comes by, else the first."""
    found: dict[int, str] = {}
    inner = getattr(model, "module", model)
    if inner is not model:
        root = next(name for name, module in model.named_modules() if module is inner)
        found = {id(p): f"{root}.{name}" for name, p in inner.named_parameters()}
    for name, parameter in model.named_parameters():
        found.setdefault(id(parameter), name)
    return found


def assert_rules_fit(
    plan: Plan, theirs: ReferenceOptimizer, optimizer: Entries, paramwise: Entries
) -> None:
    """The rule that a row names could have given what the reference's group holds."""
    for row in plan.parameters:
        if row.group is None:
            continue
        own = theirs.groups[row.group].own
        for use, setting in ((row.lr_rule, "lr"), (row.weight_decay_rule, "weight_decay")):
            if use is None:
                continue
            assert (use.rule is Rule.DEFAULT) == (setting not in own), (row.name, setting)
            if use.rule is Rule.DEFAULT:
                continue
            if use.key is not None:
                assert use.rule is Rule.CUSTOM_KEY
                fields = paramwise["custom_keys"][use.key]
                assert use.key in f".{row.name}", row.name
                assert set(fields) <= set(own), (row.name, use.key)
                mult = None if setting in fields else fields.get(_MULTIPLIERS[setting], 1.0)
            else:
                assert use.option is not None
                mult = paramwise[use.option]
            assert exact(use.mult) == exact(mult), (row.name, setting)
            if mult is not None:
                assert exact(own[setting]) == exact(optimizer[setting] * mult), (row.name, setting)


_MULTIPLIERS = {"lr": "lr_mult", "weight_decay": "decay_mult"}


def assert_in_no_group(row: PlannedParameter) -> None:
    """Nothing is said of what it gets."""
    assert (row.lr, row.weight_decay, row.effective_lr) == (None, None, None), row.name
    assert (row.lr_rule, row.weight_decay_rule) == (None, None), row.name
    assert (row.optimizer, row.group, row.setting) == (None, None, None), row.name
    assert (row.options, row.extra) == ({}, {}), row.name


def assert_in_group(
    row: PlannedParameter, index: int, group: ReferenceGroup, defaults: Entries
) -> None:
    """The row is the group, its entries sorted into those that the optimizer knows and the others."""
    assert (row.optimizer, row.group) == (0, index), row.name
    assert exact(row.lr) == exact(group.final["lr"]), row.name
    assert exact(row.effective_lr) == exact(group.final["lr"]), row.name
    decay = group.final["weight_decay"] if "weight_decay" in defaults else None
    assert exact(row.weight_decay) == exact(decay), row.name
    others = {name: value for name, value in group.own.items() if name not in _OWN_COLUMNS}
    if "weight_decay" in group.own and "weight_decay" not in defaults:
        others["weight_decay"] = group.own["weight_decay"]
    options = {name: value for name, value in others.items() if name in defaults}
    extra = {name: value for name, value in others.items() if name not in defaults}
    assert exact(row.options) == exact(options), row.name
    assert exact(row.extra) == exact(extra), row.name
    assert row.lr_rule is not None, row.name
    assert (row.weight_decay_rule is not None) == ("weight_decay" in defaults), row.name


_OWN_COLUMNS = ("lr", "weight_decay")


def exact(value: Any) -> Any:
    """Equal for values of one type with the same bits: apart are 1, 1.0 and True, 0.0 and -0.0."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value).__name__, [exact(item) for item in value]
    return type(value).__name__, value.hex() if isinstance(value, float) else value
