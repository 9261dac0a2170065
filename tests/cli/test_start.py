"""What the command loads before it has to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import Run

HEAVY = ("torch", "timm", "torchvision", "mmengine", "yaml", "numpy")

PROBE = """
import sys
from optplan.cli import main
sys.argv[1:] = {arguments!r}
try:
    main()
except SystemExit as leaving:
    print('status', leaving.code, file=sys.stderr)
print('loaded', *(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["show", "--help"], 0),
        (["show"], 2),
        (["nonsense"], 2),
        (["show", "sample_configs/nothing.py", "--model", "resnet50"], 2),
        (
            ["show", "tests/checks/bad_configs/broken.py"],
            2,
        ),  # no model of its own, and in no target
    ],
)
def test_loads_nothing_heavy(arguments: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments, heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-2:] == [f"status {status}", "loaded"]


def test_version(run: Run) -> None:
    import optplan

    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"optplan {optplan.__version__}\n",
        "",
    )


def test_python_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "optplan", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("optplan ")


def test_public_names() -> None:
    import optplan

    assert {
        name: getattr(optplan, name).__name__ for name in optplan.__all__ if name[0].islower()
    } == {
        "assert_matches": "assert_matches",
        "build_optimizer": "build_optimizer",
        "build_optimizers": "build_optimizers",
        "check": "check",
        "diff": "diff",
        "load_config": "load_config",
        "load_model": "load_model",
        "make_plan": "make_plan",
        "plan": "optplan.plan",
        "schedule": "optplan.schedule",
    }
    assert set(dir(optplan)) == set(optplan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = optplan.nothing


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("optplan sch", ["schedule"]),
        (
            "optplan show --view ",
            ["params", "tree", "settings", "keys", "layers", "depth", "memory"],
        ),
        ("optplan show a.py --model resnet50x4", ["resnet50x4_clip", "resnet50x4_clip_gap"]),
        ("optplan checks OPT20", ["OPT201", "OPT202", "OPT203", "OPT205", "OPT206", "OPT207"]),
        ("optplan check --select OPT9", ["OPT901"]),
    ],
)
def test_completion(line: str, expected: list[str]) -> None:
    """What bash is told; nothing heavy is loaded for it."""
    shell = {
        "_OPTPLAN_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=[], heavy=HEAVY)],
        env={**os.environ, **shell},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == expected
    assert done.stderr.splitlines()[-1] == "loaded"
