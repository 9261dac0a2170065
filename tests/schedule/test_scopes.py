"""Schedulers that a scope's package registers under names of MMEngine's, told by its source."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from optplan.config import Namespace
from optplan.errors import ConfigError
from optplan.registries import RegistryKind, _written_names, is_replaced

SOURCE = """\
from mmengine.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class ConstantLR: ...


@PARAM_SCHEDULERS.register_module(force=True)
class OwnLR: ...


class PolyLR: ...
"""


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    _written_names.cache_clear()
    yield
    _written_names.cache_clear()


@pytest.mark.parametrize(
    ("name", "expected"), [("ConstantLR", True), ("OwnLR", True), ("PolyLR", False)]
)
def test_the_source_of_a_package_that_is_not_imported(
    name: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine" / "schedulers").mkdir(parents=True)
    (tmp_path / "engine" / "schedulers" / "own.py").write_text(SOURCE)
    monkeypatch.setattr("optplan.registries.package_folder", lambda _: str(tmp_path))
    assert is_replaced(RegistryKind.SCHEDULERS, name, Namespace(scope="own_scope")) is expected


def test_a_released_package_that_is_not_installed() -> None:
    """mmpose has a ConstantLR of its own, and configs that give it a factor of 2.5."""
    assert is_replaced(RegistryKind.SCHEDULERS, "ConstantLR", Namespace(scope="mmpose"))
    assert not is_replaced(RegistryKind.SCHEDULERS, "LinearLR", Namespace(scope="mmpose"))
    assert not is_replaced(RegistryKind.SCHEDULERS, "ConstantLR", Namespace(scope="mmdet"))


def test_the_source_of_a_package_that_raises_on_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there in part, as after a config of its own that was checked before."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "own.py").write_text(SOURCE)
    monkeypatch.setattr("optplan.registries.package_folder", lambda _: str(tmp_path))
    monkeypatch.setitem(sys.modules, "half_there", ModuleType("half_there"))

    def raising(*_: object) -> None:
        raise ConfigError("the package 'half_there' is installed but raises on import")

    monkeypatch.setattr("optplan.registries.registered", raising)
    scope = Namespace(scope="half_there")
    assert is_replaced(RegistryKind.SCHEDULERS, "ConstantLR", scope)
    assert not is_replaced(RegistryKind.SCHEDULERS, "PolyLR", scope)
