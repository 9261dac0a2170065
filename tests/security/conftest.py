"""One watched environment for all cases."""

from __future__ import annotations

import pytest

from tests.security.environment import Environment, make_environment


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A throw-away environment whose interpreter tells what it does."""
    return make_environment(tmp_path_factory.mktemp("watched"))


# Each of these starts several processes that import torch, or waits for a bound: too long for every run.
_LONG = frozenset(
    {
        *("test_other_commands", "test_what_never_ends", "test_an_import_that_never_ends"),
        "test_alone_beside_a_good_file",
        *("test_modules_beside_with_workers", "test_settings_and_the_other_commands"),
        *("test_imported_code_does_not_see_the_command_line", "test_spellings_of_the_search_path"),
        *("test_settings_of_the_current_folder", "test_settings_of_a_folder_that_is_checked"),
        *("test_two_hundred_files", "test_what_differs_is_not_called_equal"),
        *(
            "test_a_neighbour_of_the_users_module_is_not_imported",
            "test_the_users_module_runs_once",
        ),
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that .github/workflows/attacks.yml runs: ``pytest -m long tests/security``."""
    for item in items:
        if getattr(item, "originalname", None) in _LONG:
            item.add_marker("long")
