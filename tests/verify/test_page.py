"""The page on ``verify`` lists every kind of sabotage that the tests try."""

from __future__ import annotations

import pytest

from tests.conftest import Invoke
from tests.verify.page import kinds_table, section, write
from tests.verify.sabotage.table import KINDS


def test_the_page_lists_every_kind_of_sabotage(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-goldens"):
        write("kinds", kinds_table(KINDS))
    assert section("kinds") == kinds_table(KINDS)


def test_the_help_names_the_page(invoke: Invoke) -> None:
    assert "docs/verify.md" in invoke("verify", "--help").stdout
