"""``--set`` and ``--cfg-options``."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest

from optplan.config import regroup_cfg_options
from optplan.config.overrides import parse_value
from optplan.dialects import load_config
from optplan.dialects.timm.arguments import OPTIMIZER_KEYS
from optplan.dialects.timm.schedule import timm_arguments
from optplan.errors import ConfigError, UsageError

VALUES = [
    "1", "-1", "1.5", "1e-3", "1_000", "0x10", "nan", "inf", "-inf", "True", "false", "TRUE",
    "None", "none", "null", "", "abc", "a b", "'a'", '"1"', "'1,2'", '"1,2"', "1,2", "1,2,", "[1,2]",
    "(1,2)", "[(1,2),[a,b],c]", "(1,)", "[]", "()", "[1]", "{1:2}", "dict(a=1)", "a=b", "[a,,b]",
    "1,(2,3)", "SGD", "0.9,0.999", "[ 1, 2 ]", "10e400", "٣",
]  # fmt: skip
IMBALANCED = ["[1],[2]", "(1),(2)", "(1,2", "[1,2", "a,(b", "1,2]", "[(1,2]", "((1,2)"]


def reference_value(text: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mmengine.config import DictAction

    return DictAction._parse_iterable(text)


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_parsed_as_the_reference_does(text: Any, same: Any) -> None:
    assert same(parse_value(text), reference_value(text))


@pytest.mark.parametrize("text", IMBALANCED)
def test_brackets_must_match(text: Any) -> None:
    with pytest.raises((AssertionError, RecursionError)):
        reference_value(text)
    with pytest.raises(ConfigError, match="do not match"):
        parse_value(text)


@pytest.mark.parametrize("text", ["(" * 1000 + ")" * 1000, "1," * 100_000])
def test_a_value_is_bounded(text: Any) -> None:
    with pytest.raises(ConfigError, match=r"too long|too deeply"):
        parse_value(text)


CONFIG = "opt=dict(lr=1, betas=(0.9, 0.99), groups=[dict(a=1), 2])\nname='x'\n"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["opt.lr=2"], {"lr": 2, "betas": (0.9, 0.99), "groups": [{"a": 1}, 2]}),
        (["opt.new=2"], {"lr": 1, "betas": (0.9, 0.99), "groups": [{"a": 1}, 2], "new": 2}),
        (["opt.betas.0=0.8"], {"lr": 1, "betas": (0.8, 0.99), "groups": [{"a": 1}, 2]}),
        (["opt.groups.1=5"], {"lr": 1, "betas": (0.9, 0.99), "groups": [{"a": 1}, 5]}),
        (["opt.groups.0.a=5"], {"lr": 1, "betas": (0.9, 0.99), "groups": [{"a": 5}, 2]}),
        (["opt.lr=2", "opt.lr=3"], {"lr": 3, "betas": (0.9, 0.99), "groups": [{"a": 1}, 2]}),
        (["opt.lr=a=b"], {"lr": "a=b", "betas": (0.9, 0.99), "groups": [{"a": 1}, 2]}),
        (["opt._delete_=True", "opt.type=SGD"], {"type": "SGD"}),
        (["opt=3"], 3),
    ],
)
def test_an_override_sets_a_value(overrides: Any, expected: Any, write: Any) -> None:
    config = load_config(write({"main.py": CONFIG}), overrides=overrides)
    assert config.to_dict() == {"opt": expected, "name": "x"}


def test_an_override_adds_a_top_level_key(write: Any) -> None:
    config = load_config(write({"main.py": "x=1"}), overrides=["resume=True", "load_from=a.pth"])
    assert config.to_dict() == {"x": 1, "resume": True, "load_from": "a.pth"}


SECTIONS = (
    "optim_wrapper=dict(optimizer=dict(type='SGD', lr=1), clip_grad=None)\nmodel=dict(depth=50)\n"
)


@pytest.mark.parametrize(
    ("file", "text", "override", "hint"),
    [
        ("main.py", SECTIONS, "lr=0.1", "did you mean 'optim_wrapper.optimizer.lr'?"),
        (
            "main.py",
            SECTIONS,
            "weight_decay=0",
            "did you mean 'optim_wrapper.optimizer.weight_decay'?",
        ),
        ("main.py", SECTIONS, "optimizer.lr=0.1", None),
        ("main.py", SECTIONS, "depth=18", "did you mean 'model.depth'?"),
        ("main.py", SECTIONS, "clip_grad=1", "did you mean 'optim_wrapper.clip_grad'?"),
        ("main.py", SECTIONS, "param_schedulers=None", "did you mean 'param_scheduler'?"),
        (
            "main.py",
            SECTIONS,
            "zzz=1",
            "what it has can be set, and what stands below: optim_wrapper, model",
        ),
        (
            "main.py",
            "optimizer=dict(type='SGD', lr=1)\nhook=dict(lr=2)\n",
            "lr=0.1",
            "did you mean 'optimizer.lr' or 'hook.lr'?",
        ),
        ("args.yaml", "opt: sgd\nmodel: resnet18\nlr: 0.1\n", "learning_rate=1", None),
        (
            "job.toml",
            "[job]\n[training]\n[optimizer]\nname = 'AdamW'\nlr = 1.0\n",
            "lr=0.1",
            "did you mean 'optimizer.lr'?",
        ),
    ],
)
def test_an_override_that_nothing_would_read_is_refused(
    file: str, text: str, override: str, hint: str | None, write: Any
) -> None:
    with pytest.raises(ConfigError, match=f"--set {override}: the config has no") as caught:
        load_config(write({file: text}), overrides=[override])
    if hint is not None:
        assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize(
    ("file", "text", "override"),
    [
        ("args.yaml", "opt: sgd\nmodel: resnet18\nlr: 0.1\n", "warmup_epochs=3"),
        ("args.yaml", "opt: sgd\nmodel: resnet18\nlr: 0.1\n", "opt_eps=1e-6"),
        ("args.yaml", "opt: sgd\nmodel: resnet18\nlr: 0.1\n", "amp=True"),
        ("main.py", SECTIONS, "param_scheduler=None"),
        ("main.py", "lr=1\n" + SECTIONS, "lr=0.1"),
        ("main.py", SECTIONS, "_delete_=True"),
        ("old.py", "optimizer=dict(type='SGD', lr=1)\n", "lr_config=None"),
    ],
)
def test_an_override_may_add_what_is_read(file: str, text: str, override: str, write: Any) -> None:
    name = override.partition("=")[0]
    data = load_config(write({file: text}), overrides=[override]).data
    assert name in data or name == "_delete_"


def test_every_entry_that_a_runner_reads_can_be_added(write: Any) -> None:
    from mmengine.runner import FlexibleRunner, Runner

    for runner in (Runner, FlexibleRunner):
        for name in inspect.signature(runner.__init__).parameters:
            if name not in ("self", "cfg"):
                config = load_config(write({"main.py": SECTIONS}), overrides=[f"{name}=None"])
                assert config.data[name] is None


def test_every_entry_that_timms_scheduler_and_optimizer_read_can_be_added(write: Any) -> None:
    for name in sorted(
        {*OPTIMIZER_KEYS, *timm_arguments({}), "lr_decay_fn", "lr_stable_timescale"}
    ):
        path = write({"args.yaml": "opt: sgd\nmodel: resnet18\n"})
        assert load_config(path, overrides=[f"{name}=None"]).data[name] is None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("opt", "--set opt: it must have the form"),
        ("=1", "must have the form"),
        ("opz.lr=1", r"the config has no 'opz' \(did you mean 'opt'\?\)"),
        ("opt.bets.0=1", r"'opt' has no 'bets' \(did you mean 'betas'\?\)"),
        ("opt.lr.x=1", "'opt.lr' is no dict or list"),
        ("opt.betas.2=1", "'opt.betas' has only 2 elements"),
        ("opt.betas.x=1", "'opt.betas' is a list, 'x' is no index of it"),
        ("opt.groups.0.b.c=1", "'opt.groups.0' has no 'b'"),
        ("opt.lr=(1,2", "brackets"),
    ],
)
def test_an_override_that_leads_nowhere_is_refused(override: Any, message: Any, write: Any) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write({"main.py": CONFIG}), overrides=[override])


def test_an_override_below_another_is_refused(write: Any) -> None:
    with pytest.raises(ConfigError, match="was set to a value by an earlier option"):
        load_config(write({"main.py": CONFIG}), overrides=["opt=1", "opt.lr=2"])


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["show", "a.py"], ["show", "a.py"]),
        (["--cfg-options", "a.b=1", "c.d=2"], ["--set", "a.b=1", "--set", "c.d=2"]),
        (
            ["show", "--cfg-options", "a=1", "c.py", "b=2"],
            ["show", "--set", "a=1", "c.py", "b=2"],
        ),
        (["--cfg-options", "a=1", "--model", "x"], ["--set", "a=1", "--model", "x"]),
        (["--cfg-options=a=1", "b=2"], ["--set", "a=1", "b=2"]),
        (["--cfg-options", "a=1", "--", "--cfg-options"], ["--set", "a=1", "--", "--cfg-options"]),
        (["--cfg-options", "a=1", "--cfg-options", "b=2"], ["--set", "a=1", "--set", "b=2"]),
        (["--cfg-options", "a=[1,2]", "b=x=y"], ["--set", "a=[1,2]", "--set", "b=x=y"]),
    ],
)
def test_cfg_options_are_regrouped(argv: Any, expected: Any) -> None:
    assert regroup_cfg_options(argv) == expected


def test_cfg_options_leave_files_alone(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "lr=1.py").write_text("x=1")
    monkeypatch.chdir(tmp_path)
    argv = ["show", "--cfg-options", "a=1", "lr=1.py"]
    assert regroup_cfg_options(argv) == ["show", "--set", "a=1", "lr=1.py"]


@pytest.mark.parametrize("argv", [["--cfg-options"], ["--cfg-options", "--model", "x"]])
def test_cfg_options_need_a_value(argv: Any) -> None:
    with pytest.raises(UsageError, match="--cfg-options needs a value"):
        regroup_cfg_options(argv)
