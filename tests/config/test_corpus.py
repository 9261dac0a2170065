"""Every config of two released packages, against the running reference."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from optplan.config import load_config
from optplan.errors import ConfigError
from tests.conftest import Tell

# How many files a package carries, and how many of them the reference cannot load.
PACKAGES = {"mmpretrain": (930, 8), "mmseg": (821, 0)}


def configs_of(package: str) -> list[Path]:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        if os.environ.get("CI"):
            pytest.fail(f"{package} is not installed, its configs cannot be compared")
        pytest.skip(f"{package} is not installed")
    folder = Path(spec.submodule_search_locations[0]) / ".mim" / "configs"
    return sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yml", ".yaml"})


@pytest.mark.sweep
@pytest.mark.parametrize("package", PACKAGES)
def test_every_config_equals_the_references(
    package: Any, reference: Any, same: Any, tell: Tell
) -> None:
    equal = refused = 0
    different = []
    paths = configs_of(package)
    for path in paths:
        try:
            theirs = reference(path)
        except Exception:  # noqa: BLE001
            with pytest.raises(ConfigError) as caught:
                load_config(path)
            assert len(caught.value.problems) == 1
            assert "--trust" not in str(caught.value)
            refused += 1
            continue
        if same(load_config(path).to_dict(), theirs):
            equal += 1
        else:
            different.append(str(path))
    tell(f"{package}: {len(paths)} configs, {equal} equal, {refused} refused by both")
    assert different == []
    assert (len(paths), refused) == PACKAGES[package]
