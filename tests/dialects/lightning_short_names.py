"""Files of LightningCLI with short names of classes; test_lightning_cli runs this in a process of its own."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.dialects.test_lightning_cli import SHORT, assert_equal, lit, package

__all__ = ["lit", "package", "test_short_names"]


@pytest.mark.filterwarnings("ignore")
def test_short_names(
    package: str, lit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_equal(SHORT, package, lit, tmp_path, monkeypatch)
