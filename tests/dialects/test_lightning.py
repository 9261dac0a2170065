"""Modules of Lightning: equal to the optimizers and schedulers that its own trainer sets up."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.core.optimizer import _init_optimizers_and_lr_schedulers
from torch.optim import Optimizer

from optplan.app.planning import plan_with_facts
from optplan.dialects.function.attached_schedulers import attachments_of
from optplan.dialects.function.load import load_function
from tests.conftest import Invoke

MODULES = """
import torch
from torch import nn
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, OneCycleLR, StepLR
import {package} as L


class Net(L.LightningModule):
    def __init__(self, width=4, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.example_input_array = torch.zeros(2, width)

    def forward(self, x):
        return self.norm(self.body(x))

    def training_step(self, batch, index=0):
        return self(batch).sum()

    def one(self):
        return AdamW(self.parameters(), lr=self.hparams.lr, betas=(0.8, 0.9))

    def two(self):
        return SGD(self.body.parameters(), lr=0.5, momentum=0.9), AdamW(self.norm.parameters(), lr=0.01)


class Single(Net):
    def configure_optimizers(self):
        return self.one()


class Listed(Net):
    def configure_optimizers(self):
        return [self.one()]


class TwoLists(Net):
    def configure_optimizers(self):
        one = self.one()
        return [one], [StepLR(one, 2)]


class TupleOfLists(Net):
    def configure_optimizers(self):
        one = self.one()
        return [one], [{{'scheduler': StepLR(one, 2), 'interval': 'step', 'frequency': 3}}]


class ListAndScheduler(Net):
    def configure_optimizers(self):
        one = self.one()
        return [one], StepLR(one, 2)


class Dictionary(Net):
    def configure_optimizers(self):
        return {{'optimizer': self.one()}}


class WithScheduler(Net):
    def configure_optimizers(self):
        one = self.one()
        return {{'optimizer': one, 'lr_scheduler': CosineAnnealingLR(one, 5)}}


class WithConfig(Net):
    def configure_optimizers(self):
        one = self.one()
        scheduler = {{'scheduler': LambdaLR(one, lambda n: 1 / (n + 1)), 'interval': 'step', 'name': 'x'}}
        return {{'optimizer': one, 'lr_scheduler': scheduler, 'monitor': 'loss'}}


class Groups(Net):
    def configure_optimizers(self):
        return AdamW([
            {{'params': self.body.parameters(), 'weight_decay': 0.1}},
            {{'params': self.norm.parameters(), 'weight_decay': 0.0, 'lr': 1e-3}},
        ], lr=self.hparams.lr)


class Asking(Net):
    def configure_optimizers(self):
        one = self.one()
        steps = self.trainer.estimated_stepping_batches
        return [one], [{{'scheduler': OneCycleLR(one, 0.1, total_steps=steps), 'interval': 'step'}}]


class Manual(Net):
    def __init__(self, width=4, lr=0.1):
        super().__init__(width, lr)
        self.automatic_optimization = False


class Several(Manual):
    def configure_optimizers(self):
        return self.two()


class SeveralDicts(Manual):
    def configure_optimizers(self):
        first, second = self.two()
        return (
            {{'optimizer': first, 'lr_scheduler': {{'scheduler': StepLR(first, 3), 'interval': 'step'}}}},
            {{'optimizer': second, 'lr_scheduler': {{'scheduler': StepLR(second, 4), 'frequency': 2}}}},
        )


class SeveralLists(Manual):
    def configure_optimizers(self):
        first, second = self.two()
        return [first, second], [StepLR(first, 3), StepLR(second, 4)]


class Nothing(Net):
    def configure_optimizers(self):
        return None


class Downloads(Net):
    def __init__(self):
        super().__init__()
        import socket
        socket.create_connection(('example.org', 80))

    def configure_optimizers(self):
        return self.one()


class AsksForData(Net):
    def configure_optimizers(self):
        return SGD(self.parameters(), lr=1 / len(self.trainer.datamodule))
"""
NAMES = (
    "Single", "Listed", "TwoLists", "TupleOfLists", "ListAndScheduler", "Dictionary", "WithScheduler",
    "WithConfig", "Groups", "Asking", "Several", "SeveralDicts", "SeveralLists",
)  # fmt: skip
STEPS = {"Asking": {"estimated_stepping_batches": 40}}


@pytest.fixture(params=["lightning", "pytorch_lightning"])
def package(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, "lightning")


def written(folder: Path, package: str) -> Path:
    path = folder / "lit.py"
    path.write_text(MODULES.format(package=package))
    return path


def made(file: Path, name: str) -> Any:
    """A module of the file, imported as a training script is."""
    spec = importlib.util.spec_from_file_location("reference_of_lit", file)
    assert spec is not None
    assert spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return getattr(code, name)()


class Reference:
    """A module of the file, as the library's own trainer sets it up."""

    def __init__(self, file: Path, name: str) -> None:
        self.module = made(file, name)
        trainer = lightning.Trainer(
            logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False
        )
        self.module.trainer = trainer
        trainer.strategy._lightning_module = self.module
        self.optimizers, self.schedulers = _init_optimizers_and_lr_schedulers(self.module)


def groups(optimizer: Optimizer, model: torch.nn.Module) -> list[tuple[Any, ...]]:
    names = {id(one): name for name, one in model.named_parameters()}
    return [
        (
            [names[id(one)] for one in group["params"]],
            {name: value for name, value in group.items() if name != "params"},
        )
        for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_trainers(name: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lightning.Trainer, "estimated_stepping_batches", property(lambda trainer: 40)
    )
    wanted = Reference(file, name)
    config = load_function(f"{file}:{name}", arguments=STEPS.get(name))
    assert config.model_word == f"{file}:{name}"
    model = type(wanted.module)()
    found = attachments_of(config, model)
    assert [groups(one, model) for one in found.optimizers] == [
        groups(one, wanted.module) for one in wanted.optimizers
    ]
    assert [type(one).__name__ for one in found.optimizers] == [
        type(one).__name__ for one in wanted.optimizers
    ]
    stepped = [
        (type(one.said.scheduler).__name__, one.said.interval, one.said.frequency, one.optimizer)
        for one in found.schedulers
    ]
    places = {id(one): place for place, one in enumerate(wanted.optimizers)}
    if wanted.module.automatic_optimization:
        assert stepped == [
            (
                type(one.scheduler).__name__,
                one.interval,
                one.frequency,
                places[id(one.scheduler.optimizer)],
            )
            for one in wanted.schedulers
        ]
    else:  # the module steps them itself, whatever it says
        assert [one[0] for one in stepped] == [
            type(one.scheduler).__name__ for one in wanted.schedulers
        ]


@pytest.mark.parametrize("name", NAMES)
def test_show(name: str, package: str, tmp_path: Path, invoke: Invoke) -> None:
    written(tmp_path, package)
    given = [f"{n}={v}" for n, v in STEPS.get(name, {}).items()]
    words = [word for one in given for word in ("-a", one)]
    done = invoke("show", f"lit.py:{name}", "-k", "width=3", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"made by {name}.configure_optimizers" in done.stdout
    assert "3×3" in done.stdout


def test_the_modules_arguments(file: Path, invoke: Invoke) -> None:
    done = invoke("show", "lit.py:Single", "-k", "lr=0.25", "-k", "width=7", cwd=file.parent)
    assert "lr 0.25" in done.stdout
    assert "7×7" in done.stdout


class Recording(lightning.Callback):
    """Notes the lr of each step."""

    def __init__(self) -> None:
        self.lr: list[float] = []

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, index: int) -> None:
        self.lr.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["TwoLists", "TupleOfLists", "WithScheduler", "WithConfig", "Asking"]
)
def test_schedules_of_a_real_training(name: str, file: Path, invoke: Invoke) -> None:
    """Four epochs of ten batches, step for step."""
    module = made(file, name)
    recording = Recording()
    trainer = lightning.Trainer(
        max_epochs=4, logger=False, enable_checkpointing=False, accelerator="cpu", devices=1,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[recording],
        default_root_dir=file.parent,
    )  # fmt: skip
    samples: Any = torch.ones(10, 4)
    trainer.fit(module, torch.utils.data.DataLoader(samples, batch_size=1))
    done = invoke(
        "schedule", f"lit.py:{name}", "--epochs", "4", "--iters-per-epoch", "10", "--every", "1",
        "--format", "csv", cwd=file.parent,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(",") for line in done.stdout.splitlines()]
    lr = rows[0].index("lr")
    assert len(recording.lr) == 40
    found = [float(row[lr]) for row in rows[1:]]
    per_step = found if len(found) == 40 else [value for value in found for _ in range(10)]
    assert per_step == recording.lr


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "lit.py:Groups", "norm.weight"),
        ("diff", "lit.py:Groups", "lit.py:Groups"),
        ("check", "lit.py:Groups"),
        ("verify", "lit.py:Groups"),
        ("schedule", "lit.py:TwoLists", "--epochs", "3"),
        ("show", "lit.py:Groups.configure_optimizers"),
    ],
    ids=lambda words: words[0],
)
def test_every_command(words: tuple[str, ...], file: Path, invoke: Invoke) -> None:
    done = invoke(*words, cwd=file.parent)
    assert (done.returncode, done.stderr) == (0, "")


BAD = {
    "Asking": "asks its trainer for estimated_stepping_batches, and there is no trainer before training\n"
    "  hint: say it: -a estimated_stepping_batches=N",
    "AsksForData": "asks its trainer for datamodule, and there is no trainer before training",
    "Nothing": "returned nothing",
    "Downloads": "tries to download (from example.org)",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_modules(name: str, file: Path, invoke: Invoke) -> None:
    done = invoke("show", f"lit.py:{name}", cwd=file.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert BAD[name] in done.stderr
    assert done.stderr.count("error:") == 1


def test_arguments_that_nothing_takes(file: Path, invoke: Invoke) -> None:
    done = invoke("show", "lit.py:Single", "-a", "max_epoch=3", cwd=file.parent)
    assert done.returncode == 2
    assert "takes no argument 'max_epoch'" in done.stderr
    assert "did you mean 'max_epochs'" in done.stderr


def test_the_module_has_no_trainer_afterwards(file: Path) -> None:
    config = load_function(f"{file}:Asking", arguments={"estimated_stepping_batches": 9})
    module = config.function.kind()  # type: ignore[attr-defined]
    plan_with_facts(module, config)
    with pytest.raises(RuntimeError, match="not attached"):
        module.trainer
