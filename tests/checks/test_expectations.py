"""``[[tool.optplan.expect]]``: what holds, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.conftest import Check
from tests.conftest import ROOT

Write = Callable[..., Path]

CONFIG = """\
optimizer = dict(type='SGD', lr=0.1, weight_decay=0.01,
    paramwise_cfg=dict(norm_decay_mult=0, custom_keys={
        'backbone': dict(lr_mult=0.1)}))
"""


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("parameters = '*.bias'\nmin-parameters = 7", None),
        ("parameters = 'backbone.*'\nlr = 0.01", None),
        ("parameters = 'backbone.*'\nlr-mult = 0.1", None),
        ("parameters = 'decode_head.*'\nweight-decay = 0.01\nlr-mult = 1", None),
        ("rule = 'custom_key'\nlr-mult = 0.1\nmin-parameters = 12", None),
        ("parameters = '*'\nfrozen = false", None),
        ("parameters = 'nothing.*'\nmin-parameters = 0\nlr = 3", None),
        ("configs = 'b.py'\nparameters = '*'\nlr = 3", None),
        (
            "configs = ['a.*']\nparameters = '*.bias'\nweight-decay = 0",
            "a.py:3:9: OPT801 '*.bias' should have weight-decay 0, but 7 of 7 parameters have 0.01 "
            "(expected by pyproject.toml:1)",
        ),
        (
            "parameters = 'decode_head.{weight,bias}'\nlr = 3",
            "a.py:1:18: OPT801 'decode_head.{weight,bias}' should have lr 3, but 2 of 2 parameters "
            "have 0.1 (expected by pyproject.toml:1)",
        ),
        (
            "parameters = '*'\nlr-mult = 0.1",
            "a.py:1:18: OPT801 '*' should have lr-mult 0.1, but 2 of 14 parameters have 1 "
            "(expected by pyproject.toml:1)",
        ),
        (
            "parameters = 'nothing.*'\nlr = 3",
            "a.py:1:18: OPT801 'nothing.*' should be at least 1 parameter, but is none "
            "(expected by pyproject.toml:1)",
        ),
        (
            "rule = 'norm'\nmin-parameters = 1",
            "a.py:1:18: OPT801 rule norm should be at least 1 parameter, but is none "
            "(expected by pyproject.toml:1)",
        ),
        (
            "rule = 'custom_key'\nparameters = '*.bias'\nfrozen = true",
            "a.py:3:9: OPT801 rule custom_key in '*.bias' should be frozen, but 6 of 6 parameters "
            "are trainable (expected by pyproject.toml:1)",
        ),
    ],
)
def test_expectation(expectation: str, message: str | None, write: Write, check: Check) -> None:
    write("pyproject.toml", f"[[tool.optplan.expect]]\n{expectation}\n")
    write("a.py", CONFIG)
    model = f"{ROOT}/sample_configs/models.py:Segmentor"
    done = check("a.py", "--model", model, "--select", "OPT801")
    head = done.stdout.splitlines()[0]
    assert (head, done.returncode) == ((message, 1) if message else ("no findings in 1 config", 0))
    assert done.stderr == ""


def test_names_the_parameters(write: Write, check: Check) -> None:
    write("pyproject.toml", "[[tool.optplan.expect]]\nparameters = '*.bias'\nweight-decay = 0\n")
    write("a.py", CONFIG)
    done = check("a.py", "--model", f"{ROOT}/sample_configs/models.py:Segmentor")
    assert done.stdout.splitlines()[1:3] == [
        "    3 │ 'backbone': dict(lr_mult=0.1)}))",
        "      │ ^^^^^^^^^^ 7 parameters: backbone.layer0.0.bias, backbone.layer0.1.bias, "
        "backbone.layer1.0.bias and 4 more",
    ]


def test_a_pattern_that_is_too_large_is_a_mistake_in_the_settings(
    write: Write, check: Check
) -> None:
    ranges = ",".join(["0-999999999999999999"] * 800)
    write("pyproject.toml", f"[[tool.optplan.expect]]\nparameters = '{{{ranges}}}'\nlr = 1\n")
    write("a.py", CONFIG)
    done = check("a.py", "--no-model")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pyproject.toml:2:" in done.stderr
    assert "is too large: it has more than 28,000 states" in done.stderr
    assert len(done.stderr) < 1000


def test_a_pattern_that_takes_too_long_is_told(
    write: Write, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optplan.plan.names.automaton._MOST_WORK", 100)
    write("pyproject.toml", "[[tool.optplan.expect]]\nparameters = '*a*b*'\nlr = 1\n")
    write("a.py", CONFIG)
    model = f"{ROOT}/sample_configs/models.py:Segmentor"
    done = check("a.py", "--model", model, "--select", "OPT801")
    assert (done.returncode, "OPT801 the pattern" in done.stdout) == (1, True)
    assert "is too large: it takes too long to match" in done.stdout
