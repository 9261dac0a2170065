"""``python -m tests.dialects.deepspeed_runs compare|schedules FILE…``: what DeepSpeed's engine does, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from torch import nn

from tests.dialects.reference_deepspeed import engine_of, reference
from tests.dialects.released_sweep import differences


def schedule(path: Path) -> list[float]:
    """Return the lr at each of 20 steps."""
    engine = engine_of(path, nn.Linear(2, 2))
    found = []
    for _ in range(20):
        found.append(float(engine.optimizer.param_groups[0]["lr"]))
        engine.lr_scheduler.step()
    return found


if __name__ == "__main__":
    files = [Path(word) for word in sys.argv[2:]]
    if sys.argv[1] == "compare":
        print(json.dumps({str(one): differences(one, reference) for one in files}))
    else:
        print(json.dumps({str(one): schedule(one) for one in files}))
