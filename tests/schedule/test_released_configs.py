"""Every ``param_scheduler`` of two released packages, against the running reference at every step."""

from __future__ import annotations

import pytest

from tests.conftest import Tell
from tests.schedule.released import Compared, compared, decayed

# The reference takes minutes for the iterations that mmseg's configs ask for: here they are a few
# thousand each, and ``python -m tests.bench.schedule_sweep`` makes them all.
MOST = 4000
FOUND = {
    "mmpretrain": Compared(configs=513, distinct=85, steps=178_472, worst=0.0),
    "mmseg": Compared(configs=688, distinct=20, steps=79_484, worst=0.0),
}


@pytest.mark.sweep
@pytest.mark.parametrize("package", FOUND)
def test_every_config(package: str, tell: Tell) -> None:
    found = compared(package, most=MOST)
    tell(
        f"{package}: {found.configs} configs, {found.distinct} distinct schedules, {found.steps} "
        f"steps, largest relative difference {found.worst}"
    )
    assert found == FOUND[package]


@pytest.mark.sweep
@pytest.mark.parametrize("package", FOUND)
def test_what_decay_leaves(package: str, tell: Tell) -> None:
    """As a product in float64 has it, iteration by iteration, over every distinct schedule."""
    found = decayed(package, most=MOST)
    tell(
        f"{package}: {found.distinct} distinct schedules, {found.steps} iterations, largest relative "
        f"difference of the share that decay leaves {found.worst}"
    )
    assert (found.configs, found.distinct) == (FOUND[package].configs, FOUND[package].distinct)
    assert found.steps >= FOUND[package].steps
    assert found.worst < 1e-12
