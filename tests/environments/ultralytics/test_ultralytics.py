"""ultralytics' args.yaml: equal to the optimizer and the schedule of its own trainer, set up on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from torch.optim import Optimizer
from ultralytics.models.yolo.detect import DetectionTrainer

from optplan.app.config_schedule import Length
from optplan.app.planning import make_plan
from optplan.app.request import PlanRequest
from optplan.app.schedule import scheduled
from optplan.dialects import load_config, recognition_of
from optplan.model import load_model
from optplan.schedule.trajectories import courses_of
from tests.conftest import Run

IMAGES = 4
COMMON: dict[str, Any] = {
    "task": "detect",
    "mode": "train",
    "epochs": 6,
    "batch": 2,
    "lr0": 0.02,
    "lrf": 0.1,
}
FILES: dict[str, dict[str, Any]] = {
    "SGD": {"optimizer": "SGD", "momentum": 0.9, "weight_decay": 0.001, "nbs": 64},
    "AdamW": {"optimizer": "AdamW", "weight_decay": 0.05, "nbs": 2},
    "Adam": {"optimizer": "Adam", "momentum": 0.8},
    "Adamax": {"optimizer": "Adamax"},
    "NAdam": {"optimizer": "NAdam", "batch": 3},
    "RAdam": {"optimizer": "RAdam"},
    "RMSprop": {"optimizer": "RMSprop", "weight_decay": 0.01},
    "MuSGD": {"optimizer": "MuSGD", "weight_decay": 0.002},
    "lower case": {"optimizer": "sgd"},
    "auto": {"optimizer": "auto", "images": IMAGES},
    "auto of many updates": {"optimizer": "auto", "images": IMAGES, "epochs": 30_000},
}  # fmt: skip
MODELS = ("yolo11n.yaml", "yolov8n.yaml", "yolo26n.yaml")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of four images, which the trainer reads."""
    folder = tmp_path_factory.mktemp("data")
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (64, 64), (number, 20, 30)).save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    path = folder / "data.yaml"
    path.write_text(
        yaml.safe_dump({"path": str(folder), "train": "images", "val": "images", "names": {0: "a"}})
    )
    return path


def trainer_of(arguments: dict[str, Any], model: str, data: Path, folder: Path) -> Any:
    """Return the library's trainer, set up."""
    given = {name: value for name, value in arguments.items() if name != "images"}
    own = {
        "model": model,
        "data": str(data),
        "device": "cpu",
        "imgsz": 64,
        "workers": 0,
        "amp": False,
    }
    trainer = DetectionTrainer(overrides={**given, **own, "project": str(folder), "plots": False})
    trainer._setup_train()
    return trainer


def values(optimizer: Optimizer, model: Any) -> dict[str, dict[str, Any]]:
    names = {id(one): name for name, one in model.named_parameters()}
    return {
        names[id(one)]: {
            "lr": group["initial_lr"],
            **{
                n: v
                for n, v in group.items()
                if n in optimizer.defaults and n not in {"params", "lr"}
            },
        }
        for group in optimizer.param_groups
        for one in group["params"]
    }


def write(folder: Path, arguments: dict[str, Any]) -> Path:
    path = folder / "args.yaml"
    path.write_text(yaml.safe_dump({**COMMON, **arguments}))
    return path


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, MODELS[0]) for name in FILES),
        *((name, model) for name in ("SGD", "MuSGD") for model in MODELS[1:]),  # MuSGD boosts heads
    ],
)
def test_equal_to_the_trainer(name: str, model: str, data: Path, tmp_path: Path) -> None:
    arguments = {**COMMON, **FILES[name]}
    trainer = trainer_of(arguments, model, data, tmp_path)
    wanted = values(trainer.optimizer, trainer.model)
    plan = make_plan(load_model(model, nc=1), load_config(write(tmp_path, FILES[name])))
    (optimizer,) = plan.optimizers
    kind = type(trainer.optimizer)
    assert optimizer.class_name == f"{kind.__module__}.{kind.__qualname__}"
    found = {row.name: row for row in plan.parameters if row.group is not None}
    assert found.keys() == wanted.keys()
    for name, entries in wanted.items():
        row = found[name]
        own = {**trainer.optimizer.defaults, **optimizer.options, **row.options}
        own |= {"lr": row.lr, "weight_decay": row.weight_decay}
        for entry, value in entries.items():
            assert plain(own[entry]) == plain(value), (name, entry)


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("cos_lr", [False, True])
def test_schedule_equal_to_the_trainer(cos_lr: bool, data: Path, tmp_path: Path, run: Run) -> None:
    arguments = {**FILES["SGD"], "cos_lr": cos_lr, "warmup_epochs": 0}
    trainer = trainer_of({**COMMON, **arguments}, MODELS[0], data, tmp_path)
    wanted = [0.02 * trainer.lf(epoch) for epoch in range(6)]
    path = write(tmp_path, arguments)
    done = run("schedule", path, "--model", MODELS[0], "--every", "1", "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(",") for line in done.stdout.splitlines()]
    column, step = rows[0].index("lr"), rows[0].index("step")
    found = {row[step]: float(row[column]) for row in rows[1:]}
    assert list(found.values()) == pytest.approx(wanted, rel=1e-12)


WARM = {
    "of two epochs": {**FILES["SGD"], "warmup_epochs": 2},
    "of a part of one": {**FILES["SGD"], "warmup_epochs": 1.5, "warmup_bias_lr": 0.3, "cos_lr": True},
    "without momentum": {**FILES["AdamW"], "warmup_epochs": 3, "warmup_momentum": 0.5},
    "longer than the training": {**FILES["SGD"], "epochs": 3, "warmup_epochs": 9},
    "of MuSGD": {**FILES["MuSGD"], "warmup_epochs": 1},
    "by default": FILES["SGD"],
}  # fmt: skip


@pytest.mark.parametrize("name", WARM)
def test_the_warm_up_equal_to_the_trainers(name: str, data: Path, tmp_path: Path, run: Run) -> None:
    """Hold each step of each parameter's lr and momentum against the real trainer while it trains."""
    trainer = trainer_of({**COMMON, **WARM[name]}, MODELS[0], data, tmp_path)
    names = {id(one): name for name, one in trainer.model.named_parameters()}
    wanted: list[dict[str, dict[str, float]]] = []

    def note(training: Any) -> None:
        wanted.append(
            {
                names[id(one)]: {key: group[key] for key in ("lr", "momentum") if key in group}
                for group in training.optimizer.param_groups
                for one in group["params"]
            }
        )

    trainer.add_callback("on_train_batch_end", note)
    trainer._setup_train = lambda: None  # it is set up
    trainer.args.val = False
    trainer._do_train()
    request = PlanRequest(model=MODELS[0], model_arg=["nc=1"])
    path = str(write(tmp_path, WARM[name]))
    schedule = scheduled(path, request, Length(per_epoch=IMAGES // 2)).schedule
    found = courses_of(schedule, range(schedule.length)).values
    assert schedule.unread == ()
    assert schedule.length == len(wanted) == IMAGES // 2 * WARM[name].get("epochs", 6)
    assert {one for setting in schedule.settings for one in setting.names} == wanted[0].keys()
    for place, setting in enumerate(schedule.settings):
        for parameter in setting.names:
            for key in wanted[0][parameter]:
                told = [step[parameter][key] for step in wanted]
                assert list(found[key][place]) == pytest.approx(told, rel=1e-12), (parameter, key)


def test_decay_is_told_where_each_iteration_is_a_step(tmp_path: Path, run: Run) -> None:
    words = ("--model", MODELS[0], "--iters-per-epoch", "2", "--view", "decay")
    done = run("schedule", write(tmp_path, FILES["SGD"]), *words)  # nbs 64 and batch 2
    assert (done.returncode, done.stdout) == (2, "")
    assert "several iterations may make one step" in done.stderr
    done = run("schedule", write(tmp_path, FILES["AdamW"]), *words)  # nbs 2
    assert (done.returncode, done.stderr) == (0, "")


def test_the_warm_up_is_named_as_not_read(tmp_path: Path, run: Run) -> None:
    done = run("schedule", write(tmp_path, FILES["SGD"]), "--model", MODELS[0])
    assert (
        "the warm-up of ultralytics' loop, which takes --iters-per-epoch"
        in done.stdout + done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"optimizer": "auto"}, "MuSGD or AdamW by the number of updates", "--set images=118287"),
        (
            {"optimizer": "SGD", "batch": -1},
            "batch is left to the memory of a GPU",
            "--set batch=16",
        ),
        ({"optimizer": "SGD", "freeze": 10}, "freeze is not read", "--set freeze=None"),
        ({"optimizer": "nonesuch"}, "Optimizer 'nonesuch' not found", ""),
    ],
)
def test_messages(
    arguments: dict[str, Any], message: str, hint: str, tmp_path: Path, run: Run
) -> None:
    done = run("show", write(tmp_path, arguments), "--model", MODELS[0])
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr


def test_the_files_own_model(tmp_path: Path, run: Run) -> None:
    done = run("show", write(tmp_path, {"optimizer": "SGD", "model": "yolo11n.pt"}))
    assert done.returncode == 2
    assert "name its architecture: --model yolo11n.yaml" in done.stderr


def test_recognized(tmp_path: Path) -> None:
    found = recognition_of(load_config(write(tmp_path, FILES["SGD"])))
    assert str(found) == "ultralytics: task, lr0, lrf, nbs"


LAYERS = "nc: 1\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\nhead:\n  - [[0], 1, Detect, [nc]]\n"
HOSTILE = {
    "an activation": ("activation: open('trace', 'w') or nn.SiLU()\n" + LAYERS, "no class of torch.nn"),
    "an argument of one": ("activation: nn.SiLU(open('trace', 'w'))\n" + LAYERS, "no class of torch.nn"),
    "another's activation": ("activation: nn.init.os.abort()\n" + LAYERS, "no class of torch.nn"),
    "a function": (LAYERS.replace("Conv, [8, 3, 2]", "torch_safe_load, [weights.pt]"), "no class of layers"),
    "a function of torch's": (LAYERS.replace("Conv", "nn.init"), "no class of layers"),
    "an expression": (LAYERS.replace("8, 3", "\"open('trace', 'w')\", 3"), "is no name or number"),
    "repeats": (LAYERS.replace("[-1, 1, Conv", "[-1, 1000000000, Conv"), "is not [from, repeats"),
    "weights": (LAYERS.replace("Conv, [8, 3, 2]", "TorchVision, [8, resnet18]"), "loads weights"),
    "no layers": (LAYERS.replace("[-1, 1, Conv, [8, 3, 2]]", "1"), "is not [from, repeats"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_model_runs_no_code(name: str, tmp_path: Path, run: Run) -> None:
    text, message = HOSTILE[name]
    (tmp_path / "strange.yaml").write_text(text)
    (tmp_path / "args.yaml").write_text(yaml.safe_dump({**COMMON, **FILES["SGD"]}))
    done = run("show", "args.yaml", "--model", "strange.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("activation", ["nn.LeakyReLU(0.1, inplace=True)", "torch.nn.SiLU()"])
def test_activations_of_torch_are_built(
    activation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(f"activation: {activation}\n{LAYERS}")
    model: Any = load_model("tiny.yaml")
    assert type(model.model[0].act).__name__ in activation


@pytest.mark.parametrize("command", ["show", "schedule"])
def test_nothing_is_written_for_the_user(command: str, tmp_path: Path, run: Run) -> None:
    """The library writes its settings as it is imported."""
    home = tmp_path / "home"
    home.mkdir()
    path = write(tmp_path, {**FILES["SGD"], "warmup_epochs": 0})
    done = run(command, path, "--model", MODELS[0], HOME=str(home), XDG_CONFIG_HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    assert not [one for one in home.rglob("*") if "ltralytics" in one.name]
