"""``optplan diff``: sides of each kind, statuses, and the report on stdout alone."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn

import optplan
from tests.conftest import ROOT, SAMPLES, Invoke
from tests.schema import validate
from tests.test_samples import samples

SEGMENTOR = "sample_configs/models.py:Segmentor"
A = "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05))\n"
B = """\
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        custom_keys={'layer1': dict(lr_mult=0.1), 'layer1.0.b': dict(lr_mult=0.5)},
    ),
)
"""
ODD_KEYS = """\
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys={'0': {None: 1, 'a': 2, ('b', 1): 3, 4: 5}}))
"""
RESNET = """\
a.py → b.py · resnet18 · MMEngine · 44 of 62 parameters change
  weight_decay   0.05  →  0       32 parameters  norm ×0            b.py:4  bn1.*, layer{2-4}.*.bn*, *.downsample.1.*
  lr            0.001  →  0.0001   8 parameters  'layer1' ×0.1      b.py:5  layer1.*.conv*, layer1.1.*
  lr            0.001  →  0.0005   4 parameters  'layer1.0.b' ×0.5  b.py:5  layer1.0.bn*
 the same weight_decay by another rule: 12 parameters ('layer1' ×1, 'layer1.0.b' ×1)
 changes: weight_decay of 32 · lr of 12
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two configs and two small models."""
    (tmp_path / "a.py").write_text(A)
    (tmp_path / "b.py").write_text(B)
    (tmp_path / "lr.py").write_text(A.replace("0.001", "0.01"))
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "BUILT = []\n"
        "def make(width=3):\n"
        "    print('building', width)\n"
        "    return nn.Sequential(nn.Linear(width, 2), nn.LayerNorm(2))\n"
    )
    return tmp_path


# A saved plan has no schedules, which may be others all the same.
NOT_KEPT = (
    " schedule",
    "  not compared: schedules and hooks, which a saved plan does not keep",
)


def test_text(folder: Path, invoke: Invoke) -> None:
    done = invoke("diff", "a.py", "b.py", "--model", "resnet18", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, RESNET, "")


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_a_sample_and_itself(path: Path, invoke: Invoke, tmp_path: Path) -> None:
    command = path.read_text("utf-8").splitlines()[0].partition("optplan ")[2]
    words = shlex.split(command.rstrip(' ",'))
    config, *model = words[1 : 6 if "--import" in words else 4]
    done = invoke("diff", config, config, *model)
    assert (done.returncode, done.stderr) == (0, "")
    # the trainers of these have schedules of their own, which the files leave to them
    is_read = path.name not in ("fairseq2.yaml", "torchtitan.toml")
    verdict = "no difference" if is_read else "no difference in what was read"
    assert done.stdout.splitlines()[0].endswith(f"· {verdict}")
    saved = tmp_path / "plan.json"
    assert invoke("show", config, *model, "--format", "json", "-o", saved).returncode == 0
    for sides in ((saved, config), (config, saved)):
        done = invoke("diff", *sides, *model, "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        data = json.loads(done.stdout)
        validate(data, "diff-1.0")
        assert (data["same"], data["clusters"], data["rules"]) == (True, [], [])


def test_global_lr_is_one_line(folder: Path, invoke: Invoke) -> None:
    done = invoke("diff", "a.py", "lr.py", "--model", "vit_base_patch16_224", cwd=folder)
    assert (done.returncode, done.stdout) == (
        1,
        "a.py → lr.py · vit_base_patch16_224 · MMEngine · 152 of 152 parameters change\n"
        " optimizer\n"
        "  lr  0.001  →  0.01  152 parameters with it\n"
        " changes: lr of 152\n",
    )


def test_one_model_is_built_once(folder: Path, invoke: Invoke) -> None:
    both = ("diff", "a.py", "b.py", "-k", "width=5")
    done = invoke(*both, "--model", "net.py:make", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "building 5\n")
    done = invoke(*both, "--model-a", "net.py:make", "--model-b", "net.py:make", cwd=folder)
    assert done.stderr == "building 5\n"


def test_two_models(folder: Path, invoke: Invoke) -> None:
    done = invoke("diff", "a.py", "a.py", "-m", "resnet18", "--model-b", "resnet34", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "a.py (resnet18) → a.py (resnet34) · resnet18 → resnet34 · MMEngine · 0 of 62 parameters change",
        " only in a.py (resnet34)  48 parameters  layer*.{2-5}.*",
        " changes: 48 only in a.py (resnet34)",
    ]


@pytest.mark.parametrize("output_format", ["text", "json", "md", "csv"])
@pytest.mark.parametrize(("other", "status"), [("a.py", 0), ("b.py", 1)])
def test_the_format_changes_no_status(
    folder: Path, invoke: Invoke, output_format: str, other: str, status: int
) -> None:
    words = ("diff", "a.py", other, "-m", "net.py:make", "-f", output_format)
    done = invoke(*words, cwd=folder)
    assert (done.returncode, bool(done.stdout)) == (status, True)
    written = invoke(*words, "-o", "report", cwd=folder)
    assert (written.returncode, written.stdout) == (status, "")
    assert (folder / "report").read_text("utf-8") == done.stdout


def test_saved_plan_brings_its_model(folder: Path, invoke: Invoke) -> None:
    assert (
        invoke(
            "show", "a.py", "-m", "resnet18", "-f", "json", "-o", "p.json", cwd=folder
        ).returncode
        == 0
    )
    done = invoke("diff", "p.json", "b.py", cwd=folder)
    *lines, foot = RESNET.replace("a.py", "p.json", 1).splitlines()
    note = lines.pop()
    assert (done.returncode, done.stdout.splitlines()) == (1, [*lines, *NOT_KEPT, note, foot])
    done = invoke("diff", "p.json", "p.json", cwd=folder)
    head = "p.json → p.json · resnet18 · MMEngine · no difference in what was read"
    assert (done.returncode, done.stdout.splitlines()) == (0, [head, *NOT_KEPT])


def test_saved_plan_runs_no_code(folder: Path, invoke: Invoke) -> None:
    invoke("show", "a.py", "-m", "net.py:make", "-f", "json", "-o", "p.json", cwd=folder)
    done = invoke("diff", "p.json", "b.py", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: which model?\n"
        "  hint: the saved plan was made with --model net.py:make; name it if you trust it\n"
    )


@pytest.fixture
def repository(folder: Path) -> Path:
    """The folder's first state as a commit; b.py is now what a.py was."""
    for words in (
        "git init -q",
        "git add .",
        "git -c user.name=a -c user.email=b commit -qm first",
    ):
        subprocess.run(words.split(), cwd=folder, check=True)
    (folder / "b.py").write_text(A)
    return folder


def test_revision(repository: Path, invoke: Invoke) -> None:
    done = invoke("diff", "b.py", "HEAD:b.py", "-m", "resnet18", cwd=repository)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[1:] == RESNET.splitlines()[1:]
    done = invoke("show", "HEAD:b.py", "-m", "resnet18", "-f", "json", cwd=repository)
    assert done.returncode == 0
    assert json.loads(done.stdout)["config"] == "HEAD:/b.py"


def test_saved_plan_of_a_revision(repository: Path, invoke: Invoke) -> None:
    invoke("show", "a.py", "-m", "resnet18", "-f", "json", "-o", "p.json", cwd=repository)
    for words in ("git add .", "git -c user.name=a -c user.email=b commit -qm plan"):
        subprocess.run(words.split(), cwd=repository, check=True)
    (repository / "p.json").unlink()
    done = invoke("diff", "HEAD:p.json", "HEAD~1:b.py", cwd=repository)
    assert (done.returncode, done.stderr) == (1, "")
    *lines, note, foot = RESNET.splitlines()[1:]
    assert done.stdout.splitlines()[1:] == [*lines, *NOT_KEPT, note, foot]


def test_a_file_comes_before_a_revision(repository: Path, invoke: Invoke) -> None:
    (repository / "HEAD:b.py").write_text(A)
    assert invoke("diff", "a.py", "HEAD:b.py", "-m", "resnet18", cwd=repository).returncode == 0


@pytest.fixture
def checkpoint(folder: Path) -> Path:
    """A checkpoint of b.py on resnet18's norms alone, in the middle of a schedule."""
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
    optimizer = optplan.build_optimizer(model, optplan.load_config(folder / "b.py"))
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    schedule.step()
    torch.save({"optimizer": optimizer.state_dict()}, folder / "last.pth")
    return folder


def test_resuming(checkpoint: Path, invoke: Invoke) -> None:
    model = ("-m", "net.py:make", "-q")
    done = invoke("diff", "b.py", "last.pth", *model, cwd=checkpoint)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "b.py → last.pth · net.py:make · MMEngine · no difference",
            " the checkpoint was saved in the middle of a schedule, its lr at ×0.1 of the initial lr;"
            " the initial one is compared",
        ],
    )
    text = B.replace("0.001", "0.002").replace("norm_decay_mult=0.0", "norm_decay_mult=0.5")
    (checkpoint / "c.py").write_text(text)
    done = invoke("diff", "c.py", "last.pth", *model, cwd=checkpoint)
    assert (done.returncode, done.stdout.splitlines()[:4]) == (
        1,
        [
            "c.py → last.pth · net.py:make · MMEngine · 4 of 4 parameters change",
            "  weight_decay  0.025  →  0  2 parameters  checkpoint, not norm ×0.5  c.py:4  1.*",
            " optimizer",
            "  lr  0.002  →  0.001  4 parameters with it",
        ],
    )
    back = invoke("diff", "last.pth", "c.py", *model, cwd=checkpoint)
    assert "  lr  0.001  →  0.002  4 parameters with it" in back.stdout.splitlines()


def test_resuming_what_does_not_fit(checkpoint: Path, invoke: Invoke) -> None:
    for sides in (("a.py", "last.pth"), ("last.pth", "a.py")):
        done = invoke("diff", *sides, "-m", "net.py:make", "-f", "json", cwd=checkpoint)
        assert done.returncode == 1
        data = json.loads(done.stdout)
        validate(data, "diff-1.0")
        assert (data["same"], data["misfits"]) == (False, ["param groups: 4 saved, 1 now"])
    done = invoke("diff", "b.py", "last.pth", "-m", "net.py:make", "-k", "width=4", cwd=checkpoint)
    assert done.stdout == (
        "b.py → last.pth · net.py:make · MMEngine · cannot be resumed\n"
        " the parameters were others, or in another order: 0.weight is 2×4, the state in its place is"
        " 2×3\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.py", "b.py"), "which model?"),
        (("a.py", "none.py", "-m", "resnet18"), "none.py: there is no such file"),
        (("a.py", "x:b.py", "-m", "resnet18"), "there is no file 'x:b.py', nor a git repository"),
        (("a.py", "b.py", "-m", "resnet18", "-k", "a"), "-k a: write name=value"),
        (("last.pth", "last.pth"), "two checkpoints"),
        (("a.py", "weights.pth", "-m", "resnet18"), "holds no optimizer state"),
        (("a.py", "b.py", "-m", "no_such_net"), "timm has no model 'no_such_net'"),
    ],
)
def test_trouble(
    checkpoint: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checkpoint.parent))
    torch.save({"state_dict": {}}, checkpoint / "weights.pth")
    done = invoke("diff", *words, cwd=checkpoint)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_show_says_what_a_checkpoint_is_for(checkpoint: Path, invoke: Invoke) -> None:
    done = invoke("show", "last.pth", cwd=checkpoint)
    assert (done.returncode, done.stdout) == (2, "")
    assert "hint: see what resuming from it changes: optplan diff CONFIG last.pth" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("p.json", "p.json", "-m", "resnet18"), "saved plans have their models"),
        (("p.json", "p.json", "-k", "num_classes=3"), "saved plans have their models"),
        (
            ("p.json", "a.py", "--model-a", "resnet18"),
            "'p.json' is no config, which --model resnet18",
        ),
    ],
)
def test_a_model_that_nobody_uses(
    folder: Path, invoke: Invoke, words: tuple[str, ...], message: str
) -> None:
    invoke("show", "a.py", "-m", "resnet18", "-f", "json", "-o", "p.json", cwd=folder)
    done = invoke("diff", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_samples_differ_both_ways(invoke: Invoke) -> None:
    sides = SAMPLES / "resnet18.json", SAMPLES / "resnet18.toml"
    there, back = (
        json.loads(
            invoke("diff", *pair, "-m", "resnet18", "-f", "json", cwd=ROOT).stdout,
        )
        for pair in (sides, sides[::-1])
    )
    validate(there, "diff-1.0")
    swapped = [
        {
            **cluster,
            "before": cluster["after"],
            "after": cluster["before"],
            "rule_before": cluster["rule_after"],
            "rule_after": cluster["rule_before"],
        }
        for cluster in there["clusters"]
    ]
    assert swapped == back["clusters"]


WARM = """\
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=5),
    dict(type='MultiStepLR', milestones=[30, 60], begin=5)]
train_cfg = dict(by_epoch=True, max_epochs=90)
"""


def scheduled(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(A + text)


def test_a_schedule_that_parts_later(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    scheduled(folder, "second.py", WARM.replace("60", "50"))
    done = invoke("diff", "first.py", "second.py", "--model", "resnet18", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "first.py → second.py · resnet18 · MMEngine · the same at step 0, not in the schedule\n"
        " schedule\n"
        "  lr from epoch 55 on  0.0001  →  1e-05  62 parameters      *\n"
        " changes: the schedule of 62\n"
    )
    done = invoke("diff", "first.py", "first.py", "--model", "resnet18", cwd=folder)
    assert done.returncode == 0


@pytest.mark.parametrize("output_format", ["json", "csv", "md"])
def test_formats_of_a_schedule(output_format: str, folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    scheduled(folder, "second.py", WARM.replace("60", "50").replace("=90", "=70"))
    words = ("diff", "first.py", "second.py", "--model", "resnet18", "--format", output_format)
    done = invoke(*words, cwd=folder)
    assert done.returncode == 1
    if output_format == "json":
        data = json.loads(done.stdout)
        validate(data, "diff-1.0")
        (course,) = data["schedule"]["courses"]
        assert (course["field"], course["unit"], course["step"]) == ("lr", "epoch", 55)
        assert (course["parameters"], course["patterns"]) == (62, ["*"])
        assert data["schedule"]["length"] == {"before": "90 epochs", "after": "70 epochs"}
        assert data["same"] is False
    elif output_format == "csv":
        assert "schedule,,,lr from epoch 55 on,0.0001,1e-05,62,,,*" in done.stdout
        assert "schedule,,,length,90 epochs,70 epochs,,,," in done.stdout
    else:
        assert "| `lr from epoch 55 on` | `0.0001` | `1e-05` | 62 parameters | `*` |" in done.stdout
        assert "| `length` | `90 epochs` | `70 epochs` |" in done.stdout


def test_schedulers_that_cannot_be_compared(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    scheduled(folder, "second.py", WARM.replace("end=5)", "end=5, convert_to_iter_based=True)"))
    words = ("diff", "first.py", "second.py", "--model", "resnet18")
    done = invoke(*words, cwd=folder)
    assert done.returncode == 1
    assert "the schedulers are others, and cannot be compared: second.py:3:52:" in done.stdout
    assert "how many has an epoch? (give --iters-per-epoch N)" in done.stdout
    done = invoke(*words, "--iters-per-epoch", "10", cwd=folder)
    assert done.returncode == 1
    assert "lr from iteration 1 on" in done.stdout


def test_other_words_for_the_same_schedule(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    scheduled(folder, "second.py", WARM.replace("end=5", "end=5, end_factor=1"))
    done = invoke("diff", "first.py", "second.py", "--model", "resnet18", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "other schedulers, by which nothing parts that starts alike" not in done.stdout


def test_a_saved_plan_has_no_schedule(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    saved = folder / "plan.json"
    show = ("show", "first.py", "--model", "resnet18", "--format", "json", "-o", saved)
    assert invoke(*show, cwd=folder).returncode == 0
    assert invoke("diff", saved, "first.py", cwd=folder).returncode == 0


def test_a_side_that_says_nothing_of_the_training(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    done = invoke("diff", "a.py", "first.py", "--model", "resnet18", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "one side alone has schedulers or says how long it trains" in done.stdout


def test_no_schedulers_for_a_training_are_a_constant(folder: Path, invoke: Invoke) -> None:
    scheduled(folder, "first.py", WARM)
    scheduled(folder, "second.py", "train_cfg = dict(by_epoch=True, max_epochs=90)\n")
    done = invoke("diff", "first.py", "second.py", "--model", "resnet18", cwd=folder)
    assert done.returncode == 1
    assert "lr from epoch 0 on" in done.stdout


def test_recipes_of_timm(folder: Path, invoke: Invoke) -> None:
    text = "model: resnet18\nopt: sgd\nlr: 0.1\nsched: cosine\nepochs: 9\nwarmup_epochs: 2\nmin_lr: 0\n"
    (folder / "first.yaml").write_text(text)
    (folder / "second.yaml").write_text(text.replace("min_lr: 0", "min_lr: 0.01"))
    done = invoke("diff", "first.yaml", "first.yaml", cwd=folder)
    assert done.returncode == 0
    done = invoke("diff", "first.yaml", "second.yaml", cwd=folder)
    assert done.returncode == 1
    assert "lr from epoch 2 on" in done.stdout


def test_entries_whose_names_are_no_strings(folder: Path, invoke: Invoke) -> None:
    """A field of a custom key becomes an entry of the group whatever its name is, as in mmengine."""
    (folder / "keys.py").write_text(ODD_KEYS)
    done = invoke("diff", "a.py", "keys.py", "--model", "net.py:make", cwd=folder)
    assert (done.returncode, done.stderr.count("error")) == (1, 0)
    told = [line for line in done.stdout.splitlines() if line.startswith("  extra ")]
    assert [line.partition("  2 parameters")[0].split() for line in told] == [
        ["extra", "('b',", "1)", "–", "→", "3"],
        ["extra", "4", "–", "→", "5"],
        ["extra", "None", "–", "→", "1"],
        ["extra", "a", "–", "→", "2"],
    ]
    same = invoke("diff", "keys.py", "keys.py", "--model", "net.py:make", cwd=folder)
    assert same.returncode == 0


@pytest.mark.parametrize("form", ["json", "csv", "md"])
def test_reports_of_names_that_are_no_strings(form: str, folder: Path, invoke: Invoke) -> None:
    (folder / "keys.py").write_text(ODD_KEYS)
    words = ("--model", "net.py:make", "--format", form)
    done = invoke("diff", "a.py", "keys.py", *words, cwd=folder)
    assert done.returncode == 1
    if form == "json":
        data = json.loads(done.stdout)
        validate(data, "diff-1.0")
        fields = {one["field"]: one["after"] for one in data["clusters"]}
        assert fields == {"('b', 1)": 3, "4": 5, "None": 1, "a": 2}
    if form == "csv":
        rows = list(csv.reader(done.stdout.splitlines()))
        names = [row[3] for row in rows if row[2] == "extra"]
        assert names == ["('b', 1)", "4", "None", "a"]


def test_a_custom_key_that_is_a_tuple_is_refused(folder: Path, invoke: Invoke) -> None:
    (folder / "keys.py").write_text(B.replace("'layer1':", "('layer1', 'b'):"))
    done = invoke("diff", "a.py", "keys.py", "--model", "net.py:make", cwd=folder)
    assert (done.returncode, done.stdout.strip()) == (2, "")
    assert "error: keys.py:5:22: a custom key must be a string, got tuple" in done.stderr


def test_values_on_top_of_configs(folder: Path, invoke: Invoke) -> None:
    """They hold for each side that is a config; a saved plan is as it was saved."""
    model, higher = ("--model", "net.py:make"), ("--set", "optim_wrapper.optimizer.lr=0.01")
    assert invoke("diff", "a.py", "lr.py", *model, cwd=folder).returncode == 1
    assert invoke("diff", "a.py", "lr.py", *model, *higher, cwd=folder).returncode == 0
    plan = invoke("show", "a.py", *model, "-f", "json", cwd=folder).stdout
    (folder / "plan.json").write_text(plan)
    done = invoke("diff", "plan.json", "a.py", *model, *higher, cwd=folder)
    assert done.returncode == 1
    assert "0.001  →  0.01" in done.stdout
    done = invoke("diff", "plan.json", "plan.json", *higher, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: 'plan.json' is a saved plan, in which --set changes nothing\n"


def test_a_config_that_needs_trust(folder: Path, invoke: Invoke) -> None:
    (folder / "run.py").write_text(f"import os\nwhile False:\n    pass\n{A}")
    words = ("diff", "run.py", "a.py", "--model", "net.py:make")
    assert invoke(*words, cwd=folder).returncode == 2
    assert invoke(*words, "--trust", cwd=folder).returncode == 0
