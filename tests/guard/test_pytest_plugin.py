"""The fixture ``assert_plan`` in tests of a project's own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TRAINING = """
import torch
from torch import nn

def compare(assert_plan, lr):
    model = nn.Linear(2, 2)
    assert_plan(torch.optim.SGD(model.parameters(), lr=lr), model, "plan.json")

def test_same(assert_plan):
    compare(assert_plan, 0.1)

def test_other(assert_plan, request):
    compare(assert_plan, 0.1 if request.config.getoption("--update-plans") else 0.2)
"""


def test_the_plan_is_written_kept_and_compared(pytester: pytest.Pytester) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    pytester.makepyfile(TRAINING)
    pytester.runpytest_subprocess(*options, "--update-plans").assert_outcomes(passed=2)
    found = pytester.runpytest_subprocess(*options)
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*weight, bias: lr is 0.2, planned 0.1*"])
