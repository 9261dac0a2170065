"""A fixture for the tests of a training: ``assert_plan(optimizer, model, "plan.json")``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-plans``."""
    parser.getgroup("optplan").addoption(
        "--update-plans",
        action="store_true",
        help="write the plans that assert_plan compares with anew",
    )


@pytest.fixture
def assert_plan(request: pytest.FixtureRequest) -> Callable[[Any, Any, str | Path], None]:
    """Return what compares an optimizer with a saved plan, a path relative to the test's folder.

    With ``--update-plans`` it writes the plan instead.

    Raises:
        MismatchError: What differs, with the names of the parameters; it is an ``AssertionError``.
        PlanError: There is no such plan.
    """

    def compare(optimizer: Any, model: Any, plan: str | Path) -> None:
        from optplan.guard.plan_guard import PlanGuard

        path = Path(request.path).parent / plan
        is_new = request.config.getoption("--update-plans")
        if is_new:
            path.unlink(missing_ok=True)
        PlanGuard(path, if_missing="write" if is_new else "raise")(model, optimizer)

    return compare
