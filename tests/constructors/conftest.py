"""Fixtures for what makes groups."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.constructors.registering import restored_registries


@pytest.fixture
def registries() -> Iterator[None]:
    """Leave the registries as they were."""
    with restored_registries():
        yield
