"""No module of optplan, and no command, needs what Windows does not have."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

TIMM = "sample_configs/bag_of_tricks.py --model resnet18"
OWN = "--model sample_configs/models.py:Segmentor"
COMMANDS = {
    f"show {TIMM} --no-cache": 0,
    f"show {TIMM}": 0,
    f"show sample_configs/train.py:build_optimizer {OWN}": 0,
    f"explain {TIMM} bn1.weight": 0,
    "config sample_configs/inherited.py": 0,
    f"diff sample_configs/bias_lr.py sample_configs/layer_list.py {OWN}": 1,
    "check sample_configs/bag_of_tricks.py sample_configs/inherited.py": 0,
    f"schedule {TIMM} --epochs 3": 0,
    f"verify sample_configs/bias_lr.py {OWN} --no-cost": 0,
    "checks OPT101": 0,
    "cache info": 0,
}


def test_all_modules_are_imported_and_all_commands_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.windows.without_posix", *COMMANDS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert int(next(line for line in said if line.startswith("imported"))[9:]) > 500
    assert {line: status for line, status in COMMANDS.items() if f"{line} {status}" in said} == (
        COMMANDS
    ), done.stderr
