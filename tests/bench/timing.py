"""Medians and growth, measured in one run and in turn, since machines are noisy.

Times are processor time, in which other processes count little, unless they say otherwise.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process took: processor and wall-clock seconds."""

    cpu: float
    wall: float


# A process counts the memory of the one that started it as its own: this one is small.
_WATCHER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_memory(words: Sequence[str], *, fine: frozenset[int] = frozenset({0})) -> float:
    """The bytes that a command needs at most."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHER, *words], capture_output=True, text=True, check=True
    )
    status, kilobytes = map(int, done.stdout.split())
    assert status in fine, done.stderr
    return kilobytes * 1024.0


def usage(
    words: Sequence[str],
    *,
    fine: frozenset[int] = frozenset({0}),
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run a command, whose output is thrown away and whose status has to be a fine one."""
    # as an installed package is run; the benchmark may be started without that
    variables = {**os.environ, **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=variables
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in fine, said.decode()
    wall = time.perf_counter() - start
    return Usage(cpu=used.ru_utime + used.ru_stime, wall=wall)


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


def command(words: Sequence[str], **variables: str) -> Callable[[], float]:
    """A process to time."""
    return lambda: usage(words, environment=variables).cpu


def medians(timers: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """Median of what each timer says; one of each in turn, so that a slow spell hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in timers}
    for timer in timers.values():
        timer()  # reads files and writes bytecode, which is not what is measured
    for _ in range(rounds):
        for name, timer in timers.items():
            taken[name].append(timer())
    return {name: statistics.median(times) for name, times in taken.items()}


def growth(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The exponent of the growth between the smallest and the largest size: 1 is linear."""
    return math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
