"""How long the guard takes for a large model, with what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.table import Row

_TRAINING = """\
import json, sys, time
import torch
from torch import nn
from optplan import PlanGuard

with torch.device("meta"):
    net = nn.Sequential(*(nn.Linear(2236, 2236) for _ in range(200)))
groups = [{"params": [one], "weight_decay": 0.1 * (one.ndim > 1)} for one in net.parameters()]
optimizer = torch.optim.AdamW(groups, lr=1e-3)
guard, taken = PlanGuard(sys.argv[1], if_missing="write"), []
for _ in range(2):
    start = time.process_time()
    guard(net, optimizer)
    taken.append(time.process_time() - start)
print(json.dumps([sum(one.numel() for one in net.parameters()), *taken]))
"""


def guard_rows(rounds: int) -> Iterator[Row]:
    """The guard of a model of a billion elements, in processes of their own."""
    with TemporaryDirectory() as folder:
        words = [sys.executable, "-c", _TRAINING, str(Path(folder) / "plan.json")]
        done = [
            json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
            for _ in range(rounds + 1)
        ]
    elements = done[0][0]
    first, again = (median(one[place] for one in done[1:]) for place in (1, 2))
    yield Row(
        what="`PlanGuard`, 400 tensors",
        value=first,
        unit="s",
        bound=0.5,
        detail=f"{elements / 1e9:.1f} billion elements, importing it among that; called again {again:.2f} s",
    )
