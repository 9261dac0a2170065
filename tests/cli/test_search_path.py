"""torch and timm on PYTHONPATH, as clusters have them: optplan's own use of them is as if they were installed."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT

KEYS = "paramwise_cfg=dict(custom_keys={'nosuchkey': dict(lr_mult=0.1)}))\n"
SGD = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, weight_decay=1e-4), "
CONFIGS = {
    "prefixed.py": "model = dict(type='timm:resnet18', num_classes=10)\n" + SGD + KEYS,
    "named.py": "model = dict(type='resnet18', num_classes=10)\n" + SGD + KEYS,
    "sharded.py": "model = dict(type='timm:resnet18')\noptim_wrapper = dict(optimizer=dict(\n"
    "    type='ZeroRedundancyOptimizer', optimizer_type='SGD', lr=.1), " + KEYS,
    # what a file names comes from installed distributions alone
    "symbol.py": "from torch.nn import Linear\nmodel = dict(type=Linear, in_features=1, out_features=1)\n"
    + SGD
    + KEYS,
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing installed."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


def test_check_finds_what_it_finds_otherwise(bare: Path, tmp_path: Path) -> None:
    for name, text in CONFIGS.items():
        (tmp_path / name).write_text(text)
    packages = Path(torch.__file__).parents[1]
    done = subprocess.run(
        [bare, "-m", "optplan", "check", "--select", "OPT103,OPT006", *CONFIGS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.split(":")[0] for line in done.stdout.splitlines() if " OPT103 key " in line]
    assert found == ["named.py", "prefixed.py", "sharded.py"], done.stderr
    assert "1 config" in done.stdout.splitlines()[-1]
    assert done.returncode == 1
