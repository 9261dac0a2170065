"""The plan and the optimizer equal what the running mmengine makes, over a grid of real models."""

from __future__ import annotations

import pytest

from tests.agreement import assert_agrees
from tests.grid import BASES, FAMILIES, PARAMWISE, family, paramwise_for


@pytest.mark.parametrize("paramwise_name", PARAMWISE)
@pytest.mark.parametrize("family_name", FAMILIES)
def test_grid(family_name: str, paramwise_name: str) -> None:
    for paramwise in paramwise_for(family_name, paramwise_name):
        for base in BASES.values():
            assert_agrees(family(family_name), base, paramwise)
