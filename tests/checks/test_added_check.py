"""A new check is one file and one line of the tuple: tried on a copy of the package."""

from __future__ import annotations

import pytest

from tests.added import CopiedPackage

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


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> CopiedPackage:
    """Return a copy of the package that has one more check."""
    copy = CopiedPackage(tmp_path_factory.mktemp("added"))
    copy.add("checks/catalog/lr_above_one.py", _CHECK)
    registry, near = "checks/__init__.py", "from optplan.checks.catalog.mid_word"
    line = "from optplan.checks.catalog.lr_above_one import LrAboveOne"
    copy.change(registry, near, f"{line}\n{near}")
    copy.change(
        registry, "    UnusedSuppression(),\n", "    UnusedSuppression(),\n    LrAboveOne(),\n"
    )
    return copy


def test_a_check_is_one_file_and_one_line(copied: CopiedPackage) -> None:
    assert len(set(copied.touched)) == 2
    (copied.folder / "a.py").write_text("optimizer = dict(type='SGD', lr=10.)\n", "utf-8")
    done = copied.run("check", "a.py", "--no-model")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "a.py:1:30: OPT999 warning: lr 10 is above 1"
    assert done.returncode == 0
    listed = copied.run("checks", "OPT999")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "An lr above 1." in listed.stdout
