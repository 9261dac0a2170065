"""What a step costs, and what a verification takes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from optplan.verify.results import Cost
from tests.conftest import Tell
from tests.verify.given import Cnn, config, source, verified


def cost_of(kind: Any, **arguments: Any) -> Cost:
    found = verified(source(Cnn, config(kind, **arguments)), cost=True)
    assert found.matches
    assert found.cost is not None
    return found.cost


def test_groups_as_built_and_merged() -> None:
    found = cost_of("SGD", momentum=0.9)
    assert [(one.merged, one.implementation, one.groups) for one in found.timings] == [
        (False, "default", 10),
        (True, "default", 4),
        (False, "foreach", 10),
        (True, "foreach", 4),
    ]
    # one momentum of 477 elements in float32
    assert {one.state_bytes for one in found.timings} == {4 * 477}
    assert all(0 < one.seconds < 10 for one in found.timings)
    assert found.peak_bytes is None


class OneWay(torch.optim.SGD):
    """Has no choice of implementations."""

    def __init__(self, params: object, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)  # type: ignore[arg-type]


def test_a_class_with_one_implementation() -> None:
    found = cost_of(OneWay)
    assert [(one.merged, one.implementation) for one in found.timings] == [
        (False, "default"),
        (True, "default"),
    ]


def test_what_wants_a_closure_is_not_timed() -> None:
    found = verified(source(Cnn, config("LBFGS", None, weight_decay=None)), cost=True)
    assert found.cost is None
    assert found.remarks == ("a step of this optimizer cannot be timed by itself",)


MEMORY = """
import resource
import pytest
import torch
from torch import nn
from tests.verify.given import config, source, verified

torch.set_num_threads(1)

class Wide(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(24))

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

made = config("SGD", {"custom_keys": {"layers.3": {"lr_mult": 2.0}}}, momentum=0.9)
verified(source(lambda: Wide(8), made))  # all that is loaded once
before = most()
found = verified(source(lambda: Wide(724), made))
assert found.matches
print(most() - before)
"""


@pytest.mark.sweep
def test_no_second_copy_of_the_model(tell: Tell) -> None:
    """Model, gradients and state in float64, and references of one parameter at a time."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEMORY],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},  # what is freed is given back
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    taken = int(done.stdout)
    copy = 24 * 724 * 724 * 8
    tell(f"verify: {taken / copy:.2f} times the model in float64, at most")
    # 3 copies are the model, its gradients and its momentum; a dozen layers' worth is half a copy
    assert taken < 3.6 * copy
