"""Real steps on the batch that a library says a model takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Invoke

MODULE = """
import torch
from torch import nn
import lightning as L


class Net(L.LightningModule):
    def __init__(self, form="tensor"):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.unused = nn.Linear(2, 2)
        x = torch.zeros(2, 4)
        self.example_input_array = {
            "tensor": x, "tuple": (x, 2.0), "dict": {"x": x, "by": 3.0}, "bad": torch.zeros(3, 9),
        }[form]

    def forward(self, x, by=1.0):
        return self.body(x) * by

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)
"""
TINY = {
    "llama": "num_hidden_layers=1 hidden_size=8 intermediate_size=8 num_attention_heads=2"
    " num_key_value_heads=2 vocab_size=16",
    "t5": "num_layers=1 d_model=8 d_kv=4 num_heads=2 d_ff=8 vocab_size=16",
    "vit": "num_hidden_layers=1 hidden_size=8 intermediate_size=8 num_attention_heads=2 image_size=16",
}
_STEP = ("verify", "--no-cost", "--steps", "1")


@pytest.mark.parametrize("form", ["tensor", "tuple", "dict"])
def test_example_input_array(form: str, tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "lit.py").write_text(MODULE)
    done = invoke(*_STEP, "lit.py:Net", "-k", f"form={form}", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "real step   input 2×4, loss " in done.stdout
    assert "2 parameters without gradient: unused.weight, unused.bias" in done.stdout


def test_an_example_that_the_model_refuses(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "lit.py").write_text(MODULE)
    done = invoke(*_STEP, "lit.py:Net", "-k", "form=bad", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "real step   left out, with its own example_input_array the model raises" in done.stdout
    done = invoke(*_STEP, "lit.py:Net", "-k", "form=bad", "--forward", cwd=tmp_path)
    assert done.returncode == 2
    assert "the model raises in a training step" in done.stderr


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("llama", "input 3×5, loss "),
        ("t5", "input 3×5, 3×5, 3×5, loss "),
        ("vit", "left out, the input is not known"),
    ],
)
def test_dummy_inputs(kind: str, said: str, tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "args.yaml").write_text(
        "output_dir: out\nlearning_rate: 0.001\noptim: adamw_torch\n"
    )
    given = [word for one in TINY[kind].split() for word in ("-k", one)]
    done = invoke(*_STEP, "args.yaml", "--model", f"hf:{kind}", *given, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"real step   {said}" in done.stdout
