"""Hold what optplan reads of released configs against what mmcv read of them when answers were recorded.

Run from the root of the project: ``python -m tests.mmcv1.reading FOLDER...``, the folders that were recorded.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from optplan.config import load_config
from optplan.dialects import dialect_of
from tests.mmcv1.common import RECORDED

_SCHEDULE = ("lr_config", "momentum_config", "runner", "total_epochs", "total_iters", "workflow")


def main(folders: list[str]) -> int:
    """Compare the distinct sections; return 1 where one side has others."""
    sections: set[str] = set()
    schedules: set[str] = set()
    others = 0
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    for path in paths:
        if "_base_" in path.parts:
            continue
        config = load_config(path)
        data = config.to_dict()
        others += dialect_of(config).name != "mmcv1"
        if isinstance(data.get("optimizer"), dict):
            sections.add(repr(data["optimizer"]))
        if data.get("lr_config") is not None:
            schedules.add(repr({name: data[name] for name in _SCHEDULE if name in data}))
    found = json.loads(RECORDED.read_text())
    counts = found["released"]
    recorded = [one["section"] for one in found["sections"][: counts["sections"]]]
    recorded += [one["config"] for one in found["schedules"][: counts["schedules"]]]
    missing = set(map(_plain, recorded)) ^ set(map(_plain, sections | schedules))
    sys.stdout.write(f"{len(paths)} files, {others} not for mmcv 1.x, {len(missing)} differences\n")
    return int(bool(missing))


def _plain(text: str) -> str:
    return json.dumps(ast.literal_eval(text), sort_keys=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
