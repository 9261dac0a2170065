"""Runs ``optplan check`` with the fake checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.fakes import FAKES
from tests.conftest import Invoke, Result

Check = Callable[..., Result]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, invoke: Invoke, tmp_path: Path) -> Check:
    """``check("configs", "--ignore", "OPT1")`` in the test's folder."""
    monkeypatch.setattr("optplan.checks.ALL_CHECKS", FAKES)
    return lambda *words: invoke("check", *words, cwd=tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """``write("configs/a.py", text)`` below the test's folder."""

    def one(name: str, text: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return one


def config(*keys: str, comment: str = "", field: str = "lr_mult", base: str = "") -> str:
    """A config with a custom key a line, from line 3 on."""
    lines = [f"    {key!r}: dict({field}=0.1),{comment}" for key in keys]
    start = f"_base_ = {base!r}" if base else ""
    return "\n".join(
        [
            start,
            "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.1, paramwise_cfg=dict(custom_keys={",
            *lines,
            "}))",
            "",
        ]
    )
