"""Layer decay of every architecture of timm, held against timm's own.

Run ``python -m tests.bench.layer_decay``; it takes some minutes. Exits with 1 where something differs.
"""

from __future__ import annotations

import sys
import time
import warnings

import timm
import torch

from optplan import OptplanError
from tests.timm_layers import differences


def main() -> int:
    """Print the counts, and each architecture that differs or was left out."""
    warnings.simplefilter("ignore")
    start, counts = time.perf_counter(), {"equal": 0, "different": 0, "without a group_matcher": 0}
    parameters = 0
    for name in timm.list_models():
        with torch.device("meta"):
            model = timm.create_model(name)
        if not hasattr(model, "group_matcher"):
            counts["without a group_matcher"] += 1
            continue
        try:
            found: object = differences(model)
        except OptplanError as error:
            found = error
        counts["different" if found else "equal"] += 1
        parameters += sum(1 for _ in model.parameters())
        if found:
            print(f"{name}: {found}")
    print(
        f"{parameters} parameters", *(f"{count} {what}" for what, count in counts.items()), sep=", "
    )
    print(f"{time.perf_counter() - start:.0f} s")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
