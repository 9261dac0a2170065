"""The benchmark: ratios measured in one run, each against its own floor, as a table in Markdown.

Run ``python -m tests.bench``, or name some parts: ``python -m tests.bench help warm``. The part ``timm``
plans all of timm's architectures and asks the reference for each, which takes a quarter of an hour; it runs
only where it is named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib import import_module

from tests.bench.table import Row, markdown

Part = Callable[[int], Iterator[Row]]

PARTS = {
    "help": "startup:help_rows",
    "cold": "startup:cold_rows",
    "warm": "startup:warm_rows",
    "huggingface": "startup:huggingface_rows",
    "own": "startup:own_rows",
    "config": "config_load:config_rows",
    "plan": "planning:plan_rows",
    "growth": "planning:growth_rows",
    "configs": "check:growth_rows",
    "corpus": "check:corpus_rows",
    "checks": "check:finding_rows",
    "scale": "scale:scale_rows",
    "memory": "scale:memory_rows",
    "check": "check:check_rows",
    "guard": "guard:guard_rows",
    "timm": "timm_models:timm_rows",
}
_UNASKED = tuple(name for name in PARTS if name != "timm")


def part(name: str) -> Part:
    """What measures a part; the commands are timed before torch is imported here."""
    module, _, function = PARTS[name].partition(":")
    found: Part = getattr(import_module(f"tests.bench.{module}"), function)
    return found


def main() -> int:
    """Print the table; exit 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    for name in given.parts or _UNASKED:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        rows += part(name)(given.rounds)
    print(markdown(rows))
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
