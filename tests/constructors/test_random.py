"""Random small models under random ``paramwise_cfg``s against the running mmengine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.agreement import assert_agrees
from tests.models import DeformConv2d, ModulatedDeformConv2dPack, NestedOffsets, NormLike

Entries = dict[str, Any]

LEAVES: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(2, 2),
    "linear_without_bias": lambda: nn.Linear(2, 2, bias=False),
    "conv": lambda: nn.Conv2d(2, 2, 1),
    "conv_1d": lambda: nn.Conv1d(2, 2, 1, groups=2),
    "depthwise": lambda: nn.Conv2d(2, 2, 1, groups=2),
    "one_channel": lambda: nn.Conv2d(1, 2, 1),
    "batch_norm": lambda: nn.BatchNorm2d(2),
    "layer_norm": lambda: nn.LayerNorm(2),
    "instance_norm": lambda: nn.InstanceNorm1d(2, affine=True),
    "rms_norm": lambda: nn.RMSNorm(2),
    "norm_like": lambda: NormLike(2),
    "embedding": lambda: nn.Embedding(2, 2),
    "act": nn.ReLU,
    "dcn": lambda: DeformConv2d(2),
    "dcn_pack": lambda: ModulatedDeformConv2dPack(2),
    "dcn_nested": lambda: NestedOffsets(2),
}
NAMES = ("a", "ab", "b", "bias", "conv_offset", "norm", "0", "10", "[red]")

# A model is a list of steps, each of which hangs something below a module that is there already.
_any = st.integers(0, 20)
_name = st.sampled_from(NAMES)
STEPS = st.one_of(
    st.tuples(st.just("leaf"), _any, _name, st.sampled_from(sorted(LEAVES))),
    st.tuples(st.just("inner"), _any, _name, st.just("")),
    st.tuples(st.just("root_module"), st.just(0), st.just("module"), st.just("")),
    st.tuples(st.just("share_module"), _any, _name, _any),
    st.tuples(st.just("share_parameter"), _any, _name, _any),
    st.tuples(st.just("parameter"), _any, _name, st.integers(0, 3)),
    st.tuples(st.just("freeze"), _any, st.just(""), st.just("")),
)

_number = st.sampled_from([0, 0.0, 0.1, 1 / 3, 0.5, 1, 1.0, 2, 7.3, True])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "lr_mult": _number,
        "decay_mult": _number,
        "lr": _number,
        "weight_decay": _number,
        "momentum": _number,
        "betas": st.just((0.8, 0.9)),
        "foo": st.sampled_from([None, "bar", 1, {"a": 1}]),
    },
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "bias_lr_mult": st.none() | _number,
        "bias_decay_mult": _number,
        "norm_decay_mult": _number,
        "dwconv_decay_mult": _number,
        "flat_decay_mult": st.none() | _number,
        "dcn_offset_lr_mult": _number,
        "unknown": st.just(1),
    },
)
_rates = {"lr": st.sampled_from([0.1, 3e-4, 1]), "weight_decay": st.sampled_from([0.05, 1e-4, 0])}
OPTIMIZERS = st.builds(
    lambda kind, rates: {"type": kind, **rates},
    st.sampled_from(["SGD", "AdamW"]),
    # mostly both: what lacks one is refused for the first option that is drawn
    st.one_of(*[st.fixed_dictionaries(_rates)] * 4, st.fixed_dictionaries({}, optional=_rates)),
)


def build(steps: list[tuple[str, int, str, Any]]) -> nn.Module:
    """The model that the steps describe; a step that cannot be done is left out."""
    root = nn.Module()
    parents = [root]
    leaves: list[nn.Module] = []
    parameters: list[nn.Parameter] = []
    for what, index, name, detail in steps:
        parent = parents[index % len(parents)]
        if name in parent._modules or name in parent._parameters:
            continue
        if what == "leaf":
            leaves.append(LEAVES[detail]())
            parent.add_module(name, leaves[-1])
            parameters += leaves[-1].parameters()
        elif what in ("inner", "root_module"):
            parents.append(nn.Module())
            parent.add_module(name, parents[-1])
        elif what == "share_module" and leaves:
            parent.add_module(name, leaves[detail % len(leaves)])
        elif what == "share_parameter" and parameters:
            parent.register_parameter(name, parameters[detail % len(parameters)])
        elif what == "parameter":
            parameters.append(nn.Parameter(torch.empty((2,) * detail)))
            parent.register_parameter(name, parameters[-1])
        elif what == "freeze" and parameters:
            parameters[index % len(parameters)].requires_grad_(False)
    return root


@st.composite
def cases(draw: st.DrawFn) -> tuple[nn.Module, Entries, Entries | None]:
    """A model, an optimizer and a ``paramwise_cfg`` with keys made of pieces of the model's names."""
    with torch.device("meta"):
        steps = draw(st.lists(STEPS, max_size=14))
        model = build([("leaf", 0, "first", "linear"), *steps])
    paramwise: Entries | None = draw(st.none() | OPTIONS)
    names = [f".{name}" for name, _ in model.named_parameters(remove_duplicate=False)]
    if paramwise is not None and names and draw(st.integers(0, 3)):
        keys = {}
        for _ in range(draw(st.integers(0, 5))):
            name = draw(st.sampled_from(names))
            start = draw(st.integers(0, len(name)))
            keys[name[start : start + draw(st.integers(0, 8))]] = draw(FIELDS)
        paramwise["custom_keys"] = keys
    if paramwise is not None and draw(st.integers(0, 3)):
        paramwise["bypass_duplicate"] = True
    return model, draw(OPTIMIZERS), paramwise


@settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_random_models(case: tuple[nn.Module, Entries, Entries | None]) -> None:
    outcome = assert_agrees(*case)
    event(type(outcome).__name__)
