"""The reference loader, whose answers the tests ask for."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]
Reference = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def reference() -> Reference:
    """What the running reference makes of a file; it raises whatever it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from mmengine.config import Config
        except ImportError as error:  # pragma: no cover
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the reference is not installed: {error}")

    def load(path: Path) -> dict[str, Any]:
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data: dict[str, Any] = Config.fromfile(path, import_custom_modules=False).to_dict()
                return data
        finally:
            logging.disable(logging.NOTSET)

    return load


def same(ours: Any, theirs: Any) -> bool:
    """Equal in value, in every type inside, and in the order of keys; NaN equals NaN."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return same(list(ours), list(theirs)) and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs or (ours != ours and theirs != theirs))


@pytest.fixture(name="same")
def same_fixture() -> Callable[[Any, Any], bool]:
    return same


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes ``name=text`` files into a folder of their own, and gives the first one's path."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / next(iter(files))

    return write_files
