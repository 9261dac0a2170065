"""Packages that cannot be imported: one message says which, and what to do; no bug of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, Run

CONFIG = SAMPLES / "bag_of_tricks.py"
# as torchvision's own code raises it where it was built for another torch
OTHER_BUILD = "import torch\n@torch.library.register_fake('torchvision::nmx')\ndef meta(): pass\n"
BROKEN = [
    ("timm", "raise RuntimeError('no such\\n operator')", "timm cannot be imported: RuntimeError: no such operator", "pip check"),
    ("torch", "import nothing_there", "torch cannot be imported: ModuleNotFoundError: No module named", "pip check"),
    ("torchvision", OTHER_BUILD, "timm cannot be imported: RuntimeError: operator torchvision::nmx", "are not of one build"),
]  # fmt: skip


@pytest.mark.parametrize(("package", "code", "said", "hint"), BROKEN)
@pytest.mark.parametrize("command", ["show", "check", "verify"])
def test_a_broken_package_is_named(
    package: str, code: str, said: str, hint: str, command: str, tmp_path: Path, run: Run
) -> None:
    site = tmp_path / "site-packages"
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").write_text(code, "utf-8")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = run(command, CONFIG, "--model", "resnet18", "--no-cache", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}"), done.stderr
    assert "  hint: " in done.stderr
    assert hint in done.stderr
    assert "bug" not in done.stderr


def test_a_package_that_is_not_there(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['timm'] = None\n", "utf-8")
    done = run(
        "show", CONFIG, "--model", "resnet18", "--no-cache", PYTHONPATH=str(tmp_path), cwd=tmp_path
    )
    assert done.returncode == 2, sys.version
    assert done.stderr == "error: timm is not installed\n  hint: pip install timm\n"
