"""``[[tool.optplan.expect]]``: what holds, and what is said where it does not."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optplan.checks.bounds import parse_bound
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
            "a.py:1:30: OPT801 'decode_head.{weight,bias}' should have lr 3, but 2 of 2 parameters "
            "have 0.1 (expected by pyproject.toml:1)",
        ),
        (
            "parameters = '*'\nlr-mult = 0.1",
            "a.py:1:30: OPT801 '*' should have lr-mult 0.1, but 2 of 14 parameters have 1 "
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


NORMS = "(expected by pyproject.toml:1)"


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("parameters = '*.bias'\nlr = '> 0'", None),
        ("parameters = '*'\nlr = '0.01..0.1'\nweight-decay = '>= 0, < 0.1'", None),
        ("parameters = ['decode_head.*', 'backbone.*']\nlr-mult = '<= 1'", None),
        ("parameters = 'decode_head.*'\nweight-decay = 'decayed'", None),
        (
            "parameters = '*.bias'\nweight-decay = 'not decayed'",
            "'*.bias' should be not decayed, but 7 of 7 parameters have 0.01",
        ),
        (
            "parameters = ['nothing', 'backbone.layer0.0.bias']\nlr = '> 0.01'",
            "'nothing' or 'backbone.layer0.0.bias' should have lr > 0.01, but 1 of 1 parameter has 0.01",
        ),
        (
            "parameters = '*'\nlr = '0.02 to 1'",
            "'*' should have lr 0.02 to 1, but 12 of 14 parameters have 0.01",
        ),
        (
            "module = 'BatchNorm*'\nweight-decay = 'not decayed'",
            "module BatchNorm* should be not decayed, but 6 of 6 parameters have 0.01",
        ),
        (
            "module = ['RMSNorm', 'torch.nn.modules.conv.Conv2d']\nparameters = '*.weight'\nlr = '!= 0.01'",
            "module RMSNorm or torch.nn.modules.conv.Conv2d in '*.weight' should have lr != 0.01, but 3 of 4"
            " parameters have 0.01",
        ),
        ("module = 'GroupNorm'\nlr = 1\nmin-parameters = 0", None),
        ("parameters = '*'\nlr = 0.01\nshare = 0.5", None),
        (
            "parameters = '*'\nlr = 0.1\nshare = 0.5",
            "'*' should have lr 0.1 in 50 % of their elements, but 12 of 14 parameters have 0.01",
        ),
        ("parameters = '*'\nnever-zero = true\nlr-at-end = '> 0'", None),
    ],
)
def test_expectations_in_words(
    expectation: str, message: str | None, write: Write, check: Check
) -> None:
    write("pyproject.toml", f"[[tool.optplan.expect]]\n{expectation}\n")
    write("a.py", CONFIG)
    model = f"{ROOT}/sample_configs/models.py:Segmentor"
    done = check("a.py", "--model", model, "--select", "OPT801")
    head = done.stdout.splitlines()[0]
    assert head.partition("OPT801 ")[2] == (f"{message} {NORMS}" if message else "")
    assert (done.returncode, done.stderr) == (1 if message else 0, "")


SCHEDULE = "train_cfg = dict(by_epoch=False, max_iters=100)\nparam_scheduler = "


@pytest.mark.parametrize(
    ("expectation", "schedulers", "message"),
    [
        ("lr-at-end = '< 0.01'", "dict(type='PolyLR', by_epoch=False, end=100, power=1)", None),
        (
            "lr-at-end = '<= 0.0001'",
            "dict(type='MultiStepLR', by_epoch=False, milestones=[50])",
            "'head.*' should have lr-at-end <= 0.0001, but 2 of 2 parameters have 0.01",
        ),
        (
            "never-zero = true",
            "dict(type='LinearLR', by_epoch=False, start_factor=0.1, end_factor=0., end=50)",
            "'head.*' should never have lr 0, but 2 of 2 parameters have it at some step",
        ),
        ("never-zero = true", "dict(type='MultiStepLR', by_epoch=False, milestones=[50])", None),
        (
            "lr-at-end = 0.1",
            "dict(type='ReduceOnPlateauLR', by_epoch=False, monitor='loss')",
            "the lr of 'head.*' over the training is not known here",
        ),
    ],
)
def test_expectations_over_the_training(
    expectation: str, schedulers: str, message: str | None, write: Write, check: Check
) -> None:
    write("pyproject.toml", f"[[tool.optplan.expect]]\nparameters = 'head.*'\n{expectation}\n")
    write("a.py", f"optimizer = dict(type='SGD', lr=0.1)\n{SCHEDULE}{schedulers}\n")
    done = check("a.py", "--model", "tests.checks.models:Net", "--select", "OPT801")
    head = done.stdout.splitlines()[0]
    assert head.partition("OPT801 ")[2] == (f"{message} {NORMS}" if message else "")
    assert done.returncode == (1 if message else 0)


@pytest.mark.parametrize(
    "value", ["''", "'> '", "'1..0'", "'> 0 <'", "'much'", "true", "[0, 1]", "nan"]
)
def test_a_bound_that_is_none(value: str, write: Write, check: Check) -> None:
    write("pyproject.toml", f"[[tool.optplan.expect]]\nparameters = '*'\nlr = {value}\n")
    write("a.py", CONFIG)
    done = check("a.py", "--no-model")
    assert (done.returncode, done.stdout) == (2, "")
    head = done.stderr.splitlines()[0]
    assert head.startswith(
        "error: pyproject.toml:3:1: lr of [tool.optplan.expect] must be a number, a comp"
    )


NUMBERS = st.integers(-(10**6), 10**6).map(lambda number: number / 1000)
OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(OPERATORS)))
def test_comparisons_are_those_of_python(value: float, other: float, sign: str) -> None:
    bound = parse_bound(f"{sign} {other!r}")
    assert bound is not None
    assert bound.holds(value) is OPERATORS[sign](value, other)
