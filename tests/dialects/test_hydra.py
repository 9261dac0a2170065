"""Hydra's files: equal to what ``hydra.utils.instantiate`` makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from optplan.config.recognition import Recognition
from optplan.dialects import dialect_of, load_config, recognition_of
from optplan.errors import ConfigError
from optplan.runtime.installed import find_installed
from tests.conftest import Invoke
from tests.dialects.reference_hydra import reference
from tests.dialects.released_sweep import SmallNet, differences

FILES = {
    "plain": "optimizer: {_target_: torch.optim.AdamW, lr: 1e-4, weight_decay: 0.1, betas: [0.9, 0.95]}\n",
    "in the model": "model:\n  _target_: p.Net\n  optimizer: {_target_: torch.optim.Adam, _partial_: true, lr: 0.01}\n",
    "interpolated": "lr: 0.3\nnested: {decay: 1e-5}\n"
    "optimizer: {_target_: torch.optim.SGD, lr: '${lr}', weight_decay: '${nested.decay}', momentum: 0.9}\n",
    "itself": "_target_: torch.optim.RMSprop\nlr: 0.001\nalpha: 0.9\n",
    "deeper": "trainer:\n  optim:\n    optimizer: {_target_: torch.optim.NAdam, lr: 0.002}\n",
}


def write(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", FILES)
def test_equal_to_instantiate(name: str, tmp_path: Path) -> None:
    assert differences(write(tmp_path, FILES[name]), reference) == []


@pytest.fixture
def composed(tmp_path: Path) -> Path:
    write(tmp_path, "_target_: torch.optim.AdamW\nlr: ${base}\n", "optimizer/adamw.yaml")
    write(tmp_path, "_target_: torch.optim.SGD\nlr: 0.5\nmomentum: 0.8\n", "optimizer/sgd.yaml")
    write(
        tmp_path,
        "_target_: torch.nn.Linear\nin_features: 4\nout_features: 2\n",
        "model/linear.yaml",
    )
    text = "defaults:\n  - _self_\n  - optimizer: adamw\n  - model: linear\nbase: 0.01\n"
    return write(tmp_path, text, "train.yaml")


def test_composed_equal(composed: Path) -> None:
    assert differences(composed, reference) == []


def test_composed_with_overrides(composed: Path, invoke: Invoke) -> None:
    done = invoke("show", composed)
    assert (done.returncode, done.stderr) == (0, "")
    assert "torch.nn.Linear" in done.stdout
    assert "AdamW  lr 0.01" in done.stdout
    done = invoke("show", composed, "--set", "optimizer.lr=0.25")
    assert "AdamW  lr 0.25" in done.stdout
    done = invoke("show", composed, "--set", "optimizer=sgd")
    assert "SGD  lr 0.5" in done.stdout
    assert "momentum 0.8" in done.stdout
    done = invoke("show", composed, "--set", "optimizer=nonesuch")
    assert done.returncode == 2
    assert "Hydra cannot compose it" in done.stderr
    assert "adamw" in done.stderr


def test_schedule_equal_to_torch(tmp_path: Path, invoke: Invoke) -> None:
    text = FILES["in the model"] + (
        "  scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR, _partial_: true, T_max: 5}\n"
        "trainer: {max_epochs: 5, default_root_dir: '${nowhere}'}\n"
    )
    path = write(tmp_path, text)
    done = invoke("schedule", path, "--model", "resnet18", "--every", "1", "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    optimizer = torch.optim.Adam(SmallNet().parameters(), lr=0.01)
    scheduler = CosineAnnealingLR(optimizer, 5)
    wanted = []
    for _ in range(5):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert every_lr(done.stdout) == pytest.approx(wanted, rel=1e-12)


def every_lr(text: str) -> list[float]:
    """Return the lr at each step of a schedule as CSV, which has a row for each beginning and end."""
    rows = [line.split(",") for line in text.splitlines()]
    column, step = rows[0].index("lr"), rows[0].index("step")
    return [float(found) for found in {row[step]: row[column] for row in rows[1:]}.values()]


def test_what_is_called_is_an_optimizer(tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, "optimizer: {_target_: os.system, command: 'true'}\n")
    done = invoke("show", path, "--model", "resnet18")
    assert done.returncode == 2
    assert "'os.system' is not an optimizer class" in done.stderr


def test_other_schedulers_are_named(tmp_path: Path, invoke: Invoke) -> None:
    path = write(tmp_path, FILES["plain"] + "scheduler: {_target_: a.b.warm_up, steps: 3}\n")
    done = invoke("schedule", path, "--model", "resnet18", "--epochs", "3")
    assert "scheduler a.b.warm_up" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer: {_target_: torch.optim.SGD, lr: '${nowhere}'}\n", "'${nowhere}' cannot be resolved"),
        ("optimizer: {_target_: torch.optim.SGD, lr: 1, params: [a]}\n", "'params' of the optimizer is not read"),
        (
            "a: {optimizer: {_target_: torch.optim.SGD}}\nb: {optimizer: {_target_: torch.optim.SGD}}\n",
            "the config has several: a.optimizer, b.optimizer",
        ),
    ],
)  # fmt: skip
def test_messages(text: str, message: str, tmp_path: Path) -> None:
    config = load_config(write(tmp_path, text))
    with pytest.raises(ConfigError) as caught:
        dialect_of(config).read(config)
    assert message in str(caught.value)


def test_groups_in_another_folder(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "shared" / "optimizer").mkdir(parents=True)
    for name, lr in (("sgd", 0.25), ("slow", 0.125)):
        text = f"_target_: torch.optim.SGD\nlr: {lr}\n"
        write(tmp_path / "shared" / "optimizer", text, f"{name}.yaml")
    path = write(tmp_path / "own", "defaults:\n  - optimizer: sgd\n  - _self_\n")
    words = ("--model", "resnet18", "--format", "json")
    alone = invoke("show", path, *words, cwd=tmp_path)
    assert alone.returncode == 2
    assert "Could not find 'optimizer/sgd'" in alone.stderr
    folder = ("--set", "hydra.searchpath=shared")
    done = invoke("show", path, *words, *folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"lr": 0.25' in done.stdout
    done = invoke("show", path, *words, *folder, "--set", "optimizer=slow", cwd=tmp_path)
    assert '"lr": 0.125' in done.stdout, done.stderr


def test_without_the_libraries(composed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_of_these(name: str) -> object:
        return None if name in {"hydra", "omegaconf"} else find_installed(name)

    monkeypatch.setattr("optplan.dialects.hydra.compose.find_installed", none_of_these)
    monkeypatch.setattr("optplan.dialects.interpolations.find_installed", none_of_these)
    for path, package in ((composed, "hydra-core"), (composed.parent / "o.yaml", "omegaconf")):
        if not path.exists():
            write(composed.parent, FILES["interpolated"], path.name)
        config = load_config(path)
        with pytest.raises(ConfigError, match=f"pip install {package}"):
            dialect_of(config).read(config)


def test_recognized_by_its_entries(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FILES["in the model"]))
    wanted = Recognition(dialect="hydra", title="Hydra", because=("model.optimizer._target_",))
    assert recognition_of(config) == wanted


def test_check_passes_over_what_another_composes(composed: Path, invoke: Invoke) -> None:
    done = invoke("check", composed.parent)
    assert done.returncode == 0, done.stdout
    assert "no findings in 1 config\n" in done.stdout  # sgd.yaml, which is whole
    assert "2 files passed over: no config" in done.stdout


@pytest.mark.parametrize(
    "hydra", ["hydra: {searchpath: [pkg://evil]}", "x: {searchpath: [pkg://evil]}\nhydra: ${x}"]
)
def test_no_package_is_imported(
    hydra: str, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, f"open({str(tmp_path / 'trace')!r}, 'w')", "evil/__init__.py")
    write(tmp_path, "a: 1\n", "g/x.yaml")
    optimizer = "optimizer: {_target_: torch.optim.SGD, lr: 1}\n"
    path = write(tmp_path, f"defaults: [_self_, {{g: x}}]\n{hydra}\n{optimizer}")
    monkeypatch.syspath_prepend(tmp_path)
    done = invoke("show", path, "--model", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'hydra.searchpath' is read where it names folders alone" in done.stderr
    assert not (tmp_path / "trace").exists()


def doubled(times: int, first: str, text: str) -> str:
    """Return entries each of which stands for the one before it twice."""
    lines = [f"a0: {first}"] + [f"a{at + 1}: {text.replace('A', f'a{at}')}" for at in range(times)]
    return "\n".join(lines) + "\n"


BOMBS = {
    "texts": doubled(60, "xx", "'${A}${A}'") + "lr: '${a60}'\n",
    "mappings": doubled(60, "{b: 1}", "{b: '${A}', c: '${A}'}") + "lr: '${a60}'\n",
    "through a mapping": doubled(60, "{b: 1}", "{b: '${A.b}${A.b}'}") + "lr: '${a60.b}'\n",
    "by a function": doubled(60, "xx", "'${oc.select:A}${oc.select:A}'") + "lr: '${a60}'\n",
    "by position": doubled(60, "xx", "['${A}${A}', '${A[0]}']") + "lr: '${a60}'\n",
    "beside": "p: {a: xx, " + ", ".join(f"{chr(98 + at)}: '${{.{chr(97 + at)}}}${{.{chr(97 + at)}}}'" for at in range(24))
    + "}\nlr: '${p.y}'\n",
    "a circle": "lr: '${a}'\na: '${b}'\nb: '${a}'\n",
    "in itself": "lr: '${a}'\na: {b: '${a}'}\n",
    "a computed name": "lr: '${a${b}}'\nb: c\nac: 1\n",
    "what a function makes": "lr: \"${oc.create:'[1, 2]'}\"\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_too_long_is_refused(name: str, tmp_path: Path) -> None:
    text = BOMBS[name] + "optimizer: {_target_: torch.optim.SGD, lr: '${lr}'}\n"
    config = load_config(write(tmp_path, text))
    with pytest.raises(ConfigError, match=r"stands for|computes the name|returns, which is not"):
        dialect_of(config).read(config)


def test_defaults_that_would_take_too_long_are_refused(tmp_path: Path, invoke: Invoke) -> None:
    for depth in range(8):
        each = "".join(f"  - /g/l{depth + 1}@p{at}\n" for at in range(12))
        write(tmp_path, f"defaults:\n{each}", f"g/l{depth}.yaml")
    write(tmp_path, "lr: 1\n", "g/l8.yaml")
    path = write(tmp_path, "defaults:\n  - g: l0\noptimizer: {_target_: torch.optim.SGD, lr: 1}\n")
    done = invoke("show", path, "--model", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert "more files than can be read" in done.stderr


def test_aliases_that_would_fill_the_memory_are_refused(tmp_path: Path, invoke: Invoke) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at + 1}: &a{at + 1} [{', '.join([f'*a{at}'] * 10)}]" for at in range(9)]
    write(tmp_path, "\n".join(lines), "g/many.yaml")
    path = write(tmp_path, "defaults: [{g: many}]\noptimizer: {_target_: torch.optim.SGD, lr: 1}\n")
    done = invoke("show", path, "--model", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the data is too large" in done.stderr


@pytest.mark.parametrize("place", ["its own", "another's"])
def test_choices_that_would_take_too_long_are_refused(
    place: str, tmp_path: Path, invoke: Invoke
) -> None:
    chain = ["  - a0: xx\n"] + [f"  - a{at + 1}: ${{a{at}}}${{a{at}}}\n" for at in range(60)]
    text = "defaults:\n" + "".join(chain)
    optimizer = "optimizer: {_target_: torch.optim.SGD, lr: 1}\n"
    if place == "another's":
        write(tmp_path, text, "g/deep.yaml")
        text = "defaults:\n  - g: deep\n"
    done = invoke("show", write(tmp_path, text + optimizer), "--model", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert "compute more names" in done.stderr


@pytest.mark.parametrize("lr", ["${oc.env:OPTPLAN_SECRET}", "${oc.${what}:OPTPLAN_SECRET}"])
@pytest.mark.parametrize("is_composed", [False, True])
def test_the_environment_is_not_read(
    lr: str, is_composed: bool, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may come from a stranger, and what it makes of the environment would be printed."""
    monkeypatch.setenv("OPTPLAN_SECRET", "0.125")
    start = "defaults: [_self_]\n" if is_composed else ""
    optimizer = f"{{_target_: torch.optim.SGD, lr: '{lr}'}}"
    path = write(tmp_path, f"{start}what: env\noptimizer: {optimizer}\n")
    done = invoke("show", path, "--model", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{lr}'" in done.stderr
    assert "0.125" not in done.stderr
