"""What the dtype of the training cannot show."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from optplan.verify.results import Movement
from tests.verify.given import Cnn, config, source, verified


class Ones(nn.Module):
    """A weight of ones, one of thousandths, and one of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.ones = nn.Parameter(torch.ones(64))
        self.small = nn.Parameter(torch.full((64,), 0.001))
        self.zeros = nn.Parameter(torch.zeros(64))


@pytest.mark.parametrize(
    ("dtype", "lr", "lost"),
    [
        # half of the spacing below 1 is 2**-9 = 0.00195 in bfloat16, 2**-12 = 0.000244 in float16
        (torch.bfloat16, 0.0005, {"ones"}),
        (torch.bfloat16, 0.02, set()),
        (torch.float16, 0.0005, set()),
        (torch.float16, 0.00003, {"ones"}),
        (None, 0.00003, set()),
        (None, 1e-9, {"ones"}),
    ],
)
def test_an_update_below_resolution(dtype: torch.dtype | None, lr: float, lost: set[str]) -> None:
    """SGD with gradients of about 1: the update is about the lr."""
    made = config("SGD", {}, lr=lr, weight_decay=None)
    found = verified(source(Ones, made), dtype=dtype)
    assert {
        one.name
        for one in found.parameters
        if one.trained is not None and one.trained.movement is Movement.BELOW_RESOLUTION
    } == lost
    assert all(one.exact.movement is Movement.MOVED for one in found.parameters)
    assert found.matches  # what a dtype cannot show is no fault of the optimizer
    assert {one.name for one in found.unchecked} == lost


class Overflows(torch.optim.SGD):
    """Goes through numbers that float16 does not have."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                one.mul_(1e6).div_(1e6)
        return super().step(closure)


def test_what_is_not_finite_in_the_training_deviates() -> None:
    found = verified(source(Ones, config(Overflows, {})), dtype=torch.float16)
    assert {one.name: one.trained and one.trained.reason for one in found.parameters} == {
        "ones": "is not finite in float16",
        "small": "",
        "zeros": "",
    }
    assert not found.matches


def test_float64_needs_no_second_run() -> None:
    found = verified(source(Cnn, config()), dtype=torch.float64)
    assert found.matches
    assert all(one.trained is None for one in found.parameters)
    assert found.place.dtypes == ("float64",)


class Mixed(Cnn):
    """The head is in bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.head.bfloat16()


def test_each_parameter_keeps_the_dtype_that_the_model_gives_it() -> None:
    found = verified(source(Mixed, config()))
    assert found.place.dtypes == ("float32", "bfloat16")
    assert found.matches


def test_complex_parameters() -> None:
    class Waves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.waves = nn.Parameter(torch.ones(5, dtype=torch.complex64))

    found = verified(source(Waves, config("AdamW", {})))
    assert found.matches
    assert found.parameters[0].exact.movement is Movement.MOVED


def test_sparse_gradients_of_an_embedding() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(6, 4, sparse=True)

    found = verified(source(Words, config("SparseAdam", {}, weight_decay=None)))
    assert found.matches
    assert found.parameters[0].exact.movement is Movement.MOVED
