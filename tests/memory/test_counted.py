"""The state of real optimizers on the CPU, counted after real steps, against what is told without them."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dadaptation  # type: ignore[import-untyped]
import prodigyopt  # type: ignore[import-untyped]
import pytest
import pytorch_optimizer
import schedulefree  # type: ignore[import-untyped]
import timm.optim
import torch
from came_pytorch import CAME  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.optim import Optimizer

import optplan
from optplan.app.memory import memory_of
from optplan.plan.memory import StateMethod
from tests.memory.models import Matrices, Mixed, Words

Make = Callable[[Any], Optimizer]
OTHERS: dict[str, Make] = {
    "Lion": lambda given: pytorch_optimizer.Lion(given, lr=1e-3),
    "Adan": lambda given: pytorch_optimizer.Adan(given, lr=1e-3),
    "AdaBelief": lambda given: pytorch_optimizer.AdaBelief(given, lr=1e-3),
    "Lamb": lambda given: timm.optim.Lamb(given, lr=1e-3),
    "timm.AdafactorBigVision": lambda given: timm.optim.AdafactorBigVision(given, lr=1e-3),
    "timm.Adopt": lambda given: timm.optim.Adopt(given, lr=1e-3),
    "AdamWScheduleFree": lambda given: schedulefree.AdamWScheduleFree(given, lr=1e-3),
    "SGDScheduleFree": lambda given: schedulefree.SGDScheduleFree(given, lr=1e-3),
    "Prodigy": lambda given: prodigyopt.Prodigy(given, lr=1.0),
    "DAdaptAdam": lambda given: dadaptation.DAdaptAdam(given, lr=1.0),
    "CAME": lambda given: CAME(given, lr=1e-3),
    "AdamW amsgrad": lambda given: torch.optim.AdamW(given, lr=1e-3, amsgrad=True),
    "AdamW fused": lambda given: torch.optim.AdamW(given, lr=1e-3, fused=True),
    "SGD momentum": lambda given: torch.optim.SGD(given, lr=1e-3, momentum=0.9),
    "RMSprop centered": lambda given: torch.optim.RMSprop(given, momentum=0.9, centered=True),
    "LBFGS of 7": lambda given: torch.optim.LBFGS(given, history_size=7, max_iter=3),
}


def of_torch() -> Iterator[str]:
    for name, found in vars(torch.optim).items():
        if inspect.isclass(found) and issubclass(found, Optimizer) and found is not Optimizer:
            yield name


def made(name: str) -> tuple[nn.Module, Optimizer]:
    """A model that the class takes, and the real optimizer on it."""
    model: nn.Module = {"Muon": Matrices, "SparseAdam": Words, "LBFGS": Matrices}.get(name, Mixed)()
    if name.startswith(("LBFGS", "AdamW fused")):
        model = Matrices()
    with torch.no_grad():  # Prodigy keeps less of what is zero
        for one in model.parameters():
            one.normal_()
    make = OTHERS.get(name) or getattr(torch.optim, name)
    return model, make(list(model.parameters()))


def stepped(optimizer: Optimizer, model: nn.Module) -> None:
    """Real steps with gradients of a slope that never ends, so that a history fills."""
    if callable(train := getattr(optimizer, "train", None)):
        train()
    torch.manual_seed(0)

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        for one in model.parameters():
            if one.requires_grad:
                one.grad = torch.randn_like(one.detach())
                if isinstance(model, Words):
                    one.grad = one.grad.to_sparse(1)
                total += one.detach().float().square().sum()
        return total

    is_closed = isinstance(optimizer, torch.optim.LBFGS)
    for _ in range(80 if is_closed else 5):
        if is_closed:
            optimizer.step(loss)  # type: ignore[arg-type]
        else:
            loss()
            optimizer.step()


def counted(value: Any) -> dict[int, Tensor]:
    """The tensors inside nested values, by their id."""
    if isinstance(value, Tensor):
        return {id(value): value}
    inner: Any = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list | tuple):
        return {}
    return {key: tensor for one in inner for key, tensor in counted(one).items()}


def by_dtype(optimizer: Optimizer) -> dict[str, int]:
    found: dict[str, int] = {}
    for tensor in counted(dict(optimizer.state)).values():
        name = str(tensor.dtype).removeprefix("torch.")
        found[name] = found.get(name, 0) + tensor.numel() * tensor.element_size()
    return found


@pytest.mark.parametrize("name", [*of_torch(), *OTHERS])
@pytest.mark.parametrize("is_small", [True, False])
def test_as_torch_counts_it(name: str, is_small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_small:  # nothing is stepped in its real shape in memory
        monkeypatch.setattr("optplan.verify.optimizer_state._MOST_ELEMENTS", {False: 0, True: 0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, optimizer = made(name)
        plan = optplan.Plan.from_optimizer(model, optimizer)
        stepped(optimizer, model)
        memory = memory_of(plan, plan.parameters)
    assert StateMethod.UNKNOWN not in {state.method for state in memory.states}
    told: dict[str, int] = {}
    for row in memory.rows:
        for dtype, size in (row.whole.state or {}).items():
            told[dtype] = told.get(dtype, 0) + size
    assert told == by_dtype(optimizer)
    assert sum(row.whole.parameters for row in memory.rows) == sum(
        one.untyped_storage().nbytes() for one in model.parameters()
    )
    dense = [one.grad.to_dense() for one in model.parameters() if one.grad is not None]
    assert sum(row.whole.gradients for row in memory.rows) == sum(
        one.numel() * one.element_size() for one in dense
    )
