"""How long the courses of forty settings take, how that grows, and how much is kept meanwhile.

Run as ``python -m tests.bench.schedule``; it fails where 300,000 iterations take three seconds, where the time
grows faster than the training, or where a longer training needs more memory.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from dataclasses import replace
from typing import Any

from optplan.dialects import find_schedulers
from optplan.schedule import Schedule, Training, courses_of, schedule_of
from tests.bench.timing import growth
from tests.schedule.reference import SGD, plan_of_three

SIZES = (75_000, 150_000, 300_000)
SETTINGS = 40
LIMIT, GROWTH, MEMORY = 3.0, 1.2, 4_000_000

_WARM_UP = {"type": "LinearLR", "start_factor": 1e-4, "by_epoch": False, "end": 1500}
_ITERATIONS = {"begin": 1500, "by_epoch": False}
CASES: dict[str, list[dict[str, Any]]] = {
    "warm-up, cosine": [_WARM_UP, {"type": "CosineAnnealingLR", **_ITERATIONS}],
    "warm-up, cosine to a floor": [
        _WARM_UP,
        {"type": "CosineAnnealingLR", "eta_min": 1e-6, **_ITERATIONS},
    ],
    "warm-up, poly to a floor": [
        _WARM_UP,
        {"type": "PolyLR", "power": 0.9, "eta_min": 1e-6, **_ITERATIONS},
    ],
    "one cycle": [{"type": "OneCycleLR", "eta_max": 0.1, "by_epoch": False}],
    "two at once": [
        {"type": "ExponentialLR", "gamma": 0.99999, "by_epoch": False},
        {"type": "PolyLR", "by_epoch": False},
    ],
}


def schedule(schedulers: list[dict[str, Any]], iterations: int) -> Schedule:
    """Forty settings of different lr."""
    plan = plan_of_three()
    rows = tuple(
        plan.parameters[0]._replace(name=f"p{at}", lr=0.1 * 0.9**at, group=at, setting=at)
        for at in range(SETTINGS)
    )
    training = Training(by_epoch=False, length=iterations)
    section = find_schedulers({"param_scheduler": schedulers})
    return schedule_of(replace(plan, parameters=rows), section, training, [dict(SGD)])


def courses(one: Schedule) -> object:
    """What the terminal shows: some hundred steps of all."""
    return courses_of(one, range(0, one.length, one.length // 256))


def cpu_seconds(one: Schedule) -> float:
    """How long it takes this process, however busy the machine is."""
    start = time.process_time()
    courses(one)
    return time.process_time() - start


def peak(one: Schedule) -> int:
    """The most bytes that are kept at a time."""
    tracemalloc.start()
    courses(one)
    _, found = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found


def main() -> int:
    """Print, for each case, the seconds at each size, the growth and the memory."""
    failed = False
    heads = "".join(f"{size:>10,}" for size in SIZES)
    print(f"{SETTINGS} settings, CPU seconds {heads}    growth  peak MB")
    for title, schedulers in CASES.items():
        made = {str(size): schedule(schedulers, size) for size in SIZES}
        times = {size: min(cpu_seconds(one) for _ in range(3)) for size, one in made.items()}
        rate = growth(SIZES, list(times.values()))
        memory = peak(made[str(SIZES[-1])])
        cells = "".join(f"{time:>10.2f}" for time in times.values())
        print(f"{title:29}{cells}{rate:>10.2f}{memory / 1e6:>9.1f}", flush=True)
        slow = times[str(SIZES[-1])] > LIMIT
        failed |= slow or (rate > GROWTH and times[str(SIZES[-1])] > 0.1) or memory > MEMORY
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
