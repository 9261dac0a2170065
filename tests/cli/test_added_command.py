"""A command is one file and one line, and a format one file and one line: tried on a copy of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.added import CopiedPackage

COMMAND = '''\
"""``optplan count``."""

from __future__ import annotations

from typing import Annotated

import typer

from optplan.app.request import PlanRequest
from optplan.cli.options import CONFIG_HELP, ReportOptions, with_options
from optplan.cli.running import running


@with_options
def count(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    *,
    options: PlanRequest,
    to: ReportOptions,
) -> None:
    """Count the parameters of a plan.

    Example: optplan count CONFIG --model resnet50

    Exit status: 0 fine, 2 could not, 3 a bug in optplan.
    """
    with running(quiet=to.quiet, debug=to.debug, dialect=options.dialect):
        from optplan.app.plan import plan_of

        plan = plan_of(config, options)
        text = f"{len(getattr(plan, 'plan', plan).parameters)}\\n"
        to.deliver(text)
'''
FORMAT = '''\
"""Findings as their codes alone."""

from __future__ import annotations

from optplan.checks.results import CheckReport


def render(report: CheckReport, **_: object) -> str:
    """Return the code of each finding."""
    return "\\n".join(finding.code for finding in report.findings) + "\\n"
'''
CONFIG = """\
optimizer = dict(type='SGD', lr=0.1, weight_decay=0.5, paramwise_cfg=dict(norm_decay_mul=0.))
"""
NET = """\
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 2)
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> CopiedPackage:
    copy = CopiedPackage(tmp_path_factory.mktemp("added"))
    (copy.folder / "a.py").write_text(CONFIG, "utf-8")
    (copy.folder / "net.py").write_text(NET, "utf-8")
    copy.add("cli/count.py", COMMAND)
    copy.change("cli/app.py", '    "cache",\n', '    "cache",\n    "count",\n')
    copy.add("reporters/check/codes.py", FORMAT)
    copy.change(
        "cli/check_options.py", '    TEXT = "text"\n', '    TEXT = "text"\n    CODES = "codes"\n'
    )
    return copy


def test_a_command_and_a_format_are_a_file_and_a_line_each(copied: CopiedPackage) -> None:
    files = ["cli/count.py", "cli/app.py", "reporters/check/codes.py", "cli/check_options.py"]
    assert copied.touched == files
    done = copied.run("count", "a.py", "--model", "net.py:Net", "--no-cache")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "2\n")
    assert "Count the parameters of a plan." in copied.run("--help").stdout
    done = copied.run("check", "a.py", "--no-model", "--format", "codes")
    assert (done.stderr, done.stdout) == ("", "OPT101\n")


def test_the_guide_for_contributors_names_these_files(copied: CopiedPackage) -> None:
    guide = Path(__file__).parents[2].joinpath(".github/CONTRIBUTING.md").read_text("utf-8")
    for text in ("`optplan/cli/NAME.py`", "`optplan/cli/app.py`", "`optplan/cli/COMMAND.py`"):
        assert text in guide, text
