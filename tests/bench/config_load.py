"""How long a load takes, as a share of what the reference takes for the same file.

By the wall clock: the reference copies files, and to wait for these is part of what its load takes.
"""

from __future__ import annotations

import ast
import gc
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from optplan.config import Config, load_config
from tests.bench.table import Row

PACKAGES = ("mmpretrain", "mmseg")
_STEP = 10


def config_folders() -> list[Path]:
    """The folders of the configs that the packages carry."""
    found = []
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        found.append(Path(spec.submodule_search_locations[0]) / ".mim" / "configs")
    return found


def config_rows(rounds: int) -> Iterator[Row]:
    """Every tenth config that both can load."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    paths = [path for folder in config_folders() for path in sorted(folder.rglob("*.py"))]
    found = [taken for path in paths[::_STEP] if (taken := _taken(path, rounds))]
    logging.disable(logging.NOTSET)
    ours, theirs, parsing = zip(*found, strict=True)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    yield Row(
        what="loading a config",
        against="mmengine's `Config.fromfile`",
        value=statistics.median(ratios),
        bound=0.12,
        detail=f"{_median(ours)} : {_median(theirs)}, parsing alone {_median(parsing)}; "
        f"{len(ratios)} released configs",
    )


def _median(times: tuple[float, ...]) -> str:
    return f"{statistics.median(times) * 1000:.2g} ms"


def _taken(path: Path, rounds: int) -> tuple[float, float, float] | None:
    """Seconds for optplan, the reference and parsing alone; None for what one of them cannot load."""
    from mmengine.config import Config as Reference

    def reference() -> Any:
        return Reference.fromfile(path, import_custom_modules=False)

    try:
        config = load_config(path)
        reference()
    except Exception:  # noqa: BLE001 - some need packages that are gone
        return None
    return (
        _shortest(lambda: load_config(path), rounds),
        _shortest(reference, rounds),
        _shortest(lambda: _parse_only(config), rounds),
    )


def _shortest(action: Callable[[], object], rounds: int) -> float:
    """The shortest of several times, so that a busy machine shows less."""
    times = []
    for _ in range(rounds):
        gc.collect(0)
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def _parse_only(config: Config) -> None:
    """Parse a whole chain, and do nothing with it."""
    for source in config.sources:
        ast.parse(source.text)
