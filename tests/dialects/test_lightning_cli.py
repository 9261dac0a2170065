"""Files of LightningCLI: equal to the optimizers that the library's own command line makes of them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lightning.pytorch.cli import LightningCLI
from pytorch_lightning.cli import LightningCLI as LightningCLIAlone

from optplan.app.plan import Planner
from optplan.dialects import code_dialect, load_config
from tests.conftest import Invoke, Run
from tests.dialects.test_lightning import groups

MODULE = """
import torch
from torch import nn
import {package} as L


class Net(L.LightningModule):
    def __init__(self, width: int = 4, lr: float = 0.1, act: nn.Module = None, scale=1.0):
        super().__init__()
        self.save_hyperparameters(ignore=['act'])
        self.body = nn.Linear(width, width)
        self.act = act
        self.norm = nn.LayerNorm(width)


class Configuring(Net):
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(
            [{{'params': self.body.parameters()}}, {{'params': self.norm.parameters(), 'lr': self.hparams.lr}}],
            lr=self.hparams.scale, momentum=0.5)
        steps = self.trainer.max_epochs
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, steps // 2)]


class Inner(nn.Module):
    def __init__(self, width: int, activation: nn.Module):
        super().__init__()
        self.inside = nn.Linear(width, width)
        self.activation = activation
"""
SHORT = "short names"
FILES = {
    "full": """
seed_everything: 7
trainer:
  max_epochs: 4
  callbacks:
  - class_path: my.Callback
model:
  class_path: lit.Net
  init_args:
    width: 8
    lr: 1e-3
data:
  class_path: my.Data
  init_args: {folder: /nowhere}
optimizer:
  class_path: torch.optim.AdamW
  init_args:
    lr: 1e-2
    weight_decay: 0.1
    betas: [0.8, 0.95]
lr_scheduler:
  class_path: torch.optim.lr_scheduler.StepLR
  init_args: {step_size: 2, gamma: 0.5}
""",
    SHORT: """
trainer: {max_steps: 30}
model: {class_path: Net, init_args: {width: 3}}
optimizer: {class_path: SGD, init_args: {lr: 0.1, momentum: 0.9, nesterov: true}}
lr_scheduler: {class_path: CosineAnnealingLR, init_args: {T_max: 10}}
""",
    "nested": """
model:
  class_path: lit.Net
  init_args:
    act:
      class_path: lit.Inner
      init_args:
        width: 5
        activation: {class_path: torch.nn.PReLU, init_args: {num_parameters: 5}}
optimizer: {class_path: torch.optim.RMSprop, init_args: {lr: 1E-2}}
""",
    "its own": """
trainer: {max_epochs: 6}
model: {class_path: lit.Configuring, init_args: {lr: 3e-2, scale: 5e-1}}
optimizer: null
lr_scheduler: null
ckpt_path: null
""",
    "below fit": """
fit:
  seed_everything: true
  trainer: {max_epochs: 2}
  model: {class_path: lit.Net}
  optimizer: {class_path: torch.optim.Adagrad, init_args: {lr: 0.3, lr_decay: 0.01}}
  ckpt_path: null
""",
    "plateau": """
trainer: {max_epochs: 2}
model: {class_path: lit.Configuring}
optimizer: {class_path: torch.optim.NAdam}
lr_scheduler: {class_path: lightning.pytorch.cli.ReduceLROnPlateau, init_args: {monitor: loss}}
""",
    "plain": """
model: {width: 7, act: {class_path: torch.nn.PReLU}}
trainer: {max_epochs: 2}
optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.25}}
""",
}
_LEFT_OUT = ("trainer", "data", "seed_everything", "ckpt_path")


@pytest.fixture(params=["lightning", "pytorch_lightning"])
def package(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def lit(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "lit.py").write_text(MODULE.format(package=package))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lit")
    sys.modules.pop("lit", None)


def written(folder: Path, name: str, package: str) -> Path:
    path = folder / "cli.yaml"
    text = FILES[name]
    if package == "pytorch_lightning":
        text = text.replace("lightning.pytorch.cli", "pytorch_lightning.cli")
    path.write_text(text)
    return path


def reference(
    path: Path, package: str, module: type | None, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """What the library's own command line makes of a file, without what is not there."""
    import yaml

    data = yaml.safe_load(path.read_text())
    data = data.get("fit", data)
    trainer = {
        name: value for name, value in data.get("trainer", {}).items() if name != "callbacks"
    }
    rest = {
        name: value for name, value in data.items() if name not in _LEFT_OUT and value is not None
    }
    kept = path.with_name("kept.yaml")
    kept.write_text(
        json.dumps({**rest, "trainer": {**trainer, "accelerator": "cpu", "logger": False}})
    )
    text = (
        kept.read_text()
        .replace('"1e-2"', "1e-2")
        .replace('"1E-2"', "1E-2")
        .replace('"1e-3"', "1e-3")
    )
    kept.write_text(text.replace('"3e-2"', "3e-2").replace('"5e-1"', "5e-1"))
    monkeypatch.setattr(sys, "argv", ["train.py", "--config", str(kept)])
    kind = LightningCLI if package == "lightning" else LightningCLIAlone
    cli = kind(module, run=False, save_config_callback=None)
    cli.model.trainer = cli.trainer
    made = cli.model.configure_optimizers()
    if isinstance(made, dict):
        made = [made["optimizer"]], [made["lr_scheduler"]["scheduler"]]
    optimizer = made[0][0] if isinstance(made, tuple) else made
    return cli.model, optimizer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted({*FILES} - {SHORT}))
def test_equal_to_the_library(
    name: str, package: str, lit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_equal(name, package, lit, tmp_path, monkeypatch)


def test_short_names() -> None:
    """In a process of their own: classes that other tests have made would make them ambiguous."""
    file = Path(__file__).with_name("lightning_short_names.py")
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", str(file))
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout


def assert_equal(
    name: str, package: str, lit: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hold what optplan makes of a file against the library's own command line."""
    path = written(folder, name, package)
    is_plain = name == "plain"
    module, optimizer = reference(path, package, lit.Net if is_plain else None, monkeypatch)
    config = load_config(path, trust=True)
    model = Planner().model(config, f"{folder}/lit.py:Net" if is_plain else None, {}).module
    code = code_dialect(config)
    assert code is not None
    (found,) = code.attachments(config, model, None).optimizers
    assert type(found) is type(optimizer)
    assert groups(found, model) == groups(optimizer, module)
    assert [tuple(one.shape) for one in model.parameters()] == [
        tuple(one.shape) for one in module.parameters()
    ]
    assert "configure_optimizers" not in vars(model)


@pytest.mark.parametrize("name", ["full", "its own", "plain"])
def test_show(name: str, tmp_path: Path, lit: ModuleType, invoke: Invoke) -> None:
    written(tmp_path, name, "lightning")
    words = ("--model", f"{lit.__name__}.py:Net") if name == "plain" else ("--trust",)
    done = invoke("show", "cli.yaml", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    maker = "the module" if name == "its own" else "LightningCLI"
    assert f"made by {maker}.configure_optimizers" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines() if " body.weight" in line]
    wanted = {"full": "8×8 0.01 0.1", "its own": "4×4 0.5 0", "plain": "7×7 0.25 0"}[name]
    assert lines[0][1:4] == wanted.split()


BAD = {
    "    width: 8": ("    widht: 8", ":10:5: LightningCLI refuses it", "did you mean 'width'?"),
    "width: 8": ("width: many", ":10:5: LightningCLI refuses it", "Expected a <class 'int'>"),
    "lit.Net": (
        "os.system",
        ":8:3: 'os.system' is no nn.Module class",
        "and a config may call nothing else",
    ),
    "weight_decay": ("weigth_decay", "LightningCLI refuses it", "did you mean 'weight_decay'?"),
    "torch.optim.AdamW": (
        "os.system",
        "LightningCLI refuses it",
        "does not correspond to a subclass of",
    ),
    "  class_path: torch.optim.AdamW": ("  kind: AdamW", "the optimizer has no class_path", ""),
}


@pytest.mark.parametrize("wrong", BAD)
def test_bad_files(wrong: str, tmp_path: Path, lit: ModuleType, invoke: Invoke) -> None:
    path = written(tmp_path, "full", "lightning")
    text, where, said = BAD[wrong]
    path.write_text(path.read_text().replace(wrong, text))
    done = invoke("show", "cli.yaml", "--import", f"{lit.__name__}.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert where in done.stderr
    assert said in done.stderr
    assert done.stderr.count("error:") == 1


def test_no_file_is_imported(tmp_path: Path, lit: ModuleType, invoke: Invoke) -> None:
    sys.modules.pop(lit.__name__)
    written(tmp_path, "full", "lightning")
    (tmp_path / "lit.py").write_text("open('ran', 'w')")
    done = invoke("show", "cli.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "no installed package provides 'lit.Net'" in done.stderr
    assert not (tmp_path / "ran").exists()


MISSPELT = {
    "max_epochs": ("max_epoch", "in trainer is no argument of Lightning's Trainer"),
    "width: 8": ("widht: 8", "in model.init_args is no argument of lit.Net"),
    "weight_decay": ("weigth_decay", "in optimizer.init_args is no argument of torch.optim.AdamW"),
    "step_size": ("step_sise", "in lr_scheduler.init_args is no argument of torch.optim.lr_scheduler.StepLR"),
    "monitor": ("moniter", "in trainer.callbacks[0].init_args is no argument of lightning.pytorch.callbacks.EarlyStopping"),
}  # fmt: skip
STOPPING = "lightning.pytorch.callbacks.EarlyStopping\n    init_args: {monitor: val_loss}"


def test_misspelt_entries_are_findings_and_mended(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "lit.py").write_text(MODULE.format(package="lightning"))
    path = written(tmp_path, "full", "lightning")
    good = wrong = path.read_text().replace("my.Callback", STOPPING)
    for right, (slip, _) in MISSPELT.items():
        assert good.count(right) == 1
        wrong = wrong.replace(right, slip)
    path.write_text(wrong)
    words = ("check", "cli.yaml", "--import", "lit.py", "--fix")
    done = invoke(*words, "--diff", cwd=tmp_path)
    lines = wrong.splitlines()
    for right, (slip, _) in MISSPELT.items():
        assert f"-{next(line for line in lines if slip in line)}\n" in done.stdout
        assert right.partition(":")[0] in done.stdout
    done = invoke("check", "cli.yaml", "--import", "lit.py", cwd=tmp_path)
    assert done.returncode == 1
    for right, (slip, said) in MISSPELT.items():
        number = next(n for n, line in enumerate(lines, 1) if slip in line)
        name, meant = slip.partition(":")[0], right.partition(":")[0]
        (found,) = (line for line in done.stdout.splitlines() if f"OPT101 {name!r} {said}" in line)
        assert found.startswith(f"cli.yaml:{number}:")
        assert found.endswith(f"did you mean {meant!r}?")


def test_a_misspelt_section_is_a_finding(tmp_path: Path, invoke: Invoke) -> None:
    path = written(tmp_path, "full", "lightning")
    path.write_text(path.read_text().replace("lr_scheduler:", "lr_schedular:"))
    done = invoke("check", "cli.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "did you mean 'lr_scheduler'?" in done.stdout


@pytest.mark.parametrize("missing", ["jsonargparse", "lightning"])
def test_missing_library(
    missing: str, tmp_path: Path, lit: ModuleType, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lit is not None
    written(tmp_path, "full", "lightning")
    real = importlib.util.find_spec
    gone = {missing, "pytorch_lightning"} if missing == "lightning" else {missing}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in gone else real(name, *more)
    )
    done = invoke("show", "cli.yaml", "--trust", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert missing in done.stderr
    assert "hint: pip install lightning 'jsonargparse[signatures]'" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("show", "cli.yaml"), ("explain", "cli.yaml", "norm.weight"), ("diff", "cli.yaml", "cli.yaml"),
        ("check", "cli.yaml"), ("verify", "cli.yaml"), ("schedule", "cli.yaml"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_every_command(
    words: tuple[str, ...], tmp_path: Path, lit: ModuleType, invoke: Invoke
) -> None:
    path = written(tmp_path, "full", "lightning")
    path.write_text(path.read_text().replace("lit.Net", f"{lit.__name__}.Net"))
    done = invoke(*words, "--trust", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["full", "its own"])
def test_schedule(name: str, tmp_path: Path, lit: ModuleType, package: str, invoke: Invoke) -> None:
    written(tmp_path, name, package)
    assert lit is not None
    done = invoke(
        "schedule", "cli.yaml", "--trust", "--every", "1", "--format", "csv", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(",") for line in done.stdout.splitlines()]
    found = [float(row[rows[0].index("lr")]) for row in rows[1:]]
    wanted = {"full": [0.01, 0.01, 0.005, 0.005], "its own": [0.5, 0.03] * 3 + [0.05, 0.003] * 3}
    assert found == pytest.approx(wanted[name])


def test_what_of_the_trainer_is_not_read_is_said(tmp_path: Path, run: Run) -> None:
    (tmp_path / "lit.py").write_text(
        "import lightning as L, torch\n"
        "class LitOfWeights(L.LightningModule):\n"
        "    def __init__(self, pretrained: bool = False):\n"
        "        super().__init__()\n"
        "        assert not pretrained\n"
        "        self.net = torch.nn.Linear(2, 2)\n"
        "        self.automatic_optimization = False\n"
        "    def optimizer_step(self, *args, **kwargs):\n"
        "        super().optimizer_step(*args, **kwargs)\n"
        "    def configure_optimizers(self):\n"
        "        return torch.optim.SGD(self.parameters(), lr=0.1)\n"
    )
    (tmp_path / "cli.yaml").write_text(
        "trainer:\n  max_epochs: 4\n  max_time: 00:12:00:00\n  strategy: deepspeed\n"
        "  accumulate_grad_batches: 2\n  callbacks:\n"
        "  - class_path: lightning.pytorch.callbacks.LearningRateMonitor\n"
        "  - class_path: lightning.pytorch.callbacks.StochasticWeightAveraging\n"
        "  - class_path: mine.WarmupCallback\n"
        "model:\n  class_path: lit.LitOfWeights\n  init_args: {pretrained: true}\n"
    )
    words = ("cli.yaml", "--import", "lit.py", "--iters-per-epoch", "10")
    done = run("schedule", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pretrained: true is read as false: weights are never downloaded" in done.stderr
    for text in (
        "trainer.max_time, which may end the training earlier (cli.yaml:3:",
        "trainer.accumulate_grad_batches, which DeepSpeed counts itself (cli.yaml:5:",
        "trainer.callbacks[1] StochasticWeightAveraging (cli.yaml:8:",
        "trainer.callbacks[2] WarmupCallback (cli.yaml:9:",
        "the own steps of LitOfWeights (automatic_optimization is False)",
        "the own optimizer_step of LitOfWeights",
    ):
        assert f"not read, may move the lr: {text}" in done.stdout
    assert "LearningRateMonitor" not in done.stdout
