"""What is planned, what is built and what is asserted are the same, over random functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import Optimizer, lr_scheduler

from optplan import Plan, assert_matches
from optplan.app.function_divergence import with_attached
from optplan.app.planning import plan_with_facts
from optplan.config.placed import placed_dict
from optplan.dialects.function.attached_schedulers import attachments_of
from optplan.dialects.function.load import FunctionConfig
from optplan.errors import MismatchError
from optplan.places import Source
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans
from optplan.verify.structure import compare_structure
from optplan.verify.subject import ModelUnderTest, NamedOptimizer


class Net(nn.Module):
    """Three parts, each with a matrix and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)
        self.c = nn.Linear(2, 2)


class NoDefaults(Optimizer):
    """Has no defaults: everything stands in its groups."""

    def __init__(self, groups: Iterable[Any], **own: Any) -> None:
        super().__init__([{**own, **group} for group in groups], {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""


class OwnDefaults(Optimizer):
    """A class of the user's own, of whose defaults nothing is known."""

    def __init__(self, groups: Any, lr: float = 0.5, gamma: float | None = None) -> None:
        super().__init__(groups, {"lr": lr, "gamma": gamma, "weight_decay": 0.25})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""


class Holder:
    """Wraps an optimizer as Accelerate's class does: an attribute, and everything passed on."""

    def __init__(self, optimizer: Optimizer, every: int = 1) -> None:
        self.optimizer = optimizer
        self.param_groups = optimizer.param_groups
        self.every = every

    def step(self) -> None:
        self.optimizer.step()


# Optimizer classes with options, each with two values that differ from one another.
CLASSES: dict[type[Any], dict[str, tuple[Any, Any]]] = {
    torch.optim.SGD: {"momentum": (0.0, 0.9), "maximize": (False, True), "weight_decay": (0, 0.5)},
    torch.optim.AdamW: {
        "betas": ((0.9, 0.999), (0.8, 0.9)),
        "eps": (1e-8, 1e-6),
        "amsgrad": (False, True),
    },
    torch.optim.Rprop: {"etas": ((0.5, 1.2), (0.4, 1.1))},
    NoDefaults: {"momentum": (0.1, 0.2), "weight_decay": (0.0, 0.1), "kind": ("x", "y")},
    OwnDefaults: {"gamma": (None, 1.5)},
}
EXTRAS = {"lr_mult": (1.0, 2), "use_muon": (True, False), "name": ("one", "two")}
TENSOR = "0.25"  # as a tensor, which schedulers change in place
LRS = (0.1, 0.01, 1, TENSOR)

Spec = dict[str, Any]


def values_of(names: dict[str, tuple[Any, Any]]) -> st.SearchStrategy[Spec]:
    return st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in names.items()})


@st.composite
def optimizer_specs(draw: st.DrawFn, parts: list[str]) -> Spec:
    found = draw(st.sampled_from(list(CLASSES)))
    options = values_of(CLASSES[found])
    groups = []
    for members in [parts[:1], parts[1:]] if len(parts) > 1 and draw(st.booleans()) else [parts]:
        lr = draw(st.sampled_from(LRS)) if found is NoDefaults or draw(st.booleans()) else None
        entries = {**draw(options), **draw(values_of(EXTRAS)), **({"lr": lr} if lr else {})}
        groups.append({"parts": members, "entries": entries})
    arguments = draw(options)
    if found is not NoDefaults:
        arguments["lr"] = draw(st.sampled_from(LRS))
    schedule = draw(st.sampled_from([None, "linear", "one cycle"]))
    if schedule == "one cycle" and found is not torch.optim.AdamW:
        schedule = "linear"
    return {
        "class": found,
        "arguments": arguments,
        "groups": groups,
        "schedule": schedule,
        "factor": draw(st.sampled_from([0.1, 0.2])),
        "clip": draw(st.sampled_from([None, 1.0])),
    }


@st.composite
def functions(draw: st.DrawFn) -> Spec:
    split = draw(st.sampled_from([[["a", "b", "c"]], [["a"], ["b", "c"]], [["a", "b"]]]))
    return {
        "optimizers": [draw(optimizer_specs(parts)) for parts in split],
        "form": draw(st.sampled_from(["list", "dict", "lightning", "held", "two lists"])),
    }


def _made(values: Spec) -> Spec:
    return {k: torch.tensor(float(v)) if v == TENSOR else v for k, v in values.items()}


def built(spec: Spec, model: nn.Module) -> tuple[Optimizer, list[Any]]:
    groups = [
        {
            "params": [p for part in g["parts"] for p in getattr(model, part).parameters()],
            **_made(g["entries"]),
        }
        for g in spec["groups"]
    ]
    optimizer = spec["class"](groups, **_made(spec["arguments"]))
    if spec.get("clip"):
        optimizer.register_step_pre_hook(clipping(spec["clip"]))
    if spec["schedule"] == "linear":
        return optimizer, [lr_scheduler.LinearLR(optimizer, spec["factor"], total_iters=3)]
    if spec["schedule"] == "one cycle":
        return optimizer, [lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=9)]
    return optimizer, []


def clipping(largest: float) -> Callable[..., None]:
    def clip(optimizer: Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], largest)

    return clip


def returned(spec: Spec, model: nn.Module) -> Any:
    made = [built(one, model) for one in spec["optimizers"]]
    match spec["form"]:
        case "dict":
            return {f"o{place}": optimizer for place, (optimizer, _) in enumerate(made)}
        case "lightning":
            return tuple(
                {"optimizer": o, **({"lr_scheduler": {"scheduler": s[0]}} if s else {})}
                for o, s in made
            )
        case "held":
            return [Holder(optimizer, spec.get("every", 1)) for optimizer, _ in made]
        case "two lists":
            return [o for o, _ in made], [s for _, own in made for s in own]
    return [optimizer for optimizer, _ in made]


def function_of(spec: Spec) -> FunctionConfig:
    def build(model: nn.Module) -> Any:
        return returned(spec, model)

    source = Source(name="f.py", path="f.py", text="")
    kept: dict[str, Any] = {"word": "f.py:build"}  # only where the class has such a field
    known = FunctionConfig.__dataclass_fields__
    return FunctionConfig(
        data=placed_dict((), {}),
        entry=source,
        sources=(source,),
        trusted=True,
        function=build,
        name="build",
        **{name: value for name, value in kept.items() if name in known},
    )


def planned(spec: Spec) -> Plan:
    with torch.device("meta"):
        model = Net()
    found = plan_with_facts(model, function_of(spec)).plan
    again = Plan.from_json(found.to_json())
    assert again == found
    return again


def mismatches(plan: Plan, spec: Spec) -> tuple[Any, ...]:
    """What ``verify --plan`` says of the groups."""
    model = Net()
    found = [one for part in _flat(returned(spec, model)) for one in (part,)]
    named = tuple(NamedOptimizer(name=None, optimizer=one) for one in found)
    return compare_structure(
        ModelUnderTest(module=model, engine=model, plan=plan, optimizers=named)
    )


def _flat(made: Any) -> list[Optimizer]:
    if isinstance(made, Optimizer):
        return [made]
    if isinstance(made, Holder):
        return [made.optimizer]
    if isinstance(made, dict):
        made = [value for key, value in made.items() if key != "lr_scheduler"]
    return [one for part in made for one in _flat(part)] if isinstance(made, list | tuple) else []


def asserted(plan: Plan, spec: Spec) -> bool:
    model = Net()
    try:
        assert_matches(plan, model, returned(spec, model))
    except MismatchError:
        return False
    return True


def seen(plan: Plan, other: Spec) -> tuple[bool, bool, bool]:
    """Whether diff, verify and assert_matches see that a plan is not that of a function."""
    return (
        not diff_plans(plan, planned(other)).is_same,
        bool(mismatches(plan, other)),
        not asserted(plan, other),
    )


@given(functions())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_change_is_seen_where_there_is_none(spec: Spec) -> None:
    plan = planned(spec)
    assert seen(plan, spec) == (False, False, False)
    model = Net()
    live = Plan.from_optimizer(model, returned(spec, model))
    assert diff_plans(replace(live, constructor=plan.constructor), plan).is_same
    assert [(o.class_name, o.options) for o in live.optimizers] == [
        (o.class_name, o.options) for o in plan.optimizers
    ]
    assert [(r.lr, r.weight_decay, r.options, r.extra) for r in live.parameters] == [
        (r.lr, r.weight_decay, r.options, r.extra) for r in plan.parameters
    ]


def _options(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Change an option of the whole optimizer."""
    one = draw(st.sampled_from(spec["optimizers"]))
    name = draw(st.sampled_from(sorted(CLASSES[one["class"]])))
    first, second = CLASSES[one["class"]][name]
    now = one["groups"][0]["entries"].get(name, one["arguments"].get(name, first))
    for group in one["groups"]:
        group["entries"].pop(name, None)
    if name == "weight_decay" and one["class"] is torch.optim.SGD:
        one["groups"][0]["entries"][name] = second if now == first else first
    one["arguments"][name] = second if now == first else first


def _entry(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Change, add or remove an entry of a group."""
    group = draw(st.sampled_from(draw(st.sampled_from(spec["optimizers"]))["groups"]))
    name = draw(st.sampled_from(sorted(EXTRAS)))
    first, second = EXTRAS[name]
    group["entries"][name] = second if group["entries"].get(name) == first else first


def _lr(spec: Spec, draw: Callable[[Any], Any]) -> None:
    one = draw(st.sampled_from(spec["optimizers"]))
    group = draw(st.sampled_from(one["groups"]))
    group["entries"]["lr"] = 0.7


def _membership(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Take a part of the model out."""
    group = draw(st.sampled_from(draw(st.sampled_from(spec["optimizers"]))["groups"]))
    if len(group["parts"]) > 1:
        group["parts"] = group["parts"][1:]
    else:
        spec["optimizers"][0]["groups"][0]["entries"]["lr"] = 0.7


def _class(spec: Spec, draw: Callable[[Any], Any]) -> None:
    one = draw(st.sampled_from(spec["optimizers"]))
    other = torch.optim.SGD if one["class"] is not torch.optim.SGD else torch.optim.RMSprop
    one["class"], one["schedule"] = other, None
    names = {"momentum", "weight_decay", "lr"}
    for values in (one["arguments"], *(g["entries"] for g in one["groups"])):
        for name in set(values) - names - set(EXTRAS):
            del values[name]
    one["arguments"]["lr"] = one["arguments"].get("lr", 0.1)


CHANGES = (_options, _entry, _lr, _membership, _class)


def _without_cycles(spec: Spec) -> Spec:
    """Leave out the schedulers that overwrite lr and betas, whose changes nobody sees."""
    for one in spec["optimizers"]:
        one["schedule"] = None if one["schedule"] == "one cycle" else one["schedule"]
    return spec


@given(functions(), st.data())
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_single_change_is_seen_by_all(spec: Spec, data: st.DataObject) -> None:
    plan = planned(_without_cycles(spec))
    other = deepcopy(spec)
    data.draw(st.sampled_from(CHANGES))(other, data.draw)
    assert seen(plan, other) == (True, True, True)


def attached_diff(spec: Spec, other: Spec) -> PlanDiff:
    """The difference of two functions as ``optplan diff`` has it."""
    with torch.device("meta"):
        model = Net()
    configs = [function_of(one) for one in (spec, other)]
    plans = [plan_with_facts(model, config).plan for config in configs]
    runs = [partial(attachments_of, config, model) for config in configs]
    return with_attached(diff_plans(plans[0], plans[1]), runs)


def _schedule(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Change a scheduler, or what it is given."""
    one = draw(st.sampled_from(spec["optimizers"]))
    if one["schedule"] == "linear" and draw(st.booleans()):
        one["factor"] = 0.3
    else:
        one["schedule"] = None if one["schedule"] else "linear"


def _clip(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Change, add or remove a hook."""
    one = draw(st.sampled_from(spec["optimizers"]))
    one["clip"] = draw(st.sampled_from([2.0, None if one["clip"] else 1.0]))


def _wrapper(spec: Spec, draw: Callable[[Any], Any]) -> None:
    """Change an attribute of a wrapper, or wrap the optimizers."""
    if spec["form"] == "held":
        spec["every"] = 2
    else:
        spec["form"] = "held"


@given(functions(), st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_is_no_option_is_seen_by_diff(spec: Spec, data: st.DataObject) -> None:
    assert attached_diff(spec, deepcopy(spec)).is_same
    other = deepcopy(_without_cycles(spec))
    data.draw(st.sampled_from((*CHANGES, _schedule, _clip, _wrapper)))(other, data.draw)
    assert not attached_diff(spec, other).is_same


def test_a_decay_that_a_class_reads_from_its_groups_is_shown(tmp_path: Path) -> None:
    spec: Spec = {
        "form": "list",
        "optimizers": [
            {
                "class": NoDefaults,
                "arguments": {},
                "schedule": None,
                "groups": [{"parts": ["a", "b", "c"], "entries": {"lr": 0.1, "weight_decay": 0.1}}],
            }
        ],
    }
    plan = planned(spec)
    assert {(row.lr, row.weight_decay) for row in plan.parameters} == {(0.1, 0.1)}
    spec["optimizers"][0] |= {"class": torch.optim.Rprop, "arguments": {"lr": 0.1}}
    plan = planned(spec)
    assert {(row.weight_decay, row.extra["weight_decay"]) for row in plan.parameters} == {
        (None, 0.1)
    }
