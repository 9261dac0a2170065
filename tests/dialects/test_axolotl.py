"""axolotl's YAML where axolotl is not installed; ``tests/environments/axolotl`` has the rest."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from tests.conftest import Invoke

TEXT = """
base_model: org/tiny-llama
datasets:
  - {path: org/answers, type: alpaca}
sequence_len: 512
micro_batch_size: 2
learning_rate: 0.0002
"""


@pytest.mark.skipif(util.find_spec("axolotl") is not None, reason="axolotl is installed")
def test_not_installed(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "axolotl.yaml").write_text(TEXT)
    words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("show", "axolotl.yaml", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the optimizer is made by axolotl's trainer, which is not installed" in done.stderr
    assert "pip install axolotl" in done.stderr


def test_the_updates_of_an_epoch_are_not_known(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "axolotl.yaml").write_text(TEXT)
    words = ("--model", "torch.nn:Linear", "-k", "in_features=2", "-k", "out_features=2")
    done = invoke("schedule", "axolotl.yaml", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the file has no max_steps" in done.stderr
    assert "--iters" in done.stderr
