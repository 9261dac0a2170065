"""How long checking every config of two released packages takes, without a model.

Run as ``python -m tests.bench.check``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("mmpretrain", "mmseg")
SECONDS = 15.0
SPEED_UP = 1.6
GROWTH = 1.25
ROUNDS = 3


def folders() -> list[str]:
    """The folders of the configs that the packages carry."""
    found = []
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        found.append(str(Path(spec.submodule_search_locations[0]) / ".mim" / "configs"))
    return found


def run(words: list[str], jobs: int) -> tuple[float, float]:
    """Seconds, and the peak memory in MiB of the process and its largest child."""
    command = [sys.executable, "-m", "optplan", "check", *words, "--no-model", "--jobs", str(jobs)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}, process.returncode
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> int:
    """Print the times and the memory; exit 1 where a bound is broken."""
    everything = folders()
    some = [f"{everything[0]}/resnet"]
    times: dict[int, list[float]] = {1: [], 2: []}
    memory = few = 0.0
    for _ in range(ROUNDS):
        for jobs, taken in times.items():
            seconds, used = run(everything, jobs)
            taken.append(seconds)
            memory = max(memory, used) if jobs == 1 else memory
        few = max(few, run(some, 1)[1])
    one, two = statistics.median(times[1]), statistics.median(times[2])
    print(f"one process    {one:.2f} s (bound {SECONDS:.0f})")
    print(f"two processes  {two:.2f} s, {one / two:.2f} times as fast (bound {SPEED_UP})")
    print(
        f"memory         {memory:.0f} MiB, {few:.0f} MiB for a few configs (bound {GROWTH} times)"
    )
    return int(one > SECONDS or one / two < SPEED_UP or memory / few > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
