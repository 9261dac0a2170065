"""``optplan check`` plans configs for the models that they name themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from optplan.app.model_planner import ConfiguredModels, planner_of
from optplan.checks import ALL_CHECKS
from optplan.checks.session import Request, run_session
from optplan.checks.tasks import Reading
from tests.checks.conftest import Check, config
from tests.checks.test_settings import codes
from tests.conftest import Invoke
from tests.released import folder_of

Write = Callable[..., Path]
LINEAR = "model = dict(type='torch.nn.Linear', in_features=2, out_features={})\n"
LEFT_OUT = "2 checks skipped{}: no model given; name one with --model\n"


def test_unmatched_keys_are_found(write: Write, check: Check) -> None:
    write("a.py", LINEAR.format(3) + config("weight", "wieght"))
    done = check("a.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert codes(done.stdout) == ["a.py OPT103"]
    assert "'wieght' matches no parameter" in done.stdout
    assert "left out" not in done.stdout


@pytest.mark.parametrize(
    ("model", "remark"),
    [
        # what is not installed is no more to blame than a config without a model
        ("default_scope = 'mmdet'\nmodel = dict(type='FasterRCNN')\n", ""),
        ("model = dict(type='OptplanTestNone.Net')\n", ""),
        ("model = dict(depth=3)\n", ""),
        ("model = 'resnet18'\n", ""),
        (
            "model = dict(type='torch.nn.Linear')\n",
            "optplan: a.py: checked without its own model: 'torch.nn.Linear' raises while it is built: ",
        ),
    ],
)
def test_without_the_model(
    model: str, remark: str, write: Write, check: Check, caplog: pytest.LogCaptureFixture
) -> None:
    write("a.py", model + config("bad", "nothing"))
    done = check("a.py")
    assert done.returncode == 1
    assert codes(done.stdout) == ["a.py OPT107"]
    assert done.stdout.endswith(LEFT_OUT.format(""))
    said = "".join(f"optplan: {message}\n" for message in caplog.messages)
    assert said.startswith(remark)
    assert bool(said) == bool(remark)


def test_what_a_model_must_not_call_is_an_error(
    write: Write, invoke: Invoke, tmp_path: Path
) -> None:
    write("a.py", "model = dict(type='os.system', command='true')\n" + config("weight"))
    done = invoke("check", "a.py", cwd=tmp_path)
    assert (done.returncode, codes(done.stdout)) == (1, ["a.py OPT006"])
    assert "'os.system' is no nn.Module class, and a config may call nothing else" in done.stdout


def test_imports_that_are_not_installed(write: Write, check: Check) -> None:
    """The plan needs nothing of them: they are one info for all configs."""
    imports = "custom_imports = dict(imports=['optplan_test_none_a.b'], allow_failed_imports={})\n"
    for name, may_fail in (("a", False), ("b", True)):
        write(f"{name}.py", imports.format(may_fail) + LINEAR.format(3) + config("weight"))
    write("c.py", imports.format(False) + config("weight"))
    done = check(".")
    assert [line for line in done.stdout.splitlines() if "OPT" in line] == [
        "a.py:1:1: OPT004 info: custom_imports: no installed package provides"
        " 'optplan_test_none_a.b': the plan is made without it"
    ]
    assert "  affects 2 configs: a.py, b.py" in done.stdout
    assert done.returncode == 0


def test_one_remark_for_each_reason(
    write: Write, check: Check, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abcd":
        write(f"{name}.py", "model = dict(type='torch.nn.Linear')\n" + config("weight"))
    write("e.py", "model = dict(type='resnet18', depth=1)\n" + config("weight"))
    write("f.py", LINEAR.format(3) + config("weight"))
    done = check(".")
    assert done.stdout.endswith("no findings in 6 configs\n" + LEFT_OUT.format(" in 5 configs"))
    first, second = caplog.messages
    assert first.startswith(
        "a.py, b.py, c.py, d.py: checked without their own models: 'torch.nn.Linear'"
    )
    assert second.startswith(
        "e.py: checked without its own model: the timm model 'resnet18' raises while it is built"
    )
    assert check(".", "--quiet").stderr == ""


def test_no_model(write: Write, check: Check) -> None:
    write("a.py", LINEAR.format(3) + config("nothing"))
    write("b.py", config("nothing"))
    write(
        "pyproject.toml",
        "[[tool.optplan.targets]]\nconfigs = ['b.py']\nmodel = 'torch.nn:Nothing'\n",
    )
    done = check("a.py", "b.py", "--no-model")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no findings in 2 configs\n" + LEFT_OUT.format("")
    done = check("a.py", "--no-model", "-m", "resnet18")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --model resnet18 and --no-model exclude each other\n"


def test_a_named_model_comes_first(write: Write, check: Check) -> None:
    write("models.py", "from torch import nn\nNet = nn.Sequential(nn.Linear(2, 2))\n")
    write("a.py", LINEAR.format(3) + config("0."))
    assert codes(check("a.py").stdout) == ["a.py OPT103"]
    assert codes(check("a.py", "-m", "models.py:Net").stdout) == []
    write(
        "pyproject.toml",
        "[[tool.optplan.targets]]\nconfigs = ['a.py']\nmodel = 'models.py:Net'\n",
    )
    assert codes(check("a.py").stdout) == []


COUNTED = """
from torch import nn

class Counted(nn.Linear):
    def __init__(self, width=2):
        print("made", width)
        super().__init__(width, width)
"""


def test_each_model_is_built_once(
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Though the configs of a model do not stand together."""
    write("optplan_test_counted.py", COUNTED)
    for number in range(12):
        head = f"model = dict(type='optplan_test_counted.Counted', width={number % 3 + 2})\n"
        write(f"{number:02}.py", head + config("weight", f"key{number}"))
    monkeypatch.chdir(tmp_path)
    session = run_session(
        Request(words=("*.py",), reading=Reading(imports=("optplan_test_counted",))),
        checks=ALL_CHECKS,
        make_planner=planner_of,
        own_models=ConfiguredModels(),
        workers={},
    )
    made = [line for line in capfd.readouterr().err.splitlines() if line.startswith("made")]
    assert sorted(made) == ["made 2", "made 3", "made 4"]
    found = {outcome.config: [f.key for f in outcome.findings] for outcome in session.outcomes}
    assert found["07.py"] == ["custom_keys.key7"]
    assert [outcome.has_model for outcome in session.outcomes] == [True] * 12 + [False]


def test_the_same_for_every_number_of_jobs(write: Write, check: Check) -> None:
    for number in range(24):
        write(f"{number:02}.py", LINEAR.format(number % 5 + 1) + config("weight", f"key{number}"))
    write("none.py", config("bad"))
    write("torch.py", "model = dict(type='torch.nn.Linear')\n" + config("bad"))
    one, three = (check(".", "-f", "json", "-j", jobs) for jobs in ("1", "3"))
    assert one.stdout == three.stdout
    assert one.returncode == three.returncode == 1
    assert len(json.loads(one.stdout)["findings"]) == 26


# Names of parameters are left out. The keys are those of the Swin transformer, the config's own that of
# a fork: each is a part of no name of its model.
RELEASED = {
    "vgg/vgg16_8xb16_voc.py": [
        "error OPT103 vgg/vgg16_8xb16_voc.py:29:37 key '.backbone.classifier' matches no parameter",
    ],
    "convnext/convnext-tiny_32xb128_in1k.py": [
        "warning OPT103 _base_/schedules/imagenet_bs1024_adamw_swin.py:15:13 key '.absolute_pos_embed'"
        " matches no parameter",
        "warning OPT103 _base_/schedules/imagenet_bs1024_adamw_swin.py:16:13 key"
        " '.relative_position_bias_table' matches no parameter",
    ],
    # its layer norms are called ln1 and ln2, but for the last one
    "mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py": [
        "info OPT107 mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py:18:13 key 'ln' loses 42 of its 84"
        " parameters to 'bias'",
    ],
    # the backbone's norms stay in eval mode: norm_eval=True
    "densecl/benchmarks/resnet50_8xb32-linear-steplr-100e_in1k.py": [],
    # those of the encoder that follows by a moving average do not
    "mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py": [
        "info OPT403  53 batch norms that the optimizer leaves alone update running statistics in training"
        " mode: encoder_k.module.0.bn1, encoder_k.module.0.layer1.0.bn1,"
        " encoder_k.module.0.layer1.0.bn2, encoder_k.module.0.layer1.0.bn3,"
        " encoder_k.module.0.layer1.0.downsample.1 and 48 more",
    ],
}


def test_released_configs(invoke: Invoke, tmp_path: Path) -> None:
    folder = folder_of("mmpretrain")
    shutil.copytree(folder / "_base_", tmp_path / "_base_")
    for name in RELEASED:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copyfile(folder / name, tmp_path / name)
    done = invoke("check", *RELEASED, "-f", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    found: dict[str, list[str]] = {name: [] for name in RELEASED}
    for finding in json.loads(done.stdout)["findings"]:
        place = (
            f"{finding['file']}:{finding['line']}:{finding['column']}" if finding["line"] else ""
        )
        line = f"{finding['severity']} {finding['code']} {place} {finding['message']}"
        for name in finding["configs"]:
            found[name].append(line)
    assert found == RELEASED
