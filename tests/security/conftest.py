"""One watched environment for all cases."""

from __future__ import annotations

import pytest

from tests.security.environment import Environment, make_environment


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A throw-away environment whose interpreter tells what it does."""
    return make_environment(tmp_path_factory.mktemp("watched"))
