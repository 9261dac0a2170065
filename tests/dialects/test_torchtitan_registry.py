"""Entries of torchtitan's Python registry, where it is not installed; ``tests/environments/torchtitan`` has the others."""

from __future__ import annotations

from importlib import util

import pytest

from optplan.dialects import opener_of
from tests.conftest import Run


def test_the_registry_opens_its_entries() -> None:
    opener = opener_of("torchtitan:llama3.llama3_8b")
    assert type(opener).__name__ == "TorchtitanRegistry"


@pytest.mark.skipif(util.find_spec("torchtitan") is not None, reason="torchtitan is installed")
@pytest.mark.parametrize(
    "words", [("show", "torchtitan:llama3.llama3_8b"), ("schedule", "torchtitan:llama3.x")]
)
def test_not_installed(words: tuple[str, ...], run: Run) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "torchtitan is not installed" in done.stderr
    assert "pip install torchtitan" in done.stderr
