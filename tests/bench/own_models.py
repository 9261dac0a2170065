"""Whether every released config, planned with its own model, equals the running reference.

Run as ``python -m tests.bench.own_models [PACKAGE]``: it prints the counts, and the reason of each config
that there is nothing to compare of.
"""

from __future__ import annotations

import sys
import time

from tests.released import Comparison, Equal, LeftOut, distinct, told, trained_configs


def main() -> int:
    """Print what was compared; exit 1 where a plan is another than the reference's groups."""
    package = sys.argv[1] if len(sys.argv) > 1 else "mmpretrain"
    everything = distinct(trained_configs(package))
    comparison = Comparison()
    start = time.process_time()
    results: list[Equal | LeftOut] = []
    unequal = 0
    for path in everything:
        try:
            results.append(comparison.of(path))
        except AssertionError as error:
            unequal += 1
            print(f"{path}: {error}")
    print("\n".join(told(results, everything)))
    print(f"{time.process_time() - start:.0f} s of one core")
    return int(unequal > 0)


if __name__ == "__main__":
    sys.exit(main())
