"""Each kind of sabotage is found by the command, and its parameter, hook or option is named."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.optim import optimizer as torch_optimizer

from tests.conftest import ROOT, Invoke, Result
from tests.verify.sabotage import sane, unusual
from tests.verify.sabotage.kind import Kind
from tests.verify.sabotage.table import KINDS

FOLDER = Path(__file__).with_name("sabotage").relative_to(ROOT)


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what a sabotage changes of torch itself."""
    monkeypatch.setattr(torch.optim.SGD, "step", torch.optim.SGD.step)
    monkeypatch.setattr(torch_optimizer, "_global_optimizer_post_hooks", OrderedDict())


CONFIG = """\
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0.0),
    constructor='{}',
)
"""


def command(target: str, model: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the config or function, and the model; a config of a constructor is written to a folder."""
    file, _, name = target.partition(".")
    if file == "constructors":
        config = folder / f"{name}.py"
        config.write_text(CONFIG.format(name))
        imported = ("--import", f"{FOLDER}/constructors.py")
        return str(config), "--model", f"{FOLDER}/nets.py:{model}", *imported
    return f"{FOLDER}/{file}.py:{name}", "--model", f"{FOLDER}/nets.py:{model}"


def verified(invoke: Invoke, kind: Kind, folder: Path) -> Result:
    plan: tuple[str | Path, ...] = ()
    if kind.plan is not None:
        file = kind.target.partition(".")[0]
        saved = invoke("show", *command(f"{file}.{kind.plan}", kind.model), "-f", "json")
        assert saved.returncode == 0, saved.stderr
        plan = ("--plan", folder / "plan.json")
        (folder / "plan.json").write_text(saved.stdout)
    target = command(kind.target, kind.model, folder)
    return invoke("verify", *target, "--device", "cpu", "--no-cost", *plan)


def words(report: str) -> str:
    """Return a report without its head and its table of settings, which name options whatever was found."""
    body = report.partition("\n\n")[2]
    return re.sub(r"(?s)\n setting .*?\n\n", "\n", body)


def has(report: str, word: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.]*\w)", report) is not None


def kind_id(kind: Kind) -> str:
    return kind.target if kind.model == "Net" else f"{kind.target}-{kind.model}"


@pytest.mark.parametrize("kind", KINDS, ids=kind_id)
def test_it_is_found(kind: Kind, invoke: Invoke, tmp_path: Path) -> None:
    done = verified(invoke, kind, tmp_path)
    assert done.returncode in kind.statuses, done.stdout + done.stderr
    assert bool(done.stderr) is (done.returncode == 2)
    found = done.stderr or words(done.stdout)
    assert [word for word in kind.names if not has(found, word)] == [], done.stdout
    assert [word for word in kind.spared if has(found, word)] == [], done.stdout


def test_there_are_kinds_enough() -> None:
    assert len(KINDS) >= 70
    assert len({kind_id(kind) for kind in KINDS}) == len(KINDS)


def sane_ones() -> Iterator[str]:
    for module in (sane, unusual):
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") == module.__name__ and name.islower():
                yield f"{module.__name__.rpartition('.')[2]}.{name}"


@pytest.mark.parametrize("target", list(sane_ones()))
def test_what_keeps_its_word_is_not_blamed(target: str, invoke: Invoke) -> None:
    model = "Matrices" if target == "sane.orthogonalized" else "Net"
    done = invoke("verify", *command(target, model), "--device", "cpu", "--no-cost")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "matches" in done.stdout
