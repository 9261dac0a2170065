"""The line at the end of ``show`` about options and keys that decide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Invoke

KEYS = "custom_keys={'backbone': dict(lr_mult=.1), 'haed': dict(lr_mult=2.)}"
SEVERAL = "bias_decay_mul=0., dwconv_decay_mult=0., norm_decay_mult=0."


def config(folder: Path, paramwise: str) -> None:
    (folder / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=.1),\n"
        f"    paramwise_cfg=dict({paramwise}))\n"
    )


@pytest.mark.parametrize("view", ["params", "tree", "groups"])
@pytest.mark.parametrize(
    ("paramwise", "line"),
    [
        (KEYS, "1 of 2 options and keys decides nothing: 'haed' (did you mean 'head'?)"),
        (
            SEVERAL,
            "2 of 3 options and keys decide nothing: dwconv_decay_mult, bias_decay_mul (did you mean"
            " 'bias_decay_mult'?)",
        ),
        (
            "custom_keys={'head': dict(lr_mult=2.), 'hea': dict(lr_mult=3.)}",
            "1 of 2 options and keys decides nothing: 'hea'",
        ),
        (
            "custom_keys={f'x{n}y': dict(lr_mult=2.) for n in range(7)}",
            "7 of 7 options and keys decide nothing: 'x0y', 'x1y', 'x2y', 'x3y', 'x4y' and 2 more",
        ),
    ],
)
def test_the_last_line(
    view: str, paramwise: str, line: str, invoke: Invoke, tmp_path: Path
) -> None:
    config(tmp_path, paramwise)
    words = ("show", "a.py", "--model", "tests.checks.models:Net", "--view", view)
    assert invoke(*words, cwd=tmp_path).stdout.splitlines()[-1] == f" {line}"
    narrowed = invoke(*words, "--param", "head.*", cwd=tmp_path).stdout.splitlines()
    assert narrowed[-1] == f" {line}"
    assert f"- {line}\n" in invoke(*words, "--format", "md", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    "paramwise",
    ["", "norm_decay_mult=0., bias_lr_mult=2.", "custom_keys={'head': dict(lr_mult=1.)}"],
)
def test_no_line_where_each_decides(paramwise: str, invoke: Invoke, tmp_path: Path) -> None:
    config(tmp_path, paramwise)
    done = invoke("show", "a.py", "--model", "tests.checks.models:Net", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == " trainable 6 · in the optimizer 6 · frozen 0"


def test_patterns_of_other_trainers(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        '[optimizer]\nname = "AdamW"\nlr = 1e-3\n'
        '[[optimizer.param_groups]]\npattern = "haed"\nlr_multiplier = 0.1\n'
    )
    done = invoke("show", "a.toml", "--model", "tests.checks.models:Net", cwd=tmp_path)
    last = done.stdout.splitlines()[-1]
    assert last.startswith(" 1 of 1 options and keys decides nothing: 'haed'")


@pytest.mark.parametrize("view", ["params", "keys"])
def test_keys_of_an_optimizer_without_a_weight_decay(
    view: str, invoke: Invoke, tmp_path: Path
) -> None:
    config(tmp_path, KEYS.replace("backbone", "head"))
    text = (tmp_path / "a.py").read_text()
    (tmp_path / "a.py").write_text(text.replace(", weight_decay=.1", ""))
    words = ("show", "a.py", "--model", "tests.checks.models:Net", "--view", view)
    done = invoke(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 2 options and keys decides nothing" in done.stdout
