"""Medians and growth, measured in one run and in turn, since machines are noisy."""

from __future__ import annotations

import math
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def medians(actions: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Median seconds of each action; one of each in turn, so that a slow spell hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(seconds(action))
    return {name: statistics.median(times) for name, times in taken.items()}


def command(words: Sequence[str]) -> Callable[[], object]:
    """A process to time; its output is thrown away, and it has to succeed."""
    return lambda: subprocess.run(words, capture_output=True, check=True)


def growth(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The exponent of the growth between the smallest and the largest size: 1 is linear."""
    return math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
