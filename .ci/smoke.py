"""Try the optplan that is installed beside this Python, from an empty folder: run by the release on each system.

``python .ci/smoke.py`` needs nothing but what a user has: no tests, no repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

CONFIG = """optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001),
    paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys={'head': dict(lr_mult=10)}),
)
train_cfg = dict(max_epochs=3)
param_scheduler = dict(type='MultiStepLR', milestones=[1, 2])
"""
NET = """from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten())
"""
# what is typed, its exit status, and words of the report
COMMANDS = [
    ("--version", 0, "optplan "),
    ("show a.py --model net.py:net", 0, "norm"),
    ("show a.py --model resnet18 --no-cache", 0, "62 parameters"),
    ("explain a.py --model net.py:net 1.weight", 0, "norm_decay_mult"),
    ("check a.py --model net.py:net", 1, "OPT103"),
    ("diff plan.json a.py --model net.py:net --set optim_wrapper.optimizer.lr=1", 1, "0.1"),
    ("schedule a.py --model net.py:net", 0, "MultiStepLR"),
    ("verify a.py --model net.py:net --no-cost", 0, "matches"),
    ("config a.py", 0, "a.py:2"),
    ("checks OPT101", 0, "unknown-option"),
    ("show b.py --model net.py:net", 2, ""),
]


def main() -> None:
    """Check what is installed, then run the commands.

    Raises:
        SystemExit: Something is not as it must be.
    """
    files = {str(one).replace("\\", "/") for one in metadata.files("optplan") or ()}
    schemas = [one for one in files if one.startswith("optplan/schemas/")]
    strangers = {one.split("/")[0] for one in files} - {"optplan", "..", "bin", "Scripts"}
    assert "optplan/py.typed" in files
    assert len(schemas) >= 16, schemas
    assert all(one.endswith(".dist-info") for one in strangers), strangers
    ending = sysconfig.get_config_var("EXE") or ""
    command = Path(sysconfig.get_path("scripts"), f"optplan{ending}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.py").write_text(CONFIG, encoding="utf-8")
        Path(folder, "net.py").write_text(NET, encoding="utf-8")
        said = _run(
            command, ["show", "a.py", "--model", "net.py:net", "--format", "json"], folder, 0
        )
        assert len(json.loads(said)["parameters"]) == 4
        Path(folder, "plan.json").write_text(said, encoding="utf-8")
        for line, status, words in COMMANDS:
            assert words in _run(command, line.split(), folder, status), line
    print(
        f"{len(COMMANDS) + 1} commands of optplan {metadata.version('optplan')} run on {sys.version}"
    )


def _run(command: Path, words: list[str], folder: str, status: int) -> str:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "OPTPLAN_CACHE_DIR": folder}
    done = subprocess.run(
        [command, *words], cwd=folder, env=environment, capture_output=True, check=False
    )
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert done.returncode == status, f"{words}: {done.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out


if __name__ == "__main__":
    main()
