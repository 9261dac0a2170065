"""Which command lines leave the process of a config's code without a wall of the system's."""

from __future__ import annotations

import pytest

from optplan.cli.isolated import _stays_open


@pytest.mark.parametrize(
    "words",
    [
        ("show", "a.py", "--model", "own.py:Net"),
        ("show", "a.py", "-m", "resnet50"),
        ("show", "-qm", "resnet50", "a.py"),
        ("show", "a.py", "--model=own.Net"),
        ("diff", "a.py", "b.py", "--model-b", "own.py:Net"),
        ("show", "a.py", "--import", "own"),
        ("show", "train.py:build"),
        ("show", "HEAD:a.py"),
        ("diff", "HEAD~1:./a.py", "a.py"),
        ("verify", "a.py", "--parallel", "ddp"),
    ],
)
def test_where_the_users_own_code_may_run(words: tuple[str, ...]) -> None:
    assert _stays_open(words)


@pytest.mark.parametrize(
    "words",
    [
        ("show", "a.py"),
        ("show", "package::configs/a.py", "--full"),
        ("schedule", "a.py", "--iters", "9", "--no-cache"),
        ("diff", "a.py", "package::b.py"),
    ],
)
def test_where_it_does_not(words: tuple[str, ...]) -> None:
    assert not _stays_open(words)
