"""Every schedule of released configs against the running reference, at all of its iterations.

Run as ``python -m tests.bench.schedule_sweep``; it takes some minutes, nearly all of them the
reference's, and fails where a value differs by more than 1e-12 of itself.
"""

from __future__ import annotations

import sys

from tests.schedule.released import compared


def main() -> int:
    """Print the counts of each package."""
    failed = False
    for package in ("mmpretrain", "mmseg"):
        found = compared(package)
        print(
            f"{package}: {found.configs} configs, {found.distinct} distinct schedules, "
            f"{found.steps} steps, largest relative difference {found.worst}",
            flush=True,
        )
        failed |= found.worst > 1e-12
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
