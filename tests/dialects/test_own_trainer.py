"""Trainers of the user's own: LoRA+, subclasses, and what their ``create_optimizer`` raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transformers
from torch import nn

from optplan.app.planning import plan_with_facts
from optplan.dialects.function.load import load_function
from tests.conftest import Invoke

CODE = """
import torch
from torch import nn
from transformers import Trainer, TrainingArguments
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(4, 4)
        self.out = nn.Linear(4, 2)
        self.layernorm = nn.LayerNorm(4)

    def forward(self, x):
        return self.out(self.q_proj(x))


def adapted():
    return get_peft_model(Net(), LoraConfig(r=2, target_modules=['q_proj']))


def make_trainer(model, lr=1e-3):
    args = TrainingArguments(output_dir='out', learning_rate=lr, weight_decay=0.1, report_to='none')
    return Trainer(model=model, args=args)


def lora_plus(model):
    optimizer = create_loraplus_optimizer(
        model, torch.optim.AdamW, lr=1e-4, loraplus_lr_ratio=16.0
    )
    args = TrainingArguments(output_dir='out', max_steps=100, report_to='none')
    return Trainer(model=model, args=args, optimizers=(optimizer, None))


class MyTrainer(Trainer):
    def create_optimizer(self, model=None):
        groups = [
            {'params': [p for n, p in self.model.named_parameters() if 'out' in n], 'lr': 0.5},
            {'params': [p for n, p in self.model.named_parameters() if 'out' not in n]},
        ]
        self.optimizer = torch.optim.SGD(groups, lr=self.args.learning_rate)
        return self.optimizer


class NoDecayOfOut(Trainer):
    def get_decay_parameter_names(self, model):
        return [n for n in super().get_decay_parameter_names(model) if 'out' not in n]


class Raises(Trainer):
    def create_optimizer(self, model=None):
        raise RuntimeError('no groups today')
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # what the user's own code makes, it makes here
    path = tmp_path / "train.py"
    path.write_text(CODE)
    return path


def settings(name: str, model: str = "Net", **arguments: Any) -> dict[str, tuple[Any, ...]]:
    config = load_function(f"train.py:{name}", arguments=arguments)
    plan = plan_with_facts(f"train.py:{model}", config).plan
    return {row.name: (row.lr, row.weight_decay) for row in plan.parameters if row.lr is not None}


def test_a_function(file: Path) -> None:
    assert settings("make_trainer", lr=0.25) == {
        "q_proj.weight": (0.25, 0.1),
        "q_proj.bias": (0.25, 0.0),
        "out.weight": (0.25, 0.1),
        "out.bias": (0.25, 0.0),
        "layernorm.weight": (0.25, 0.0),
        "layernorm.bias": (0.25, 0.0),
    }


def test_lora_plus(file: Path) -> None:
    found = settings("lora_plus", "adapted")
    assert found == {
        "base_model.model.q_proj.lora_A.default.weight": (1e-4, 0.0),
        "base_model.model.q_proj.lora_B.default.weight": (1e-4 * 16, 0.0),
    }


def test_a_class(file: Path) -> None:
    found = settings("MyTrainer", learning_rate=0.125)
    assert {name: lr for name, (lr, _) in found.items()} == {
        "q_proj.weight": 0.125,
        "q_proj.bias": 0.125,
        "out.weight": 0.5,
        "out.bias": 0.5,
        "layernorm.weight": 0.125,
        "layernorm.bias": 0.125,
    }


def test_names_that_a_class_chooses(file: Path) -> None:
    found = settings("NoDecayOfOut", weight_decay=0.5)
    assert {name for name, (_, decay) in found.items() if decay} == {"q_proj.weight"}


@pytest.mark.parametrize(
    "words",
    [
        ("show", "train.py:MyTrainer"),
        ("explain", "train.py:make_trainer", "out.bias"),
        ("diff", "train.py:make_trainer", "train.py:make_trainer"),
        ("verify", "train.py:MyTrainer"),
        ("schedule", "train.py:make_trainer", "--iters", "20"),
    ],
    ids=lambda words: words[0],
)
def test_every_command(words: tuple[str, ...], file: Path, invoke: Invoke) -> None:
    done = invoke(*words, "--model", "train.py:Net", cwd=file.parent)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_step_of_a_schedule(file: Path, invoke: Invoke) -> None:
    done = invoke(
        "schedule", "train.py:make_trainer", "--model", "train.py:Net", "--iters", "20", "--every", "1",
        "--format", "csv", cwd=file.parent,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    model = nn.Linear(2, 2)
    arguments = transformers.TrainingArguments(
        output_dir="out", learning_rate=1e-3, report_to="none", max_steps=20, use_cpu=True
    )
    trainer = transformers.Trainer(model=model, args=arguments)
    trainer.create_optimizer_and_scheduler(20)
    assert trainer.optimizer is not None
    wanted = []
    for _ in range(20):
        wanted.append(trainer.optimizer.param_groups[0]["lr"])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    rows = [line.split(",") for line in done.stdout.splitlines()]
    lr = rows[0].index("lr")
    assert [float(row[lr]) for row in rows[1::2]] == wanted


def test_what_create_optimizer_raises(file: Path, invoke: Invoke) -> None:
    done = invoke("show", "train.py:Raises", "--model", "train.py:Net", cwd=file.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert "train.py:Raises raises RuntimeError: no groups today (train.py:" in done.stderr
    assert done.stderr.count("error:") == 1


def test_unknown_arguments(file: Path, invoke: Invoke) -> None:
    words = ("show", "train.py:MyTrainer", "--model", "train.py:Net", "-a", "learning_rat=1")
    done = invoke(*words, cwd=file.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unexpected keyword argument 'learning_rat'" in done.stderr
