"""The length of Lightning's trainings: equal to real ones, step for step."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from optplan.dialects.function.trainer_length import trainer_length
from tests.conftest import Invoke

MODULE = """
import torch
import {package} as L
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR


class Counted(L.LightningModule):
    def __init__(self, often: int = 1, seldom: int = 1):
        super().__init__()
        self.often, self.seldom = often, seldom
        self.net = torch.nn.Linear(1, 1)

    def training_step(self, batch, index=0):
        return self.net(batch).sum()

    def configure_optimizers(self):
        one = torch.optim.SGD(self.parameters(), lr=1.0)
        steps = self.trainer.estimated_stepping_batches
        return [one], [
            {{'scheduler': LambdaLR(one, lambda n: 1 + n / steps), 'interval': 'step', 'frequency': self.often}},
            {{'scheduler': ExponentialLR(one, 0.5), 'interval': 'epoch', 'frequency': self.seldom}},
        ]
"""
QUIET: dict[str, Any] = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
    "enable_model_summary": False, "accelerator": "cpu", "devices": 1,
}  # fmt: skip
# Arguments of the trainer, those of the module, and the batches of an epoch.
Case = tuple[dict[str, Any], dict[str, int], int]
CASES: list[Case] = [
    ({"max_epochs": 4, "max_steps": 20}, {}, 10),
    ({"max_epochs": 2, "max_steps": 25, "accumulate_grad_batches": 3}, {}, 10),
    ({"max_epochs": 9, "max_steps": 13, "accumulate_grad_batches": 2}, {"often": 3}, 7),
    ({"max_epochs": 3, "accumulate_grad_batches": 4}, {"often": 2, "seldom": 2}, 10),
    ({"max_epochs": -1, "max_steps": 17}, {"often": 4}, 6),
    ({"max_steps": 9, "accumulate_grad_batches": 5}, {"seldom": 3}, 7),
    ({"max_epochs": 3, "limit_train_batches": 0.5}, {"often": 2}, 9),
    ({"max_epochs": 3, "limit_train_batches": 4, "accumulate_grad_batches": 3}, {}, 9),
    ({"max_epochs": 3, "overfit_batches": 2, "max_steps": 5}, {}, 9),
    ({"max_epochs": 3, "max_steps": -1, "fast_dev_run": 3, "accumulate_grad_batches": 2}, {}, 9),
]


def _generated(count: int) -> list[Case]:
    chance = random.Random(20)
    cases: list[Case] = []
    for _ in range(count):
        trainer: dict[str, Any] = {
            "max_epochs": chance.choice([None, -1, 1, 2, 3, 5]),
            "max_steps": chance.choice([-1, 1, 4, 11, 16, 40]),
            "accumulate_grad_batches": chance.randint(1, 5),
            "limit_train_batches": chance.choice([None, 1.0, 0.4, 3, 50]),
        }
        if trainer["max_steps"] == -1 and trainer["max_epochs"] in (None, -1):
            trainer["max_epochs"] = 4
        module = {"often": chance.randint(1, 4), "seldom": chance.randint(1, 3)}
        cases.append((trainer, module, chance.randint(3, 12)))
    return cases


@pytest.fixture
def lit(tmp_path: Path) -> Path:
    (tmp_path / "lit.py").write_text(MODULE.format(package="lightning"))
    return tmp_path


class Recording(lightning.Callback):
    """Notes the lr of each step."""

    def __init__(self) -> None:
        self.lr: list[float] = []

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        self.lr.append(optimizer.param_groups[0]["lr"])


def fitted(folder: Path, case: Case) -> list[float]:
    """The lr of each step of a real training."""
    trainer, arguments, batches = case
    spec = importlib.util.spec_from_file_location("fitted_lit", folder / "lit.py")
    assert spec is not None
    assert spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    recording = Recording()
    real = lightning.Trainer(
        **trainer, **QUIET, callbacks=[recording], default_root_dir=folder
    )  # fmt: skip
    samples: Any = torch.ones(batches, 1)
    real.fit(code.Counted(**arguments), torch.utils.data.DataLoader(samples, batch_size=1))
    return recording.lr


def planned(invoke: Invoke, folder: Path, case: Case, *words: str) -> list[float]:
    """The lr of each step as ``schedule`` has it."""
    trainer, arguments, batches = case
    model = {"class_path": "lit.Counted", "init_args": arguments}
    given = {name: value for name, value in trainer.items() if value is not None}
    (folder / "cli.json").write_text(json.dumps({"trainer": given, "model": model}))
    words = words or ("cli.json", "--import", "lit.py")
    done = invoke(
        "schedule", *words, "--iters-per-epoch", str(batches), "--every", "1", "--format", "csv",
        cwd=folder,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(",") for line in done.stdout.splitlines()]
    return [float(row[rows[0].index("lr")]) for row in rows[1:]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_files_equal_real_trainings(case: Case, lit: Path, invoke: Invoke) -> None:
    assert planned(invoke, lit, case) == fitted(lit, case)


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore")
def test_generated_files_equal_real_trainings(lit: Path, invoke: Invoke) -> None:
    for case in _generated(60):
        assert planned(invoke, lit, case) == fitted(lit, case), case


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES[:6], ids=str)
def test_modules_equal_real_trainings(case: Case, lit: Path, invoke: Invoke) -> None:
    """What a file says may be said of a module alone."""
    trainer, arguments, _ = case
    words = ["lit.py:Counted"]
    for sign, given in (("-a", trainer), ("-k", arguments)):
        words += [word for name, value in given.items() for word in (sign, f"{name}={value}")]
    assert planned(invoke, lit, case, *words) == fitted(lit, case)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("words", "trainer"), [
    (("--epochs", "2"), {"max_epochs": 2, "accumulate_grad_batches": 3}),
    (("--iters", "5"), {"max_epochs": -1, "max_steps": 5, "accumulate_grad_batches": 3}),
])  # fmt: skip
def test_the_command_line_counts_instead(
    words: tuple[str, ...], trainer: dict[str, Any], lit: Path, invoke: Invoke
) -> None:
    file: Case = ({"max_epochs": 7, "max_steps": 9, "accumulate_grad_batches": 3}, {}, 8)
    planned(invoke, lit, file)  # writes it
    found = planned(invoke, lit, file, "cli.json", "--import", "lit.py", *words)
    assert found == fitted(lit, (trainer, {}, 8))


def test_what_the_trainer_makes_of_no_length() -> None:
    assert trainer_length({}, None).answers() == {
        "max_epochs": 1000, "max_steps": -1, "accumulate_grad_batches": 1,
    }  # fmt: skip
    assert trainer_length({"max_steps": 8}, None).estimated == 8
    assert trainer_length({"max_epochs": 3}, None).estimated is None


BAD = {
    "both": ({"max_epochs": 3, "max_steps": 9}, "which comes first, 3 epochs or 9 steps?"),
    "endless": ({"max_epochs": -1}, "max_epochs and max_steps are -1: it has no end"),
    "no count": ({"max_epochs": "many"}, "max_epochs must be a whole number, got str 'many'"),
    "none": ({"max_epochs": 0}, "max_epochs must be at least 1, got 0"),
    "limit": ({"max_epochs": 2, "limit_train_batches": 1.5}, "refuses it: You have passed invalid value 1.5"),
    "text": ({"max_epochs": 2, "accumulate_grad_batches": []}, "must be a whole number, got list []"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BAD)
def test_bad_lengths(name: str, lit: Path, invoke: Invoke) -> None:
    trainer, said = BAD[name]
    model = {"class_path": "lit.Counted"}
    (lit / "cli.json").write_text(json.dumps({"trainer": trainer, "model": model}))
    done = invoke("schedule", "cli.json", "--import", "lit.py", cwd=lit)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.filterwarnings("ignore")
def test_a_trainers_answer_is_said_for_a_file(lit: Path, invoke: Invoke) -> None:
    (lit / "cli.json").write_text(
        json.dumps({"trainer": {"max_epochs": 3}, "model": {"class_path": "lit.Counted"}})
    )
    words = ("cli.json", "--import", "lit.py")
    asked = invoke("show", *words, cwd=lit)
    assert asked.returncode == 2
    assert "-a estimated_stepping_batches=N" in asked.stderr
    for command in ("show", "check"):
        done = invoke(command, *words, "-a", "estimated_stepping_batches=30", cwd=lit)
        assert (done.returncode, done.stderr) == (0, "")
    done = invoke("show", *words, "-a", "estimated_steping_batches=30", cwd=lit)
    assert done.returncode == 2
    assert "did you mean 'estimated_stepping_batches'" in done.stderr


KINDS = {
    "StepLR": "(one, 300)",
    "MultiStepLR": "(one, [100, 700])",
    "ExponentialLR": "(one, 0.999)",
    "CosineAnnealingLR": "(one, 400)",
    "CosineAnnealingWarmRestarts": "(one, 150, 2)",
    "OneCycleLR": "(one, 0.5, total_steps=self.trainer.estimated_stepping_batches)",
    "LinearLR": "(one, 0.01, total_iters=500)",
    "LambdaLR": "(one, lambda n: min(1, (n + 1) / 100) / (1 + n // 50))",
}


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_schedulers_step_by_step(kind: str, lit: Path, invoke: Invoke) -> None:
    """A thousand steps of a real training each."""
    text = MODULE.format(package="lightning")
    body = text[text.index("        steps =") :]
    made = f"        made = torch.optim.lr_scheduler.{kind}{KINDS[kind]}\n"
    made += "        return [one], [{'scheduler': made, 'interval': 'step'}]\n"
    (lit / "lit.py").write_text(text.replace(body, made))
    case: Case = ({"max_epochs": 20, "max_steps": 1000, "accumulate_grad_batches": 2}, {}, 110)
    found = planned(invoke, lit, case)
    assert len(found) == 1000
    assert found == fitted(lit, case)
