"""What ``diff`` says that resuming changes is what changes when the trainer loads that checkpoint."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from tests.schema import validate

pytestmark = pytest.mark.filterwarnings("ignore")
TRAINERS = ("huggingface", "lightning", "mmengine", "timm", "distributed", "torchtitan")
FILE = str(Path(__file__).with_name("trainings.py"))
NET, VALUES = ("-m", f"{FILE}:Net"), ("-a", "lr=0.2", "-a", "decay=0.05", "-a", "betas=(0.8, 0.95)")
# How the command line names the training that goes on.
COMMANDS = {
    "huggingface": ("args.yaml", *NET),
    "lightning": (f"{FILE}:Lit", "-k", "lr=0.2", "-k", "decay=0.05", "-k", "betas=(0.8, 0.95)"),
    "mmengine": ("config.py", "-m", f"{FILE}:ResumedNet"),
    "timm": ("args.yaml", *NET),
    "distributed": (f"{FILE}:optimizer_of", *NET, *VALUES),
    "torchtitan": (f"{FILE}:optimizer_of", *NET, *VALUES),
}
SAVED_BY: dict[str, tuple[str, dict[str, float]]] = {
    "huggingface": ("Hugging Face", {"step": 1, "epoch": 1.0}),
    "lightning": ("Lightning", {"epoch": 1, "step": 2}),
    "mmengine": ("MMEngine", {"epoch": 1, "iteration": 2}),
    "timm": ("timm", {"epoch": 3}),
    "distributed": ("torch.distributed.checkpoint", {"step": 7}),
    "torchtitan": ("torchtitan", {"step": 7}),
}


# What schedulers count, or work out of others.
PROGRESS = {
    "last_epoch", "last_step", "_step_count", "_global_step", "_last_lr", "_last_value", "verbose", "lr_lambdas",
    "_get_lr_called_within_step", "_is_initial",
}  # fmt: skip


@pytest.fixture(scope="module", params=TRAINERS)
def resumed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A checkpoint, and what a training with other values begins with: without it, and after loading it."""
    from tests.checkpoints.trainings import NEW, OLD

    train = getattr(import_module("tests.checkpoints.trainings"), request.param)
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # mmengine's checkpoints hold more
        patch.chdir(folder)
        checkpoint, _ = train(folder, OLD)
        other = tmp_path_factory.mktemp(f"{request.param}-new")
        fresh = train(other, NEW)[1]
        loaded = train(folder, NEW, resume=checkpoint)[1]
    return request.param, folder, checkpoint, fresh, loaded


def report(resumed: Any, invoke: Invoke, *words: str) -> dict[str, Any]:
    name, folder, checkpoint, *_ = resumed
    sides = COMMANDS[name][0], str(checkpoint)
    done = invoke("diff", *sides, *COMMANDS[name][1:], "-f", "json", "-q", *words, cwd=folder)
    assert done.returncode == 1, done.stderr + done.stdout
    data: dict[str, Any] = json.loads(done.stdout)
    validate(data, "diff-1.0")
    return data


def test_each_option_of_each_parameter(resumed: Any, invoke: Invoke) -> None:
    """On both sides of the difference, by the groups that the trainer has before and after."""
    name, _, _, fresh, loaded = resumed
    data = report(resumed, invoke, "--full")
    assert data["misfits"] == []
    assert (data["only_before"]["names"], data["only_after"]["names"]) == ([], [])
    rows = {row["before"]["name"]: row for row in data["rows"]}
    assert rows.keys() == fresh.options.keys() == loaded.options.keys()
    base = {one["field"]: one for one in data["optimizers"]}
    for parameter, row in rows.items():
        for side, real in (("before", fresh), ("after", loaded)):
            own = real.options[parameter]
            assert row[side]["lr"] == own.get("initial_lr", own["lr"])
            assert row[side]["weight_decay"] == own["weight_decay"]
            betas = row[side]["options"].get("betas", base["betas"][side])
            assert tuple(betas) == tuple(own["betas"])
    saved_by, progress = SAVED_BY[name]
    assert data["resumption"]["saved_by"] == saved_by
    assert progress.items() <= data["resumption"]["progress"].items()
    entries = {one["entry"] for one in data["resumption"]["overwritten"]}
    assert {"lr", "weight_decay", "betas"} <= entries


def test_each_attribute_of_the_schedulers(resumed: Any, invoke: Invoke) -> None:
    name, _, _, fresh, loaded = resumed
    told = {
        one["field"]: (one["before"], one["after"])
        for one in report(resumed, invoke)["schedule"]["schedulers"]
    }
    real = {
        entry: (list_of(before[entry]), list_of(value))
        for before, after in zip(fresh.schedulers, loaded.schedulers, strict=True)
        for entry, value in after.items()
        if entry not in PROGRESS and before[entry] != value
    }
    assert {entry: tuple(map(list_of, values)) for entry, values in told.items()} == {
        # mmengine's base values are the initial ones of the groups, which are told as such
        entry: values for entry, values in real.items() if entry != "base_values"
    }  # fmt: skip
    expected = {
        "huggingface": {"base_lrs"},
        "lightning": {"base_lrs", "step_size"},
        "mmengine": {"end", "step_size"},
    }
    assert told.keys() == expected.get(name, set())


def list_of(value: Any) -> Any:
    """Return one value for all groups, where they have the same."""
    if isinstance(value, list) and all(one == value[0] for one in value):
        return value[0]
    return value
