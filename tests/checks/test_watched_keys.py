"""Keys that a constructor of the project's own looks for in names: OPT103, and what ``show`` ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks.test_settings import codes
from tests.conftest import Invoke

CONSTRUCTORS = """
import re

import torch
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS


class Base:
    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        self.optimizer = dict(optim_wrapper_cfg['optimizer'])
        self.optimizer.pop('type')
        self.paramwise = paramwise_cfg or {}

    def __call__(self, model):
        groups = [{'params': [p], 'lr': 0.1 * self.mult(name)} for name, p in model.named_parameters()]
        return torch.optim.SGD(groups, **self.optimizer)


def register(mult):
    name = f'Watched{mult.__name__.title()}'
    OPTIM_WRAPPER_CONSTRUCTORS.register_module(name, force=True)(type(name, (Base,), {'mult': mult}))


@register
def items(self, name):
    found = (v['lr_mult'] for k, v in self.paramwise['custom_keys'].items() if k in name)
    return next(found, 1.0)


@register
def names(self, name):
    keys = [k for k in self.paramwise.get('custom_keys', {}) if k in name]
    return self.paramwise['custom_keys'][keys[0]].get('lr_mult', 1.0) if keys else 1.0


@register
def starts(self, name):
    for key in sorted(self.paramwise['custom_keys'].keys(), key=len):
        if name.startswith(key):
            return self.paramwise['custom_keys'][key]['lr_mult']
    return 1.0


@register
def patterns(self, name):
    found = [v['lr_mult'] for k, v in self.paramwise['custom_keys'].items() if re.search(k, name)]
    return (found or [1.0])[0]


@register
def plain(self, name):
    return next((v for k, v in self.paramwise['custom_keys'].items() if k in name), 1.0)


@register
def top(self, name):
    return next((self.paramwise[k]['lr_mult'] for k in self.paramwise if k in name), 1.0)


@register
def asked(self, name):
    return self.paramwise.get('head', {}).get('lr_mult', 1.0)
"""
BAD = "'haed': dict(lr_mult=.1)"
UNMATCHED = "OPT103 key 'haed' matches no parameter, did you mean 'head'?"


@pytest.mark.parametrize(
    ("constructor", "paramwise", "found"),
    [
        *[(name, f"custom_keys={{{BAD}}}", UNMATCHED) for name in ("Items", "Names", "Starts")],
        ("Items", f"custom_keys={{'head': dict(lr_mult=2.), {BAD}}}", UNMATCHED),
        ("Items", "custom_keys={'head': dict(lr_mult=2.)}", ""),
        ("Patterns", "custom_keys={'he.d': dict(lr_mult=2.)}", ""),
        ("Patterns", f"custom_keys={{{BAD}}}", UNMATCHED),
        ("Plain", "custom_keys={'haed': .1}", UNMATCHED),
        ("Plain", "custom_keys={'head': .1}", ""),
        ("Plain", "custom_keys={'h.*d': .1}", ""),
        ("Top", "haed=dict(lr_mult=.1)", UNMATCHED),
        ("Top", "head=dict(lr_mult=.1)", ""),
        # these are options, which the constructor does not read
        ("Asked", "haed=dict(lr_mult=.1)", "OPT101 'haed' in paramwise_cfg does nothing: the constructor never"),
        ("Top", "custom_kys=dict(head=dict(lr_mult=.1))", "OPT101 'custom_kys' in paramwise_cfg does nothing"),
    ],
)  # fmt: skip
def test_keys(constructor: str, paramwise: str, found: str, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(CONSTRUCTORS)
    (tmp_path / "a.py").write_text(
        f"optim_wrapper = dict(constructor='Watched{constructor}',\n"
        f"    optimizer=dict(type='SGD', lr=.1), paramwise_cfg=dict({paramwise}))\n"
    )
    words = ("--import", "own.py", "--model", "tests.checks.models:Net")
    done = invoke("check", "a.py", *words, cwd=tmp_path)
    assert len(codes(done.stdout)) == bool(found)
    assert found in done.stdout
    shown = invoke("show", "a.py", *words, cwd=tmp_path).stdout.splitlines()[-1]
    assert ("decides nothing" in shown) is bool(found)
    if "haed" in found:
        assert "haed" in shown
