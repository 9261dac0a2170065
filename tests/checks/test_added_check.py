"""A new check is one file and one line of the tuple: tried on a copy of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import optplan

_CHECK = '''\
"""OPT999: learning rates above 1."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.config import place_of
from optplan.names import Severity


class LrAboveOne(Check):
    """An lr above 1.

    Bad::

        optimizer=dict(type='SGD', lr=10.)

    Good::

        optimizer=dict(type='SGD', lr=0.1)
    """

    code = "OPT999"
    name = "lr-above-one"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield a finding where the base lr is above 1."""
        written = context.raw.optimizer if context.raw else {}
        lr, place = written.get("lr"), place_of(written, "lr")
        if isinstance(lr, float) and lr > 1:
            yield self.finding(f"lr {lr:g} is above 1", key="optimizer.lr", place=place)
'''


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package that has one more check."""
    package = Path(optplan.__file__).parent
    copy = tmp_path / "copy" / "optplan"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "checks" / "catalog" / "lr_above_one.py").write_text(_CHECK, "utf-8")
    registry = copy / "checks" / "__init__.py"
    text = registry.read_text("utf-8")
    text = text.replace(
        "from optplan.checks.catalog.mid_word",
        "from optplan.checks.catalog.lr_above_one import LrAboveOne\n"
        "from optplan.checks.catalog.mid_word",
    )
    registry.write_text(text.replace("    UnusedSuppression(),\n", "    UnusedSuppression(),\n    LrAboveOne(),\n"), "utf-8")  # fmt: skip
    return copy.parent


def _run(copied: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(copied)!r}); from optplan.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=copied.parent,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_is_one_file_and_one_line(copied: Path) -> None:
    (copied.parent / "a.py").write_text("optimizer = dict(type='SGD', lr=10.)\n", "utf-8")
    done = _run(copied, "check", "a.py", "--no-model")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "a.py:1:30: OPT999 warning: lr 10 is above 1"
    assert done.returncode == 0
    listed = _run(copied, "checks", "OPT999")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "An lr above 1." in listed.stdout
