"""How long a load takes, as a share of what the reference takes for the same file.

Run as ``python -m tests.bench.config_load [STEP]``; STEP takes every STEP-th config only.
"""

from __future__ import annotations

import ast
import gc
import logging
import statistics
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from optplan.config import Config, load_config

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("mmpretrain", "mmseg")
BOUND = 0.12


def config_paths() -> list[Path]:
    """All Python configs that the packages carry."""
    paths: list[Path] = []
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        folder = Path(spec.submodule_search_locations[0]) / ".mim" / "configs"
        paths += sorted(folder.rglob("*.py"))
    return paths


def seconds(action: Callable[[], object]) -> float:
    """The shortest of three times that an action takes, so that a busy machine shows less."""
    times = []
    for _ in range(3):
        gc.collect(0)
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def parse_only(config: Config) -> None:
    """Parse a whole chain, and do nothing with it."""
    for source in config.sources:
        ast.parse(source.text)


def main() -> int:
    """Print the ratios; exit 1 where the median is above the bound."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from mmengine.config import Config as Reference

    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    ratios, floors, ours, theirs = [], [], [], []
    for path in config_paths()[::step]:
        try:
            config = load_config(path)
            Reference.fromfile(path, import_custom_modules=False)
        except Exception:  # noqa: BLE001 - what neither loads is not timed
            continue
        theirs.append(
            seconds(lambda: Reference.fromfile(path, import_custom_modules=False))  # noqa: B023
        )
        ours.append(seconds(lambda: load_config(path)))  # noqa: B023
        floors.append(seconds(lambda: parse_only(config)) / theirs[-1])  # noqa: B023
        ratios.append(ours[-1] / theirs[-1])
    print(f"configs            {len(ratios)}")
    print(f"reference, median  {statistics.median(theirs) * 1e3:.2f} ms")
    print(f"optplan, median    {statistics.median(ours) * 1e3:.2f} ms")
    print(f"ratio, median      {statistics.median(ratios):.3f} (bound {BOUND})")
    print(f"parsing alone      {statistics.median(floors):.3f}")
    return int(statistics.median(ratios) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
