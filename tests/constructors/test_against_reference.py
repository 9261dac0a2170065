"""The plan and the optimizer equal what the running mmengine makes, over a grid of real models."""

from __future__ import annotations

import pytest

from tests.agreement import assert_agrees
from tests.grid import (
    BASES,
    FAMILIES,
    LARGE_FAMILIES,
    PARAMWISE,
    bases_for,
    family,
    paramwise_for,
)


@pytest.mark.parametrize("paramwise_name", PARAMWISE)
@pytest.mark.parametrize("family_name", FAMILIES)
def test_grid(family_name: str, paramwise_name: str) -> None:
    for paramwise in paramwise_for(family_name, paramwise_name):
        for base in bases_for(family_name, paramwise_name):
            assert_agrees(family(family_name), base, paramwise)


@pytest.mark.sweep
@pytest.mark.parametrize("base_name", BASES)
@pytest.mark.parametrize("family_name", [*FAMILIES, *LARGE_FAMILIES])
def test_whole_grid(family_name: str, base_name: str) -> None:
    for paramwise_name in PARAMWISE:
        for paramwise in paramwise_for(family_name, paramwise_name):
            assert_agrees(family(family_name), BASES[base_name], paramwise)


def test_the_grid_is_as_large_as_it_says() -> None:
    assert len(FAMILIES) >= 12
    assert len(PARAMWISE) >= 20
