"""A file that the command line names is run once in a process, whatever it is called by."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optplan.runtime import user_modules
from tests.conftest import SAMPLES, Invoke, Run

MODEL = """\
import torch
from torch import nn

print('run:', __name__)


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8, bias=False)
        self.norm = RMSNorm(8)
"""

# decays all but what RMSNorm has, by the class itself
TRAIN = """\
import torch
{imports}


def build(model):
    {inside}
    norms = [p for m in model.modules() if isinstance(m, RMSNorm) for p in m.parameters()]
    rest = [p for p in model.parameters() if all(p is not one for one in norms)]
    return torch.optim.SGD([dict(params=rest, weight_decay=0.1), dict(params=norms, weight_decay=0.0)], lr=1.0)
"""

DECAYS = {"fc.weight": 0.1, "norm.weight": 0.0}


@pytest.fixture(autouse=True)
def _as_before(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A process of the command ends after each command; this one forgets what it has imported."""
    for module in user_modules.BY_FILE.values():  # of other tests
        if not module.__name__.startswith("tests."):
            sys.modules.pop(module.__name__, None)
    folders = (str(tmp_path_factory.getbasetemp()), str(SAMPLES))
    for name, module in list(sys.modules.items()):
        if any(folder in repr(module) for folder in folders):
            sys.modules.pop(name)
    user_modules.BY_FILE.clear()
    before, path, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    yield
    assert (sys.path, sys.meta_path) == (path, finders)
    for name in sys.modules.keys() - before.keys():
        if str(tmp_path) in repr(sys.modules[name]):
            sys.modules.pop(name)
    gone = {name for name, module in before.items() if sys.modules.get(name) is not module}
    assert not gone


def train(imports: str = "", inside: str = "pass") -> str:
    return TRAIN.format(imports=imports, inside=inside)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__in__", "__init__").replace("_S_", "/")
        path = path.with_name(f"{path.name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def plan(invoke: Invoke, folder: Path, config: str, model: str, *more: str) -> tuple[Any, str]:
    done = invoke("show", config, "--model", model, "--format", "json", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def decays(found: Any) -> dict[str, float]:
    return {row["name"]: row["weight_decay"] for row in found["parameters"]}


WAYS = {
    "relative": "mymodel.py:Net",
    "with a dot": "./mymodel.py:Net",
    "absolute": "{folder}/mymodel.py:Net",
    "through a link": "link.py:Net",
    "through a linked folder": "linked/mymodel.py:Net",
    "module": "mymodel:Net",
}


@pytest.mark.parametrize("word", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "text",
    [
        train("from mymodel import RMSNorm"),
        train(inside="from mymodel import RMSNorm"),
        train("import mymodel", "RMSNorm = mymodel.RMSNorm"),
    ],
    ids=["at the top", "in the function", "as a module"],
)
def test_other_files_import_the_model(invoke: Invoke, tmp_path: Path, word: str, text: str) -> None:
    write(tmp_path, mymodel=MODEL, train=text)
    (tmp_path / "link.py").symlink_to("mymodel.py")
    (tmp_path / "linked").symlink_to(".")
    found, said = plan(invoke, tmp_path, "train.py:build", word.format(folder=tmp_path))
    assert decays(found) == DECAYS
    assert said == "run: mymodel\n"
    assert found["model"]["class"] == "mymodel.Net"


def test_one_file_for_all(invoke: Invoke, tmp_path: Path) -> None:
    write(tmp_path, both=MODEL + train())
    found, said = plan(
        invoke, tmp_path, "both.py:build", f"{tmp_path}/both.py:Net", "--import", "./both.py"
    )
    assert decays(found) == DECAYS
    assert said == "run: both\n"


def test_installed_command(run: Run, tmp_path: Path) -> None:
    write(tmp_path, mymodel=MODEL, train=train("from mymodel import RMSNorm"))
    for command in (["verify", "--device", "cpu", "--no-cost"], ["explain", "*"], ["schedule"]):
        name, *more = command
        names = more if name == "explain" else []
        options = ["--iters", "4"] if name == "schedule" else [] if names else more
        done = run(name, "train.py:build", *names, "-m", "mymodel.py:Net", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("run:") == 1


PACKAGE_WORDS = ["pkg/model.py:Net", "pkg.model:Net", "{folder}/pkg/model.py:Net"]


@pytest.mark.parametrize("word", PACKAGE_WORDS)
@pytest.mark.parametrize("line", ["from .model import RMSNorm", "from pkg.model import RMSNorm"])
def test_files_of_a_package(invoke: Invoke, tmp_path: Path, word: str, line: str) -> None:
    write(tmp_path, pkg_S___in__="", pkg_S_model=MODEL, pkg_S_train=train(line))
    found, said = plan(invoke, tmp_path, "pkg/train.py:build", word.format(folder=tmp_path))
    assert decays(found) == DECAYS
    assert said == "run: pkg.model\n"


def test_a_package_inside_a_package_from_another_folder(invoke: Invoke, tmp_path: Path) -> None:
    write(
        tmp_path,
        src_S_top_S___in__="",
        src_S_top_S_low_S___in__="from ..model import RMSNorm",
        src_S_top_S_model=MODEL,
        src_S_top_S_low_S_train=train("from . import RMSNorm"),
    )
    (tmp_path / "elsewhere").mkdir()
    found, said = plan(
        invoke,
        tmp_path / "elsewhere",
        "../src/top/low/train.py:build",
        "../src/top/model.py:Net",
    )
    assert decays(found) == DECAYS
    assert said == "run: top.model\n"


def test_a_folder_without_init(invoke: Invoke, tmp_path: Path) -> None:
    write(tmp_path, nets_S_net=MODEL, train=train("from nets.net import RMSNorm"))
    found, said = plan(invoke, tmp_path, "train.py:build", "nets/net.py:Net")
    assert decays(found) == DECAYS
    assert said.count("run:") == 1


def test_a_project_with_a_stray_init_that_fails(invoke: Invoke, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(
        project,
        __in__="import gone_with_the_wind",
        mymodel=MODEL,
        train=train("from mymodel import *"),
    )
    found, said = plan(invoke, project, "train.py:build", "mymodel.py:Net")
    assert decays(found) == DECAYS
    assert said == "run: mymodel\n"


def test_a_package_that_fails_and_is_needed(invoke: Invoke, tmp_path: Path) -> None:
    write(tmp_path, pkg_S___in__="1 / 0", pkg_S_model="from . import x\n" + MODEL, train=train())
    done = invoke("show", "train.py:build", "-m", "pkg/model.py:Net", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: 'pkg/model.py' raises on import: ZeroDivisionError: division by zero "
        "(pkg/__init__.py:1)\n"
    )


@pytest.mark.parametrize(
    "stem", ["timm", "types", "torch", "colorsys", "mmengine", "einops_missing"]
)
def test_a_file_hides_no_module(invoke: Invoke, tmp_path: Path, stem: str) -> None:
    """The file itself imports the module that it is called like."""
    own = "" if stem == "einops_missing" else f"import {stem}\nassert {stem}.__file__ != __file__\n"
    write(tmp_path, **{stem: own + MODEL + train()})
    before = sys.modules.get(stem)
    found, said = plan(invoke, tmp_path, f"{stem}.py:build", f"{stem}.py:Net")
    assert decays(found) == DECAYS
    assert said.count("run:") == 1
    assert found["model"]["class"] == f"{stem}.Net"
    if before is not None:
        assert sys.modules[stem] is before
    elif stem != "einops_missing":
        assert (sys.modules[stem].__file__ or "").startswith((sys.prefix, sys.base_prefix))
    assert decays(plan(invoke, tmp_path, f"{stem}.py:build", "resnet18")[0])


def test_a_package_hides_no_installed_one(invoke: Invoke, tmp_path: Path) -> None:
    write(
        tmp_path,
        timm_S___in__="",
        timm_S_model=MODEL,
        timm_S_train=train("from .model import RMSNorm\nimport timm.data.constants"),
    )
    found, _ = plan(invoke, tmp_path, "timm/train.py:build", "timm/model.py:Net")
    assert decays(found) == DECAYS
    assert found["model"]["class"] == "timm.model.Net"


def test_what_lies_beside_a_file_hides_nothing_afterwards(invoke: Invoke, tmp_path: Path) -> None:
    """As for a program in that folder, ``import colorsys`` means the file there, but for it alone."""
    sys.modules.pop("wave", None)
    write(
        tmp_path,
        wave=MODEL,
        train=train("from wave import RMSNorm, Net"),
    )
    found, _ = plan(invoke, tmp_path, "train.py:build", "train.py:Net")
    assert decays(found) == DECAYS
    import wave

    assert Path(wave.__file__).parent != tmp_path


def test_files_of_equal_names_in_different_folders(invoke: Invoke, tmp_path: Path) -> None:
    for folder, decay in (("old", 0.1), ("new", 0.2)):
        write(
            tmp_path / folder,
            helpers=f"DECAY = {decay}\n",
            train="from torch.optim import SGD\nfrom helpers import DECAY\n"
            "def build(model):\n"
            "    import helpers\n"
            "    assert helpers.DECAY == DECAY\n"
            "    return SGD(model.parameters(), lr=1.0, weight_decay=DECAY)\n",
        )
    write(tmp_path, mymodel=MODEL)
    done = invoke(
        "diff", "old/train.py:build", "new/train.py:build", "-m", "mymodel.py:Net", cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert "weight_decay  0.1  →  0.2  2 parameters" in done.stdout


def test_dataclasses_and_pickle(invoke: Invoke, tmp_path: Path) -> None:
    text = (
        "import copy, pickle, sys\nfrom dataclasses import dataclass\n"
        "from typing import ClassVar, get_type_hints\n"
        "@dataclass\nclass Options:\n    lr: float\n    kinds: 'ClassVar[int]' = 3\n"
        "def build(model):\n"
        "    made = pickle.loads(pickle.dumps(Options(2.0)))\n"
        "    assert type(made) is Options and get_type_hints(Options)['lr'] is float\n"
        "    assert type(pickle.loads(pickle.dumps(model.norm))) is type(model.norm)\n"
        "    assert sys.modules[__name__].build is build\n"
        "    return torch.optim.SGD(model.parameters(), lr=made.lr)\n"
    )
    for stem in ("plain", "types"):
        write(tmp_path, **{stem: MODEL + text})
        found, _ = plan(invoke, tmp_path, f"{stem}.py:build", f"{stem}.py:Net")
        assert {row["lr"] for row in found["parameters"]} == {2.0}


def test_what_a_file_puts_on_the_path_stays_for_its_functions(
    invoke: Invoke, tmp_path: Path
) -> None:
    write(
        tmp_path,
        lib_S_norms=MODEL,
        tools_S_train="import os, sys\n"
        "sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))\n"
        + train(inside="from norms import RMSNorm"),
    )
    found, said = plan(invoke, tmp_path, "tools/train.py:build", "lib/norms.py:Net")
    assert decays(found) == DECAYS
    assert said.count("run:") == 1


def test_a_file_that_fails_is_not_half_there(invoke: Invoke, tmp_path: Path) -> None:
    write(tmp_path, broken="x = 1\nraise OSError('no disk')\n", train=train())
    for _ in range(2):
        done = invoke("show", "train.py:build", "-m", "broken.py:x", cwd=tmp_path)
        assert done.returncode == 2
        assert (
            done.stderr == "error: 'broken.py' raises on import: OSError: no disk (broken.py:2)\n"
        )
    assert "broken" not in sys.modules


def test_targets_and_functions_in_check(run: Run, tmp_path: Path) -> None:
    write(tmp_path, mymodel=MODEL, train=train("from mymodel import RMSNorm"))
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.optplan.targets]]\nconfigs = ['train.py:build']\nmodel = 'mymodel.py:Net'\n"
        "[[tool.optplan.expect]]\nparameters = 'norm.*'\nweight-decay = 0.0\n"
    )
    done = run("check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("run:") == 1


def test_an_editable_project_comes_before_an_installed_package(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages with a top-level ``tests`` or ``tools`` are installed often."""
    site, project = tmp_path / "site-packages", tmp_path / "project"
    write(site, tools_S___in__="")
    write(
        project,
        tools_S___in__="",
        tools_S_model=MODEL,
        tools_S_train=train("from tools.model import RMSNorm"),
    )
    monkeypatch.setattr("sys.path", [*sys.path, str(site), str(project)])
    found, said = plan(invoke, project, "tools/train.py:build", "tools/model.py:Net")
    assert decays(found) == DECAYS
    assert said == "run: tools.model\n"
