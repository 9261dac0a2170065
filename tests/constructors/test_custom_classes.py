"""Subclasses of the default constructor, and other classes that make optimizers: all that they may do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

import optplan
from optplan import DefaultOptimizerConstructor, OptplanError, Plan
from optplan.app.planning import plan_with_facts
from optplan.checks import Context
from optplan.errors import PlanError
from optplan.plan import Planned, PlannedParameter, RuleUse
from tests.checks.given import lines
from tests.constructors.registering import register

pytestmark = pytest.mark.usefixtures("registries")


class Net(nn.Module):
    """A convolution, a norm and a linear layer; one weight is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)
        self.head.bias.requires_grad_(False)


NORM = {"norm_decay_mult": 0.0}
KEYS = {"custom_keys": {"head": {"lr_mult": 10.0, "foo": 1}}, "norm_decay_mult": 0.0}


def section(paramwise: dict[str, Any] | None = None, **wrapper: Any) -> dict[str, Any]:
    options = {} if paramwise is None else {"paramwise_cfg": paramwise}
    optimizer = {"type": "SGD", "lr": 0.5, "weight_decay": 0.25, "momentum": 0.9}
    return {"optim_wrapper": {"optimizer": optimizer, "constructor": "Mine", **options, **wrapper}}


def plan_of(
    found: type,
    paramwise: dict[str, Any] | None = None,
    model: nn.Module | None = None,
    **wrapper: Any,
) -> Planned:
    optplan.OPTIMIZER_CONSTRUCTORS.register_module(name="Mine", force=True, module=found)
    return plan_with_facts(model or Net(), section(paramwise, **wrapper))


def refused(found: type, paramwise: dict[str, Any] | None = None, **wrapper: Any) -> str:
    with pytest.raises(OptplanError) as error:
        plan_of(found, paramwise, **wrapper)
    return str(error.value)


def table(plan: Plan | Planned) -> dict[str, tuple[Any, ...]]:
    """lr, weight decay and what decided them, of each row in a group."""
    rows = (plan.plan if isinstance(plan, Planned) else plan).parameters
    return {
        row.name: (row.lr, row.weight_decay, use_text(row.lr_rule), use_text(row.weight_decay_rule))
        for row in rows
        if row.group is not None
    }


def use_text(use: RuleUse | None) -> str:
    """``norm ×0.0``, ``constructor Mine ×2.0``."""
    assert use is not None
    who = f" {use.constructor}" if use.constructor else ""
    key = f" {use.key}" if use.key else ""
    return f"{use.rule.value}{who}{key}" + (" set" if use.mult is None else f" ×{use.mult}")


def row(plan: Planned, name: str) -> PlannedParameter:
    return next(row for row in plan.plan.parameters if row.name == name)


DEFAULT, NO_DECAY = "default ×1.0", "norm ×0.0"
UNTOUCHED = {
    "conv.weight": (0.5, 0.25, DEFAULT, DEFAULT),
    "conv.bias": (0.5, 0.25, DEFAULT, DEFAULT),
    "norm.weight": (0.5, 0.0, DEFAULT, NO_DECAY),
    "norm.bias": (0.5, 0.0, DEFAULT, NO_DECAY),
    "head.weight": (5.0, 0.25, "custom_key head ×10.0", "custom_key head ×1.0"),
}


class Inherits(DefaultOptimizerConstructor):
    """Nothing of its own."""


class Calls(DefaultOptimizerConstructor):
    """Overrides everything, and leaves it to its base."""

    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def __call__(self, model: nn.Module) -> Any:
        return super().__call__(model)

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        super().add_params(params, module, prefix, is_dcn_module)


class TakesKeywords(DefaultOptimizerConstructor):
    """Takes what the reference gives by name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)


class OtherNames(DefaultOptimizerConstructor):
    """As constructors of the older generation have them."""

    def __init__(self, optimizer_cfg: Any, paramwise_cfg: Any) -> None:
        super().__init__(optimizer_cfg, paramwise_cfg)


class BuildsItself(DefaultOptimizerConstructor):
    """Lets its base make the groups only."""

    def __call__(self, model: nn.Module) -> Optimizer:
        params: list[dict[str, Any]] = []
        self.add_params(params, model)
        arguments = {name: value for name, value in self.optimizer_cfg.items() if name != "type"}
        return torch.optim.SGD(params, **arguments)


@pytest.mark.parametrize("found", [Inherits, Calls, TakesKeywords, OtherNames, BuildsItself])
def test_what_is_left_to_the_default(found: type) -> None:
    planned = plan_of(found, KEYS)
    assert table(planned) == UNTOUCHED
    assert planned.plan.constructor == found.__name__
    assert row(planned, "head.weight").extra == {"lr_mult": 10.0, "foo": 1}
    assert row(planned, "head.bias").status == "frozen"
    assert planned.plan.settings == optplan.make_plan(Net(), default(KEYS)).settings


def default(paramwise: dict[str, Any] | None) -> dict[str, Any]:
    config = section(paramwise)
    del config["optim_wrapper"]["constructor"]
    return config


@pytest.mark.parametrize("paramwise", [None, {}])
@pytest.mark.parametrize("found", [Inherits, Calls])
def test_nothing_to_decide_is_left_to_the_default(
    found: type, paramwise: dict[str, Any] | None
) -> None:
    planned = plan_of(found, paramwise)
    assert set(table(planned).values()) == {(0.5, 0.25, DEFAULT, DEFAULT)}
    assert [r.group for r in planned.plan.parameters] == [0] * 6
    assert row(planned, "head.bias").status == "frozen"


def test_the_groups_of_empty_options_are_one_each() -> None:
    planned = plan_of(BuildsItself)
    assert [r.group for r in planned.plan.parameters] == [0, 1, 2, 3, 4, None]
    assert set(table(planned).values()) == {(0.5, 0.25, DEFAULT, DEFAULT)}


class ChangesSome(DefaultOptimizerConstructor):
    """Halves the lr of matrices that its base has decided."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        super().add_params(params, module, prefix, is_dcn_module)
        if not prefix:
            for group in params:
                if group["params"][0].ndim > 1:
                    group["lr"] = group.get("lr", self.base_lr) / 2


def test_what_is_changed_afterwards() -> None:
    assert table(plan_of(ChangesSome, KEYS)) == UNTOUCHED | {
        # it left their weight decay alone
        "conv.weight": (0.25, 0.25, "constructor ChangesSome ×0.5", DEFAULT),
        "head.weight": (2.5, 0.25, "constructor ChangesSome ×5.0", "custom_key head ×1.0"),
    }


class AddsAnEntry(DefaultOptimizerConstructor):
    """Writes into the groups of an optimizer that exists already."""

    def __call__(self, model: nn.Module) -> Any:
        made = super().__call__(model)
        for index, group in enumerate(made.param_groups):
            group["mine"] = (index, {"of": None})
            group["nesterov"] = True
        return made


def test_entries_that_are_added_later() -> None:
    planned = plan_of(AddsAnEntry, NORM)
    found = row(planned, "conv.bias")
    assert (found.extra, found.options) == ({"mine": (1, {"of": None})}, {"nesterov": True})
    assert table(planned)["norm.bias"] == (0.5, 0.0, DEFAULT, NO_DECAY)


class WithoutSuper(DefaultOptimizerConstructor):
    """Knows only its own rules."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        for name, parameter in module.named_parameters():
            decay = 0.0 if parameter.ndim == 1 else self.base_wd
            lr = 0.0 if name.startswith("conv") else self.base_lr
            params.append({"params": [parameter], "lr": lr, "weight_decay": decay})


def test_rules_of_its_own() -> None:
    planned = plan_of(WithoutSuper, KEYS)
    who = "constructor WithoutSuper"
    assert table(planned) == {
        "conv.weight": (0.0, 0.25, f"{who} ×0.0", f"{who} ×1.0"),
        "conv.bias": (0.0, 0.0, f"{who} ×0.0", f"{who} ×0.0"),
        "norm.weight": (0.5, 0.0, f"{who} ×1.0", f"{who} ×0.0"),
        "norm.bias": (0.5, 0.0, f"{who} ×1.0", f"{who} ×0.0"),
        "head.weight": (0.5, 0.25, f"{who} ×1.0", f"{who} ×1.0"),
        # it asks for no flags, so that the frozen one is in a group
        "head.bias": (0.5, 0.0, f"{who} ×1.0", f"{who} ×0.0"),
    }
    assert row(planned, "head.bias").status == "frozen"


class ChangesTheBase(DefaultOptimizerConstructor):
    """Changes what its base multiplies, in two of the ways there are."""

    def __call__(self, model: nn.Module) -> Any:
        self.base_wd = 1.0
        self.optimizer_cfg["lr"] = 0.125
        return super().__call__(model)


def test_other_base_values_are_the_constructors_doing() -> None:
    """No row blames a line of the config for a value that does not stand there."""
    planned = plan_of(ChangesTheBase, {"bias_decay_mult": 0.5, "norm_decay_mult": 0.0})
    who = "constructor ChangesTheBase"
    assert table(planned) == {
        "conv.weight": (0.125, 0.25, f"{who} ×1.0", DEFAULT),
        "conv.bias": (0.125, 0.5, f"{who} ×1.0", f"{who} ×2.0"),
        "norm.weight": (0.125, 0.0, f"{who} ×1.0", NO_DECAY),
        "norm.bias": (0.125, 0.0, f"{who} ×1.0", NO_DECAY),
        "head.weight": (0.125, 0.25, f"{who} ×1.0", DEFAULT),
    }


class Wrapper:
    """As mmengine's: it has an optimizer."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer


class Wraps(DefaultOptimizerConstructor):
    """Gives a wrapper around an optimizer."""

    def __call__(self, model: nn.Module) -> Any:
        return Wrapper(super().__call__(model))


class Merges(DefaultOptimizerConstructor):
    """One group for each pair of values, and none for the bias of the convolution."""

    def __call__(self, model: Any) -> Any:
        groups: list[dict[str, Any]] = []
        self.add_params(groups, model)
        merged: dict[Any, list[Any]] = {}
        for group in groups:
            if group["params"][0] is not model.conv.bias:
                key = group.get("lr"), group.get("weight_decay")
                merged.setdefault(key, []).extend(group["params"])
        entries = [
            {"params": params}
            | {n: v for n, v in zip(("lr", "weight_decay"), key, strict=True) if v is not None}
            for key, params in merged.items()
        ]
        return Wrapper(torch.optim.SGD(entries, lr=0.5, weight_decay=0.25))


def test_an_object_with_an_optimizer() -> None:
    assert table(plan_of(Wraps, KEYS)) == UNTOUCHED


def test_groups_that_are_merged_and_a_parameter_that_is_dropped() -> None:
    planned = plan_of(Merges, KEYS)
    groups = {r.name: r.group for r in planned.plan.parameters}
    assert groups == {
        "conv.weight": 0,
        "conv.bias": None,
        "norm.weight": 1,
        "norm.bias": 1,
        "head.weight": 2,
        "head.bias": None,
    }
    assert row(planned, "conv.bias").status == "uncovered"
    kept = ("conv.weight", "norm.weight", "norm.bias", "head.weight")
    assert table(planned) == {name: UNTOUCHED[name] for name in kept}
    context = Context(config=None, section=planned.section, planned=planned, has_model=True)  # type: ignore[arg-type]
    assert lines("OPT401", context) == [
        "error: 1 parameter is trainable, but in no group: conv.bias [conv.bias]"
    ]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "made no optimizer but nothing"),
        (3, "made no optimizer but a value of type int"),
        ([], "made no optimizer but an empty list"),
        ({}, "made no optimizer but an empty dict"),
        ([1, 2], "made no optimizer but a value of type list"),
        ("SGD", "made no optimizer but a value of type str"),
        (Wrapper(None), "made no optimizer but a value of type Wrapper"),  # type: ignore[arg-type]
        (torch.optim.SGD, "made no optimizer but a value of type type"),
        (nn.Linear(1, 1), "made no optimizer but a value of type Linear"),
    ],
)
def test_what_is_no_optimizer(made: object, said: str) -> None:
    class Mine(DefaultOptimizerConstructor):
        def __call__(self, model: nn.Module) -> Any:
            return made

    text = refused(Mine)
    assert text == (
        f"the constructor Mine {said} (it must return an optimizer, an object with an attribute 'optimizer',"
        " or several by name)"
    )


class Hides:
    """A property that raises."""

    @property
    def optimizer(self) -> Any:
        raise RuntimeError("not yet")


def test_a_result_that_raises_when_it_is_asked() -> None:
    class Mine(DefaultOptimizerConstructor):
        def __call__(self, model: nn.Module) -> Any:
            return Hides()

    text = refused(Mine)
    assert text.startswith("the constructor Mine raises RuntimeError: not yet (")


class Unfinished(Optimizer):
    """Never calls what makes its groups."""

    def __init__(self, params: Any) -> None:
        pass


def test_an_optimizer_without_groups() -> None:
    class Mine(DefaultOptimizerConstructor):
        def __call__(self, model: nn.Module) -> Any:
            return Unfinished(model.parameters())

    assert "the constructor Mine" in refused(Mine)


def test_what_it_may_read() -> None:
    """All that the reference's default constructor offers, by key and by attribute."""
    seen: dict[str, Any] = {}

    class Mine(DefaultOptimizerConstructor):
        def __call__(self, model: nn.Module) -> Any:
            cfg, wrapper, options = self.optimizer_cfg, self.optim_wrapper_cfg, self.paramwise_cfg
            seen.update(
                base_lr=self.base_lr,
                base_wd=self.base_wd,
                optimizer=dict(cfg),
                momentum=(cfg["momentum"], cfg.momentum, cfg.get("nothing", 7)),  # type: ignore[attr-defined]
                wrapper=dict(wrapper),
                clip=(wrapper["clip_grad"]["max_norm"], wrapper.clip_grad.max_norm),  # type: ignore[attr-defined]
                options=dict(options),
                decay=(options["norm_decay_mult"], options.norm_decay_mult),
                key=options.custom_keys["head"].lr_mult,
                missing=(hasattr(options, "nothing"), hasattr(cfg, "nothing")),
            )
            return super().__call__(model)

    plan_of(Mine, KEYS, type="OptimWrapper", clip_grad={"max_norm": 35})
    optimizer = {"type": "SGD", "lr": 0.5, "weight_decay": 0.25, "momentum": 0.9}
    assert seen == {
        "base_lr": 0.5,
        "base_wd": 0.25,
        "optimizer": optimizer,
        "momentum": (0.9, 0.9, 7),
        "wrapper": {"type": "OptimWrapper", "clip_grad": {"max_norm": 35}},
        "clip": (35, 35),
        "options": KEYS,
        "decay": (0.0, 0.0),
        "key": 10.0,
        "missing": (False, False),
    }


def test_the_older_form(registries: None) -> None:
    seen: list[Any] = []

    class Mine(DefaultOptimizerConstructor):
        def __init__(self, optimizer_cfg: Any, paramwise_cfg: Any = None) -> None:
            super().__init__(optimizer_cfg, paramwise_cfg)
            seen.extend(
                [dict(optimizer_cfg), dict(self.optimizer_cfg), dict(self.optim_wrapper_cfg)]
            )

    optplan.OPTIMIZER_CONSTRUCTORS.register_module(module=Mine)
    optimizer = {"type": "SGD", "lr": 0.5, "weight_decay": 0.25}
    config = {"optimizer": {**optimizer, "constructor": "Mine", "paramwise_cfg": dict(NORM)}}
    plan = optplan.make_plan(Net(), config)
    assert seen == [optimizer, optimizer, {}]
    assert table(plan)["norm.weight"] == (0.5, 0.0, DEFAULT, NO_DECAY)
    assert config == {"optimizer": {**optimizer, "constructor": "Mine", "paramwise_cfg": NORM}}


class ReadsNothing:
    """A class that inherits from nothing."""

    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        self.lr = optim_wrapper_cfg["optimizer"]["lr"]

    def __call__(self, model: nn.Module) -> Optimizer:
        return torch.optim.SGD(model.parameters(), lr=self.lr)


def test_a_class_that_inherits_from_nothing() -> None:
    planned = plan_of(ReadsNothing, NORM, type="OptimWrapper")
    assert table(planned)["norm.weight"] == (
        *(0.5, 0),
        *("constructor ReadsNothing ×1.0", "constructor ReadsNothing ×1.0"),
    )


@pytest.mark.parametrize("wrong", ["takes_none", "takes_three"])
def test_a_class_that_takes_other_arguments(wrong: str) -> None:
    class TakesNone(DefaultOptimizerConstructor):
        def __init__(self) -> None:
            super().__init__({})

    class TakesThree(DefaultOptimizerConstructor):
        def __init__(self, a: Any, b: Any, c: Any) -> None:
            super().__init__(a, b)

    found = {"takes_none": TakesNone, "takes_three": TakesThree}[wrong]
    assert refused(found).startswith(
        f"the constructor {found.__name__} does not take (optim_wrapper_cfg, paramwise_cfg): "
    )


RAISING = """\
import torch


@OPTIMIZER_CONSTRUCTORS.register_module()
class Raises(DefaultOptimizerConstructor):
    def __call__(self, model):
        raise ValueError('no such thing')


@OPTIMIZER_CONSTRUCTORS.register_module()
class RaisesInside(DefaultOptimizerConstructor):
    def __call__(self, model):
        return self.paramwise_cfg['decay_rate']


@OPTIMIZER_CONSTRUCTORS.register_module()
class RaisesInTorch(DefaultOptimizerConstructor):
    def __call__(self, model):
        return torch.optim.SGD(model.parameters(), lr=-1.0)


@OPTIMIZER_CONSTRUCTORS.register_module()
class Leaves(DefaultOptimizerConstructor):
    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        raise SystemExit


@OPTIMIZER_CONSTRUCTORS.register_module()
class RaisesMute(DefaultOptimizerConstructor):
    def __call__(self, model):
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError
        raise Mute
"""


@pytest.mark.parametrize(
    ("name", "said", "line"),
    [
        ("Raises", "ValueError: no such thing", 13),
        ("RaisesInside", "KeyError: 'decay_rate'", 19),
        ("RaisesInTorch", "ValueError: Invalid learning rate: -1.0", 25),
        ("Leaves", "SystemExit", 31),
        ("RaisesMute", "Mute", 40),
    ],
)
def test_what_it_raises(name: str, said: str, line: int, tmp_path: Path) -> None:
    file = register(tmp_path, RAISING)
    config = section(NORM)
    config["optim_wrapper"]["constructor"] = name
    with pytest.raises(PlanError) as error:
        optplan.make_plan(Net(), config)
    assert str(error.value) == f"the constructor {name} raises {said} ({file}:{line})"


def test_a_mistake_in_the_options_is_told_as_of_the_default() -> None:
    text = refused(Inherits, {"norm_decay_mult": "0"})
    assert "norm_decay_mult must be a number" in text


class Tied(nn.Module):
    """One tensor under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight


class NoBypass(DefaultOptimizerConstructor):
    """Puts each name into a group."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        for _, parameter in module.named_parameters(remove_duplicate=False):
            params.append({"params": [parameter]})


class NoBypassAtAll(NoBypass):
    """And leaves it to torch to see that."""

    def __call__(self, model: nn.Module) -> Any:
        params: list[Any] = []
        self.add_params(params, model)
        return torch.optim.SGD(params, lr=0.1)


def test_tied_tensors() -> None:
    option = "set bypass_duplicate=True in paramwise_cfg"
    own = "the constructor must leave out a tensor that it has put into a group already"
    text = refused(Inherits, NORM, model=Tied())
    assert text.endswith(f"which torch refuses: a.weight ({option})")
    for found in (NoBypass, NoBypassAtAll):
        assert refused(found, NORM, model=Tied()).endswith(f"({own})")
    planned = plan_of(Inherits, {**NORM, "bypass_duplicate": True}, model=Tied())
    assert [r.status.value for r in planned.plan.parameters] == ["optimized", "duplicate"]
    assert table(planned) == {"a.weight": (0.5, 0.25, DEFAULT, DEFAULT)}


class AsksTheReferencesWay(DefaultOptimizerConstructor):
    """Asks what is in a group already, as a subclass written for the reference does."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        for _, parameter in module.named_parameters(remove_duplicate=False):
            group = {"params": [parameter]}
            if not self._is_in(group, params):
                params.append(group)


def test_tied_tensors_that_it_leaves_out() -> None:
    planned = plan_of(AsksTheReferencesWay, NORM, model=Tied())
    assert [r.status.value for r in planned.plan.parameters] == ["optimized", "duplicate"]


class Layered(DefaultOptimizerConstructor):
    """Carries its scale in the groups."""

    scaled = True

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        for layer, child in enumerate(module.children()):
            scale = 0.5 ** (2 - layer)
            lr = 0.5 * scale if self.scaled else 0.5
            for parameter in child.parameters():
                params.append(
                    {"params": [parameter], "lr": lr, "lr_scale": scale, "layer_id": layer}
                )


class LayeredLater(Layered):
    """Leaves it to a scheduler to apply the scale."""

    scaled = False


def test_scales_of_layers() -> None:
    names = ("conv.weight", "norm.bias", "head.weight")
    for found, lrs in ((Layered, (0.125, 0.25, 0.5)), (LayeredLater, (0.5, 0.5, 0.5))):
        planned = plan_of(found, NORM)
        rows = [row(planned, name) for name in names]
        assert [r.lr for r in rows] == list(lrs)
        assert [(r.layer, r.lr_scale, r.effective_lr) for r in rows] == [
            (0, 0.25, 0.125),
            (1, 0.5, 0.25),
            (2, 1.0, 0.5),
        ]
        assert rows[0].extra == {"lr_scale": 0.25, "layer_id": 0}
        assert [s.lr_scale for s in planned.plan.settings] == [0.25, 0.5, 1.0]


class Freezes(DefaultOptimizerConstructor):
    """Freezes the convolution and unfreezes the head's bias."""

    def __call__(self, model: Any) -> Any:
        model.conv.requires_grad_(False)
        model.head.bias.requires_grad_(True)
        return super().__call__(model)


def test_flags_that_it_changes() -> None:
    model = Net()
    before = {name: p.requires_grad for name, p in model.named_parameters()}
    planned = plan_of(Freezes, NORM, model=model)
    assert {name: p.requires_grad for name, p in model.named_parameters()} == before
    assert {r.name: (r.status.value, r.requires_grad) for r in planned.plan.parameters} == {
        "conv.weight": ("frozen", False),
        "conv.bias": ("frozen", False),
        "norm.weight": ("optimized", True),
        "norm.bias": ("optimized", True),
        "head.weight": ("optimized", True),
        "head.bias": ("optimized", True),
    }
    context = Context(config=None, section=planned.section, planned=planned, has_model=True)  # type: ignore[arg-type]
    assert lines("OPT408", context) == [
        "warning: the constructor froze 2 parameters of the model: conv.weight, conv.bias"
        " [conv.weight conv.bias]",
        "warning: the constructor unfroze 1 parameter of the model: head.bias [head.bias]",
    ]


def test_what_it_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    class Prints(DefaultOptimizerConstructor):
        def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
            super().__init__(optim_wrapper_cfg, paramwise_cfg)
            print("made")

        def __call__(self, model: nn.Module) -> Any:
            print("called")
            os.write(1, b"written\n")
            return super().__call__(model)

    plan_of(Prints, NORM)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "made\ncalled\nwritten\n")


def test_several_calls() -> None:
    """Each plan is made by an instance of its own, from a config that stays as it is."""
    made: list[Any] = []

    class Counts(DefaultOptimizerConstructor):
        def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
            paramwise_cfg["seen"] = paramwise_cfg.pop("count") + 1
            optim_wrapper_cfg["optimizer"]["momentum"] = 0.0
            super().__init__(optim_wrapper_cfg, paramwise_cfg)
            made.append(self)

        def __call__(self, model: nn.Module) -> Any:
            super().__call__(model)  # a first, throw-away one
            return super().__call__(model)

    optplan.OPTIMIZER_CONSTRUCTORS.register_module(name="Mine", module=Counts)
    config, model = section({**NORM, "count": 1}), Net()
    plans = [optplan.make_plan(model, config) for _ in range(3)]
    assert plans[0] == plans[1] == plans[2]
    assert table(plans[0])["norm.bias"] == (0.5, 0.0, DEFAULT, NO_DECAY)
    assert config == section({**NORM, "count": 1})
    assert len(set(map(id, made))) == 3


@pytest.mark.parametrize(
    "found", [Inherits, ChangesSome, WithoutSuper, AddsAnEntry, Wraps, Merges, Layered]
)
def test_the_real_optimizer_is_as_planned(found: type) -> None:
    planned = plan_of(found, KEYS)
    model = Net()
    built = optplan.build_optimizer(model, section(KEYS))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {
        names[id(parameter)]: (index, group["lr"], group["weight_decay"])
        for index, group in enumerate(built.param_groups)
        for parameter in group["params"]
    }
    assert groups == {
        r.name: (r.group, r.lr, r.weight_decay)
        for r in planned.plan.parameters
        if r.group is not None
    }


def test_the_real_optimizer_is_on_the_model_as_the_constructor_left_it() -> None:
    plan_of(Freezes, NORM)
    model = Net()
    optplan.build_optimizer(model, section(NORM))
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == [
        "conv.weight",
        "conv.bias",
    ]


def test_a_name_that_is_no_class(tmp_path: Path) -> None:
    """A function under the name of a constructor is called as a class would be."""

    @optplan.OPTIMIZER_CONSTRUCTORS.register_module(name="Mine")
    def make(optim_wrapper_cfg: Any, paramwise_cfg: Any) -> Callable[[nn.Module], Optimizer]:
        return lambda model: torch.optim.SGD(
            model.parameters(), lr=optim_wrapper_cfg["optimizer"]["lr"]
        )

    plan = optplan.make_plan(Net(), section())
    assert table(plan)["conv.bias"][2:] == ("constructor make ×1.0", "constructor make ×1.0")
