"""The commands on configs that name their own models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from optplan.runtime.user_modules import BY_FILE
from tests.conftest import SAMPLES, Invoke, Run
from tests.schema import validate

LINEAR = "model = dict(type='torch.nn.Linear', in_features=2, out_features={})\n"
SGD = "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.1, paramwise_cfg=dict(bias_decay_mult={}))\n"
MODULE = """
print('imported')
from mmengine.registry import MODELS
from torch import nn

@MODELS.register_module()
class {}(nn.Linear):
    def __init__(self, width=2):
        print('built')
        super().__init__(width, width)
"""


def config(folder: Path, name: str, text: str, mult: float = 0.0) -> str:
    (folder / name).write_text(text + SGD.format(mult))
    return name


def test_show(invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, "a.py", LINEAR.format(3))
    done = invoke("show", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split("  ")[0] == (
        "torch.nn.Linear · config · 2 parameters · 9"
    )
    plan = json.loads(invoke("show", "a.py", "-f", "json", cwd=tmp_path).stdout)
    validate(plan, "plan-1.0")
    assert plan["model"] == {
        "spec": "torch.nn.Linear",
        "source": "config",
        "class": "torch.nn.modules.linear.Linear",
        "parameters": 2,
        "elements": 9,
    }


def test_a_released_config_as_it_is(run: Run, tmp_path: Path) -> None:
    """Its own model and its own constructor, and nothing but the report is told."""
    name = "mmpretrain::mae/benchmarks/vit-base-p16_8xb128-coslr-100e_in1k.py"
    done = run("show", name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, _, rest = done.stdout.partition("\n")
    assert first.startswith("ImageClassifier · config · 152 parameters · 86.6 M")
    assert "LearningRateDecayOptimWrapperConstructor" in rest


def test_set_changes_it_and_another_can_be_named(invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, "a.py", LINEAR.format(3))
    done = invoke("show", "a.py", "--set", "model.out_features=5", cwd=tmp_path)
    assert " weight     5×2 " in done.stdout
    other = ("-m", "torch.nn:Linear", "-k", "in_features=7", "-k", "out_features=1")
    assert invoke("show", "a.py", *other, cwd=tmp_path).stdout.startswith(
        "torch.nn:Linear · import · 2 parameters · 8 "
    )
    done = invoke("show", "a.py", "-k", "out_features=1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: -k gives arguments to the model of --model, and there is none\n"
        "  hint: change the config's own: --set model.NAME=VALUE\n"
    )


def test_a_model_that_no_package_provides(invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, "a.py", "default_scope = 'mmdet'\nmodel = dict(type='FasterRCNN')\n")
    for command in (("show", "a.py"), ("explain", "a.py", "*"), ("diff", "a.py", "a.py")):
        done = invoke(*command, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "error: a.py:2:14: the model 'FasterRCNN' is one of 'mmdet', which is not installed\n"
            "    2 │ model = dict(type='FasterRCNN')\n"
            "      │              ^\n"
            "  hint: install mmdet, or name a model: --model resnet50\n"
        )


def test_explain(invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, "a.py", LINEAR.format(3))
    done = invoke("explain", "a.py", "bias", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rules of MMEngine (optimizer)\n\nbias   3   Linear\n")


def test_diff(invoke: Invoke, tmp_path: Path) -> None:
    """Each side has its own model; a saved plan of an own model is compared with that of the other side."""
    a = config(tmp_path, "a.py", LINEAR.format(3))
    b = config(tmp_path, "b.py", LINEAR.format(3), mult=0.5)
    none = config(tmp_path, "none.py", "")
    assert invoke("diff", a, a, cwd=tmp_path).returncode == 0
    done = invoke("diff", a, b, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(
        "a.py → b.py · torch.nn.Linear · MMEngine · 1 of 2 parameters change\n"
    )
    assert invoke("show", a, "-f", "json", "-o", "plan.json", cwd=tmp_path).returncode == 0
    done = invoke("diff", "plan.json", b, cwd=tmp_path)
    assert done.stdout.startswith(
        "plan.json → b.py · torch.nn.Linear · MMEngine · 1 of 2 parameters change\n"
    )
    assert invoke("diff", a, "plan.json", cwd=tmp_path).returncode == 0
    for words in ((none, "plan.json"), (a, none)):
        done = invoke("diff", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: which model?\n")


def test_schedule_and_verify(invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, "a.py", LINEAR.format(3))
    length = ("--epochs", "2", "--iters-per-epoch", "5")
    done = invoke("schedule", "a.py", *length, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("torch.nn.Linear · config · 2 parameters · 9 ")
    done = invoke("verify", "a.py", "--device", "cpu", "--no-cost", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("torch.nn.Linear · config · 2 parameters · 9 ")
    assert " matches: every parameter got what the plan says\n" in done.stdout
    config(tmp_path, "none.py", "")
    for command in (("schedule", "none.py", *length), ("verify", "none.py", "--device", "cpu")):
        done = invoke(*command, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: which model?\n  hint: name one: --model resnet50\n"


@pytest.fixture
def registering(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A module that registers a class, and two configs that name it."""
    name = f"optplan_test_{abs(hash(request.node.name))}"  # imported once in this process
    (tmp_path / f"{name}.py").write_text(MODULE.format(name))
    config(tmp_path, "a.py", f"model = dict(type='{name}', width=3)\n")
    config(tmp_path, "b.py", f"model = dict(type='{name}.{name}', width=3)\n", mult=0.5)
    yield name
    if "mmengine.registry" in sys.modules:
        from mmengine.registry import MODELS

        MODELS.module_dict.pop(name, None)
    sys.modules.pop(name, None)


def test_import_of_a_module(registering: str, run: Run, tmp_path: Path) -> None:
    done = run("show", "a.py", "--import", registering, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "imported\nbuilt\n")
    assert done.stdout.startswith(f"{registering} · config · 2 parameters · 12 ")


def test_import_of_a_file(registering: str, invoke: Invoke, tmp_path: Path) -> None:
    named = ("--import", f"{registering}.py")
    done = invoke("explain", "b.py", "bias", *named, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "imported\nbuilt\n")
    sys.modules.pop(registering)
    BY_FILE.clear()  # as in the process of another command
    from mmengine.registry import MODELS

    MODELS.module_dict.pop(registering)
    done = invoke("diff", "a.py", "b.py", *named, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "imported\nbuilt\nbuilt\n")


def test_import_in_every_process(registering: str, run: Run, tmp_path: Path) -> None:
    words = ("a.py", "b.py", "--import", registering, "-j", "2")
    done = run("check", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "no findings in 2 configs\n")
    # here, in the worker, and in the two processes that build, which may write at the same time
    assert [done.stderr.count(word) for word in ("built", "imported")] == [2, 4]
    assert not done.stderr.replace("built", "").replace("imported", "").strip()


def test_without_leave_nothing_of_the_users_is_imported(
    registering: str, run: Run, tmp_path: Path
) -> None:
    done = run("show", "b.py", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: b.py:1:14: no installed package provides '{registering}.{registering}'\n"
        f"    1 │ model = dict(type='{registering}.{registering}', width=3)\n"
        "      │              ^\n"
        f"  hint: install it, or pass --import {registering} or --trust; without them only installed"
        " packages are imported\n"
    )


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing_here", "'nothing_here' cannot be imported: there is no module 'nothing_here'"),
        ("nothing_here.py", "there is no file 'nothing_here.py'"),
        ("raises.py", "'raises.py' raises on import: ValueError: no ("),
    ],
)
def test_what_cannot_be_imported(word: str, message: str, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "raises.py").write_text("raise ValueError('no')\n")
    config(tmp_path, "a.py", LINEAR.format(3))
    for command in (
        ("show", "a.py"),
        ("explain", "a.py", "*"),
        ("diff", "a.py", "a.py"),
        ("check", "a.py"),
        ("schedule", "a.py"),
        ("verify", "a.py", "--device", "cpu"),
    ):
        done = invoke(*command, "--import", word, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {message}")


def test_an_installed_program_that_runs_as_a_module() -> None:
    """Its own folder is site-packages then, which must stay importable."""
    probe = (
        "import sys\nsys.argv[0] = sys.argv[1]\n"
        "from optplan.runtime.gate import import_named\n"
        "print(import_named('torch.nn.Linear', trusted=False).__name__)\n"
    )
    main = Path(pytest.__file__).with_name("__main__.py")
    done = subprocess.run(
        [sys.executable, "-c", probe, str(main)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Linear\n"), done.stderr


def test_sample_with_an_import_is_checked(invoke: Invoke) -> None:
    done = invoke("check", SAMPLES / "own_import.py", "--import", SAMPLES / "models.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no findings in 1 config\n", "")
