"""Whatever code does to a model, the model is as it was afterwards."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from optplan import DefaultOptimizerConstructor, OptplanError, make_plan
from optplan.model.restore_model import restored_model


class Net(nn.Module):
    """Tied and shared parts, buffers, plain attributes, hooks and gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 2)
        self.norm = nn.BatchNorm2d(3)
        self.rnn = nn.LSTM(3, 3)
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.layers[1].weight = self.layers[0].weight
        self.twin = self.layers[0]
        self.scale = nn.Parameter(torch.ones(2), requires_grad=False)
        self.register_buffer("steps", torch.zeros(3, dtype=torch.int64), persistent=False)
        self.weighted = parametrizations.weight_norm(nn.Linear(2, 2))
        self.settings = {"a": 1, "b": [2]}
        self.seen = {1, 2}
        self.norm.eval()
        self.conv.register_forward_hook(first_hook)
        self.conv.weight.register_hook(first_hook)  # type: ignore[no-untyped-call]
        self.conv.weight.note = ["mine"]  # type: ignore[attr-defined]
        self.conv.weight.grad = torch.ones_like(self.conv.weight)


def first_hook(*_: Any) -> None:
    """Does nothing."""


def put(owner: Any, name: str, value: object) -> object:
    """As ``setattr``, as an expression."""
    setattr(owner, name, value)
    return value


def second_hook(*_: Any) -> None:
    """Does nothing, either."""


HOSTILE: dict[str, Callable[[Any], object]] = {
    "mode": lambda m: m.eval(),
    "mode of a part": lambda m: m.norm.train(),
    "flags": lambda m: [p.requires_grad_(not p.requires_grad) for p in m.parameters()],
    "values": lambda m: [nn.init.zeros_(p) for p in m.parameters()],
    "values behind the back": lambda m: [p.data.fill_(7) for p in m.parameters()],
    "statistics": lambda m: [m.norm.running_mean.fill_(3), m.norm.num_batches_tracked.add_(1)],
    "half": lambda m: m.half(),
    "double": lambda m: m.double(),
    "shape": lambda m: put(m.scale, "data", torch.zeros(5, device=m.scale.device)),
    "gradients": lambda m: m.zero_grad(),
    "gradients in place": lambda m: m.zero_grad(set_to_none=False),
    "new gradients": lambda m: [put(p, "grad", torch.ones_like(p)) for p in m.parameters()],
    "module hooks": lambda m: [
        m.register_forward_hook(second_hook),
        m.conv.register_forward_pre_hook(second_hook),
        m.conv.register_full_backward_hook(second_hook),
        m._register_state_dict_hook(second_hook),
        m.conv._forward_hooks.clear(),
    ],
    "tensor hooks": lambda m: [
        m.conv.weight.register_hook(second_hook),
        m.conv.bias.register_hook(second_hook),
        m.conv.bias.register_post_accumulate_grad_hook(second_hook),
    ],
    "tensor hooks taken out": lambda m: m.conv.weight._backward_hooks.clear(),
    "a new part": lambda m: put(m, "extra", nn.Linear(1, 1)),
    "a part gone": lambda m: delattr(m, "norm"),
    "another part": lambda m: put(m, "conv", nn.Conv2d(1, 1, 1)),
    "parts in a list": lambda m: [m.layers.append(nn.Linear(1, 1)), m.layers.insert(0, m.conv)],
    "another parameter": lambda m: put(m.conv, "weight", nn.Parameter(torch.zeros(1))),
    "a parameter gone": lambda m: put(m.conv, "bias", None),
    "untied": lambda m: put(m.layers[1], "weight", nn.Parameter(torch.zeros(3, 3))),
    "parametrized": lambda m: parametrizations.weight_norm(m.layers[0]),
    "unparametrized": lambda m: nn.utils.parametrize.remove_parametrizations(m.weighted, "weight"),
    "a buffer gone": lambda m: delattr(m, "steps"),
    "persistence": lambda m: m._non_persistent_buffers_set.clear(),
    "attributes": lambda m: [put(m, "settings", {}), put(m.norm, "momentum", 0.9)],
    "what attributes hold": lambda m: [
        m.settings.update(c=3),
        m.settings.pop("a", None),
        m.seen.add(3),
    ],
    "the order": lambda m: m._modules.update(conv=m._modules.pop("conv")),
    "a parameter's attributes": lambda m: [
        m.conv.weight.note.append("theirs"),
        put(m.conv.weight, "_no_weight_decay", True),
    ],
    "the class": lambda m: put(m, "__class__", nn.Module),
    "the dict": lambda m: put(m.conv, "__dict__", {**vars(m.conv), "stride": 7}),
    "a method": lambda m: put(m, "forward", second_hook),
}


def state(model: nn.Module) -> dict[str, Any]:
    """All that can be seen of a model, by name; values are copied."""
    found: dict[str, Any] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        held = {key: (value, shallow(value)) for key, value in vars(module).items()}
        found[f"module {name}"] = (module, type(module), vars(module), held)
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    for name, tensor in tensors:
        found[f"tensor {name}"] = (
            tensor,
            tensor.requires_grad,
            tensor.dtype,
            tuple(tensor.shape),
            tensor.grad,
            {key: (value, shallow(value)) for key, value in vars(tensor).items()},
            dict(tensor._backward_hooks or {}),
            dict(getattr(tensor, "_post_accumulate_grad_hooks", None) or {}),
            0 if tensor.is_meta else tensor.data_ptr(),
        )
        if not tensor.is_meta:
            found[f"values {name}"] = (
                tensor.tolist(),
                None if tensor.grad is None else tensor.grad.tolist(),
            )
    return found


def shallow(value: object) -> object:
    return copy.copy(value) if isinstance(value, dict | list | set) else None


def is_same(one: Any, other: Any) -> bool:
    """Equal, and for all that is more than a number or a container the same object."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, torch.Tensor | nn.Module):
        return one is other
    return bool(one is other or one == other)


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in before | after if not is_same(before.get(name), after.get(name))]


def net(device: str) -> Net:
    with torch.device(device):
        return Net()


VALUES_ONLY = {"values", "values behind the back", "statistics", "gradients in place"}


@pytest.mark.parametrize("change", HOSTILE)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_each_change(device: str, change: str) -> None:
    model = net(device)
    before = state(model)
    with restored_model(model):
        HOSTILE[change](model)
        if device == "cpu" or change not in VALUES_ONLY:
            assert differences(before, state(model))  # it does change something
    assert differences(before, state(model)) == []


# What leaves nothing for the others comes last.
LAST = (
    *("flags", "another parameter", "a parameter gone", "untied", "parametrized", "unparametrized"),
    *("another part", "a part gone", "the dict", "the class"),
)


def ruin(model: Any) -> None:
    """Change all that can be changed, one after another."""
    for name in (*(name for name in HOSTILE if name not in LAST), *LAST):
        HOSTILE[name](model)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("raises", [False, True])
def test_all_changes_at_once(device: str, raises: bool) -> None:
    model = net(device)
    before = state(model)
    with contextlib.suppress(ZeroDivisionError), restored_model(model):
        ruin(model)
        1 / (not raises)
    assert differences(before, state(model)) == []


def test_the_model_still_trains_afterwards() -> None:
    model = net("cpu")
    with restored_model(model):
        ruin(model)
    assert model.norm.training is False
    model.norm(model.conv(torch.ones(2, 1, 2, 2))).sum().backward()
    assert model.conv.bias is not None
    assert model.conv.bias.grad is not None
    with torch.no_grad():
        model.conv.bias.fill_(2.0)
    assert model.conv.bias.tolist() == [2.0, 2.0, 2.0]


class Ruins(DefaultOptimizerConstructor):
    """Makes the groups, and leaves nothing as it was."""

    raises = False

    def __call__(self, model: nn.Module) -> Any:
        made = super().__call__(model)
        ruin(model)
        if self.raises:
            raise ValueError("now that it is ruined")
        return made


class RuinsAndRaises(Ruins):
    """And does not even make an optimizer."""

    raises = True


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("found", [Ruins, RuinsAndRaises])
def test_a_hostile_constructor(
    found: type[Ruins], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optplan import OPTIMIZER_CONSTRUCTORS

    entries = {**OPTIMIZER_CONSTRUCTORS.module_dict, "Ruins": found}
    monkeypatch.setattr(OPTIMIZER_CONSTRUCTORS, "_entries", entries)
    model = net(device)
    before = state(model)
    wrapper = {
        "optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.1},
        "constructor": "Ruins",
        "paramwise_cfg": {"norm_decay_mult": 0.0, "bypass_duplicate": True},
    }
    config = {"optim_wrapper": copy.deepcopy(wrapper)}
    if found.raises:
        with pytest.raises(OptplanError, match="raises ValueError: now that it is ruined"):
            make_plan(model, config)
    else:
        plan = make_plan(model, config)
        assert {row.name: row.weight_decay for row in plan.parameters}["norm.weight"] == 0.0
    assert differences(before, state(model)) == []
    assert config == {"optim_wrapper": wrapper}
