"""How long checking every config of two released packages takes, without a model."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.bench.config_load import config_folders
from tests.bench.table import Row, ratio
from tests.bench.timing import Usage, growth, medians, peak_memory, seconds, usage

_CORPUS_COPIES = 3
_COPIES = (200, 800, 3200)
_FINE = frozenset({0, 1})  # findings are none of its business


def check_rows(rounds: int) -> Iterator[Row]:
    """One process and two."""
    words = [str(folder) for folder in config_folders()]
    _check(words, 1)
    one, two = [], []
    for _ in range(rounds):
        one.append(_check(words, 1))
        two.append(_check(words, 2))
    walls = [statistics.median(run.wall for run in runs) for runs in (one, two)]
    yield Row(
        what="`check --jobs 1` of the released configs of mmpretrain and mmseg",
        value=walls[0],
        unit="s",
        detail="wall-clock time",
    )
    some = _words([f"{words[0]}/resnet"], 1)
    yield ratio("`check --jobs 2` of the same", walls[1], "`--jobs 1`", walls[0])
    yield Row(
        what="memory of it",
        against="checking a few",
        value=peak_memory(_words(words, 1), fine=_FINE) / peak_memory(some, fine=_FINE),
        bound=1.25,
    )


def corpus_rows(rounds: int) -> Iterator[Row]:
    """Copies of the released configs, in one process."""
    with TemporaryDirectory() as folder:
        for copy in range(_CORPUS_COPIES):
            for number, configs in enumerate(config_folders()):
                copytree(configs, Path(folder) / f"{copy}_{number}")
        count = sum(1 for _ in Path(folder).rglob("*.py"))
        times = [_check([folder], 1).cpu for _ in range(min(rounds, 3))]
    yield Row(
        what=f"`check --jobs 1` of {count:,} configs",
        value=min(times),
        unit="s",
        bound=20.0,
        detail=f"processor time, {_CORPUS_COPIES} copies of the released configs",
    )


def finding_rows(rounds: int) -> Iterator[Row]:
    """All checks of every released config, held against reading the configs."""
    from optplan.checks import ALL_CHECKS
    from optplan.config import load_config
    from optplan.errors import ConfigError
    from tests.checks.test_released_configs import context_for

    checking, reading = [], []
    paths = [path for folder in config_folders() for path in sorted(folder.rglob("*.py"))]
    for _ in range(rounds):
        checked = read = 0.0
        for path in paths:
            start = perf_counter()
            try:
                config = load_config(path)
            except ConfigError:
                continue
            loaded = perf_counter()
            context = context_for(config)
            for check in ALL_CHECKS:
                list(check.run(context))
            read, checked = read + loaded - start, checked + perf_counter() - loaded
        checking.append(checked)
        reading.append(read)
    what, against = "all checks of the released configs, without a model", "reading them"
    found = [statistics.median(times) for times in (checking, reading)]
    yield ratio(what, found[0], against, found[1], 0.4)


def growth_rows(rounds: int) -> Iterator[Row]:
    """Copies of a config, each with keys of its own."""
    with TemporaryDirectory() as folder:
        folders = {count: _written(Path(folder) / str(count), count) for count in _COPIES}
        timers = {str(count): partial(_run_here, copies) for count, copies in folders.items()}
        times = list(medians(timers, rounds=rounds).values())
    yield Row(
        what="growth of `check` in the number of configs",
        value=growth(_COPIES, times),
        bound=1.1,
        detail=f"{_COPIES[0]} to {_COPIES[-1]:,}",
    )


def _check(words: list[str], jobs: int) -> Usage:
    return usage(_words(words, jobs), fine=_FINE)


def _words(words: list[str], jobs: int) -> list[str]:
    return [sys.executable, "-m", "optplan", "check", *words, "--no-model", "--jobs", str(jobs)]


def _written(folder: Path, count: int) -> Path:
    """A folder of that many configs."""
    folder.mkdir()
    for number in range(count):
        (folder / f"config{number}.py").write_text(
            f"optimizer = dict(type='SGD', lr={number + 1}, paramwise_cfg=dict(\n"
            f"    norm_decay_mult=0., custom_keys=dict(layer{number}=dict(lr_mult=0.1))))\n",
            encoding="utf-8",
        )
    return folder


def _run_here(folder: Path) -> float:
    from optplan.app.check import check_configs
    from optplan.checks import ALL_CHECKS
    from optplan.checks.session import Request

    request = Request(words=(str(folder),), models=False)
    return seconds(lambda: check_configs(request, ALL_CHECKS, workers={}))
