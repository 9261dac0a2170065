"""``optplan schedule``: each format, the steps that are asked for, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke, Run
from tests.schema import validate

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
"""
HEAD = """\
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0)}))
"""
WARM = """\
param_scheduler = [
    dict(type='LinearLR', start_factor=0.5, end=3),
    dict(type='MultiStepLR', milestones=[2, 4], begin=3)]
train_cfg = dict(by_epoch=True, max_epochs=10)
"""
MODEL = ("--model", "net.py:Net")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "a.py").write_text(HEAD + WARM)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "b.py").write_text(HEAD + text)


def data_of(invoke: Invoke, folder: Path, *words: str) -> dict[str, Any]:
    done = invoke("schedule", *words, *MODEL, "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data: dict[str, Any] = json.loads(done.stdout)
    validate(data, "schedule-1.0")
    return data


TEXT = """\
net.py:Net · file · 4 parameters · 26                  SGD  lr 0.1  weight_decay 0.0001  momentum 0.9
 rules of MMEngine (optim_wrapper, param_scheduler)
 10 epochs
  LinearLR      lr   epoch 0–3    start_factor 0.5     a.py:5
  MultiStepLR   lr   epoch 3–10   milestones [2, 4]   a.py:6

 lr by epoch
"""
TABLE = """\
                                     0       3          5          7      9
     lr  weight_decay  parameters  start  begins  milestone  milestone    end
    0.1        0.0001           2   0.05     0.1       0.01      0.001  0.001
      1        0.0001           2    0.5       1        0.1       0.01   0.01

 2 settings · lr scheduled, all else is constant
"""


def squeezed(text: str) -> list[str]:
    """Each line with single blanks, so that columns may move."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_text(folder: Path, run: Run) -> None:
    done = run("schedule", "a.py", *MODEL, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    lines = squeezed(done.stdout)
    head = squeezed(TEXT)
    assert lines[: len(head)] == head
    assert lines[-6:] == squeezed(TABLE)
    plot = done.stdout.splitlines()[len(head) : -6]
    assert len(plot) == 14
    assert max(map(len, plot)) <= 100
    assert plot[-1].split() == ["0", "3", "5", "7", "9"]


def test_the_numbers(folder: Path, invoke: Invoke) -> None:
    data = data_of(invoke, folder, "a.py")
    assert (data["unit"], data["length"], data["epochs"]) == ("epoch", 10, 10)
    assert [point["step"] for point in data["points"]] == [0, 3, 5, 7, 9]
    assert data["points"][1]["what"] == ["LinearLR ends", "MultiStepLR begins"]
    assert data["scheduled"] == ["lr"]
    stem, head = data["settings"]
    assert stem["values"]["lr"] == pytest.approx([0.05, 0.1, 0.01, 0.001, 0.001])
    assert head["values"]["lr"] == pytest.approx([0.5, 1.0, 0.1, 0.01, 0.01])
    assert stem["values"]["momentum"] == [0.9] * 5
    assert stem["values"]["weight_decay"] == [1e-4] * 5
    assert head["names"] == ["head.weight", "head.bias"]
    warm_up = data["schedulers"][0]
    assert (warm_up["type"], warm_up["begin"], warm_up["end"]) == ("LinearLR", 0, 3)
    assert warm_up["origin"] == {"file": "a.py", "line": 5, "column": 10}
    assert warm_up["arguments"] == {"start_factor": 0.5, "end_factor": 1.0}


def test_csv(folder: Path, invoke: Invoke) -> None:
    done = invoke("schedule", "a.py", *MODEL, "-f", "csv", "--every", "4", cwd=folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["step"], row["setting"]) for row in rows[:3]] == [
        ("0", "0"),
        ("0", "1"),
        ("4", "0"),
    ]
    assert [row["step"] for row in rows[::2]] == ["0", "4", "8", "9"]
    assert float(rows[1]["lr"]) == 0.5
    assert rows[0]["momentum"] == "0.9"


def test_html(folder: Path, invoke: Invoke) -> None:
    page = folder / "page.html"
    done = invoke("schedule", "a.py", *MODEL, "-f", "html", "-o", page, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = page.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "src=" not in text
    assert "<link" not in text


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["--at", "2"], [2]),
        (["--at", "2ep", "--at", "100%"], [2, 9]),
        (["--every", "3"], [0, 3, 6, 9]),
        (["--every", "5", "--at", "7"], [0, 5, 7, 9]),
        (["--epochs", "4"], [0, 3]),
        (["--iters-per-epoch", "10", "--at", "25it"], [2]),
    ],
)
def test_the_steps(words: list[str], steps: list[int], folder: Path, invoke: Invoke) -> None:
    if "--epochs" in words:
        write(folder, "param_scheduler = dict(type='LinearLR')\n")
        data = data_of(invoke, folder, "b.py", *words)
    else:
        data = data_of(invoke, folder, "a.py", *words)
    assert [point["step"] for point in data["points"]] == steps


def test_one_setting_of_a_pattern(folder: Path, invoke: Invoke) -> None:
    data = data_of(invoke, folder, "a.py", "--param", "head.*")
    assert data["narrowed"] == "--param head.*"
    assert [one["setting"] for one in data["settings"]] == [1]
    done = invoke("schedule", "a.py", *MODEL, "--param", "head.*", cwd=folder)
    assert done.stdout.endswith(" 1 of 2 settings shown: --param head.*\n")


def test_iterations_of_epochs(folder: Path, invoke: Invoke) -> None:
    write(folder, WARM.replace("end=3)", "end=3, convert_to_iter_based=True)"))
    data = data_of(invoke, folder, "b.py", "--iters-per-epoch", "100")
    assert (data["unit"], data["length"], data["iters_per_epoch"]) == ("iteration", 1000, 100)
    assert [(one["step"], one["epoch"]) for one in data["points"]][:3] == [
        (0, 0),
        (300, 3),
        (500, 5),
    ]
    done = invoke("schedule", "b.py", *MODEL, "--iters-per-epoch", "100", cwd=folder)
    assert "10 epochs of 100 iterations" in done.stdout
    assert "ep 3" in done.stdout


def test_overrides(folder: Path, invoke: Invoke) -> None:
    data = data_of(invoke, folder, "a.py", "--set", "param_scheduler.0.start_factor=0.1")
    assert data["settings"][0]["values"]["lr"][0] == pytest.approx(0.01)


def test_a_metric(folder: Path, invoke: Invoke) -> None:
    write(folder, WARM.replace("MultiStepLR', milestones=[2, 4]", "ReduceOnPlateauLR', patience=1"))
    data = data_of(invoke, folder, "b.py")
    assert data["metrics"] == [
        {"optimizer": 0, "field": "lr", "from": 4, "scheduler": "ReduceOnPlateauLR"}
    ]
    assert data["settings"][0]["values"]["lr"] == [pytest.approx(0.05), pytest.approx(0.1), None]
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert "lr depends on a metric from epoch 4 on (ReduceOnPlateauLR)" in done.stdout
    assert "metric" in done.stdout.splitlines()[-5]
    page = invoke("schedule", "b.py", *MODEL, "-f", "html", cwd=folder).stdout
    assert '<td class="quiet number">metric</td>' in page


def test_what_nothing_moves(folder: Path, invoke: Invoke) -> None:
    write(folder, "train_cfg = dict(max_epochs=3)\n")
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert done.stdout.endswith("\n no scheduler: every setting keeps its values\n")
    write(
        folder,
        "train_cfg = dict(max_epochs=3)\nparam_scheduler = dict(type='LinearLR', start_factor=1)\n",
    )
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert "lr by epoch" in done.stdout


def test_schedulers_run_for_real(folder: Path, run: Run) -> None:
    write(
        folder,
        "param_scheduler = dict(type='torch:OneCycleLR', max_lr=1.0, total_steps=10)\n"
        "train_cfg = dict(max_epochs=9)\n",
    )
    done = run("schedule", "b.py", *MODEL, "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert data["scheduled"] == ["lr", "momentum"]
    assert data["schedulers"][0]["run_for_real"] is True
    assert data["settings"][0]["values"]["lr"][0] == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "which model? (name one: --model resnet50)"),
        ((*MODEL, "--at", "x"), "--at x: that is no step (write 1000, 1000it, 12ep or 50%)"),
        ((*MODEL, "--at", "10"), "--at 10: the training ends before (its last epoch is 9)"),
        ((*MODEL, "--epochs", "2", "--iters", "3"), "--epochs and --iters: give one of them"),
        ((*MODEL, "--param", "heat.*"), "'heat.*' matches no parameter"),
        (
            (*MODEL, "--epochs", "3"),
            "begin 3 is not before the end of the training, which has 3 epochs",
        ),
    ],
)
def test_what_cannot_be_done(
    words: tuple[str, ...], message: str, folder: Path, invoke: Invoke
) -> None:
    done = invoke("schedule", "a.py", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message.partition(" (")[0] in done.stderr.replace("\n", " ")


def test_a_mistake_is_shown_with_its_line(folder: Path, invoke: Invoke) -> None:
    write(folder, WARM.replace("gin=3", "gan=3"))
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: b.py:6:49: MultiStepLR takes no argument 'began'\n"
        "    6 │ dict(type='MultiStepLR', milestones=[2, 4], began=3)]\n"
        "      │                                             ^\n"
        "  hint: did you mean 'begin'?\n"
    )


def test_sources_that_keep_no_schedulers(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", "a.py", *MODEL, "-f", "json", "-o", "plan.json", cwd=folder)
    assert done.returncode == 0
    done = invoke("schedule", "plan.json", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a saved plan, which keeps no schedulers" in done.stderr


def test_no_length(folder: Path, invoke: Invoke) -> None:
    write(folder, "")
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert done.returncode == 2
    assert "how long is the training? the config has no train_cfg" in done.stderr
    assert invoke("schedule", "b.py", *MODEL, "--iters", "5", cwd=folder).returncode == 0


def test_several_optimizers(folder: Path, invoke: Invoke) -> None:
    """Each section has its own schedulers, by its name."""
    text = """\
optimizer = dict(stem=dict(type='Adam', lr=0.1), head=dict(type='SGD', lr=1.0))
param_scheduler = dict(
    stem=[dict(type='LinearLR', start_factor=0.5, end=2), dict(type='StepMomentum', step_size=3)],
    head=dict(type='StepLR', step_size=2))
train_cfg = dict(by_epoch=True, max_epochs=4)
"""
    (folder / "gan.py").write_text(text)
    data = data_of(invoke, folder, "gan.py", "--every", "1")
    stem, head = (one["values"] for one in data["settings"])
    assert stem["lr"] == pytest.approx([0.05, 0.1, 0.1, 0.1])
    assert stem["momentum"] == pytest.approx([0.9, 0.9, 0.9, 0.09])
    assert head["lr"] == pytest.approx([1.0, 1.0, 0.1, 0.1])
    assert [one["optimizers"] for one in data["schedulers"]] == [[0], [0], [1]]
    (folder / "gan.py").write_text(
        text.replace("    head=dict(type='StepLR', step_size=2))", "    )")
    )
    done = invoke("schedule", "gan.py", *MODEL, cwd=folder)
    assert done.returncode == 2
    assert "param_scheduler has no entry for the optimizer 'head', only for 'stem'" in done.stderr


def test_imported_classes(folder: Path, invoke: Invoke) -> None:
    """A pure-Python config: the class of a bare import is looked at by its name, torch's is run."""
    (folder / "pure.py").write_text(
        "from mmengine.optim import LinearLR\n"
        "from torch.optim import SGD\n"
        "from torch.optim.lr_scheduler import ExponentialLR\n"
        "optim_wrapper = dict(optimizer=dict(type=SGD, lr=0.1))\n"
        "param_scheduler = [dict(type=LinearLR, start_factor=0.5, end=2), dict(type=ExponentialLR, gamma=0.5)]\n"
        "train_cfg = dict(by_epoch=True, max_epochs=3)\n"
    )
    data = data_of(invoke, folder, "pure.py", "--every", "1")
    assert [one["type"] for one in data["schedulers"]] == ["LinearLR", "ExponentialLR"]
    assert [one["run_for_real"] for one in data["schedulers"]] == [False, True]
    assert data["settings"][0]["values"]["lr"] == pytest.approx([0.05, 0.05, 0.025])


def test_a_recipe_of_timm(folder: Path, invoke: Invoke) -> None:
    (folder / "args.yaml").write_text(
        "model: resnet18\nopt: sgd\nlr: 0.1\nsched: cosine\nepochs: 6\nwarmup_epochs: 2\nwarmup_lr: 0.01\n"
        "cooldown_epochs: 2\n"
    )
    done = invoke("schedule", "args.yaml", "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    validate(data, "schedule-1.0")
    assert (data["unit"], data["length"]) == ("epoch", 8)
    assert [point["step"] for point in data["points"]] == [0, 2, 7]
    assert data["settings"][0]["values"]["lr"] == pytest.approx([0.01, 0.075, 0.0])
    done = invoke("schedule", "args.yaml", "--format", "json", "--epochs", "3", cwd=folder)
    assert json.loads(done.stdout)["length"] == 5


def test_the_lr_really_used(folder: Path, invoke: Invoke) -> None:
    """The batch scales it before the schedulers begin."""
    write(folder, WARM + "auto_scale_lr = dict(enable=True, base_batch_size=256)\n")
    data = data_of(invoke, folder, "b.py", "--world-size", "8", "--batch-size", "64")
    assert data["settings"][0]["lr"] == pytest.approx(0.2)
    assert data["settings"][0]["values"]["lr"][:2] == pytest.approx([0.1, 0.2])
