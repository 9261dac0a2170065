"""Many configs, several processes, interruptions, and bugs."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from optplan.checks.report import merged
from optplan.checks.results import FindingLocation, Reported
from optplan.names import Severity
from tests.checks.conftest import Check, config
from tests.checks.test_settings import codes
from tests.conftest import ROOT

Write = Callable[..., Path]
FINE = "optimizer = dict(type='SGD', lr=0.1)\n"
WRONG = "optimizer = dict(type='SGD', lr=0.1, momentun=0.9)\n"


def test_a_mistake_in_a_base_is_reported_once(write: Write, check: Check) -> None:
    write("_base_/base.py", config("bad"))
    for name in "abc":
        write(f"{name}.py", "_base_ = '_base_/base.py'\n")
    write("d.py", config("bad", base="./_base_/../_base_/base.py"))
    done = check(".")
    assert done.stdout == (
        "_base_/base.py:3:5: OPT107 key 'bad' is bad\n"
        "    3 │ 'bad': dict(lr_mult=0.1),\n"
        "      │ ^^^^^\n"
        "  affects 4 configs: _base_/base.py, a.py, b.py, c.py\n"
        "d.py:3:5: OPT107 key 'bad' is bad\n"
        "    3 │ 'bad': dict(lr_mult=0.1),\n"
        "      │ ^^^^^\n"
        "2 errors in 5 of 5 configs\n"
        "2 checks skipped: no model given; name one with --model\n"
    )
    found = json.loads(check("d.py", "b.py", "a.py", "-f", "json").stdout)["findings"]
    assert [(f["file"], f["configs"]) for f in found] == [
        ("_base_/base.py", ["a.py", "b.py"]),
        ("d.py", ["d.py"]),
    ]


def test_findings_are_one_only_where_they_say_the_same() -> None:
    one = Reported(
        code="OPT103",
        name="unmatched-key",
        severity=Severity.ERROR,
        message="50 parameters keep lr 0.1",
        key="custom_keys.a",
        location=FindingLocation(file="base.py", line=3, column=5),
        configs=("a.py",),
        hint="h",
        parameters=("x",),
    )
    alike = replace(one, configs=("b.py",), severity=Severity.WARNING)
    others = [
        replace(one, configs=("c.py",), message="30 parameters keep lr 0.1"),
        replace(one, configs=("d.py",), hint=None),
        replace(one, configs=("e.py",), parameters=("y",)),
    ]
    found = [(f.configs, f.message, f.hint, f.parameters) for f in merged([alike, *others, one])]
    assert found == [
        (("c.py",), "30 parameters keep lr 0.1", "h", ("x",)),
        (("d.py",), "50 parameters keep lr 0.1", None, ("x",)),
        (("a.py", "b.py"), "50 parameters keep lr 0.1", "h", ("x",)),
        (("e.py",), "50 parameters keep lr 0.1", "h", ("y",)),
    ]


def test_long_lists_are_cut_in_text_alone(write: Write, check: Check) -> None:
    write("base/base.py", config("bad"))
    for number in range(12):
        write(f"{number:02}.py", "_base_ = 'base/base.py'\n")
    names = [f"{number:02}.py" for number in range(12)]
    text = check("*.py").stdout
    assert f"  affects 12 configs: {', '.join(names[:10])} and 2 more\n" in text
    (finding,) = json.loads(check("*.py", "-f", "json").stdout)["findings"]
    assert finding["configs"] == names


def test_the_worst_severity_counts(write: Write, check: Check) -> None:
    """A key in a base is a warning for what inherits it, and an error for the base itself."""
    write("models.py", "from torch import nn\nNet = nn.Sequential(nn.Linear(2, 2))\n")
    write("base.py", config("nothing"))
    write("a.py", "_base_ = 'base.py'\n")
    model = ("-m", "models.py:Net")
    assert check("a.py", *model).returncode == 0
    done = check("a.py", "base.py", *model)
    assert done.stdout.splitlines()[0] == "base.py:3:5: OPT103 key 'nothing' matches no parameter"
    assert done.returncode == 1


@pytest.fixture
def thousand(write: Write) -> None:
    write("all/base.py", config("good", "bad_w"))
    for number in range(998):
        keys = ("bad", "good") if number % 100 == 0 else ("good",)
        write(f"all/{number // 100}/c{number:03}.py", config(*keys, base="../base.py"))
    write("all/1/broken.py", "optimizer = dict(type='SGD', lr=\n")


def test_one_bad_config_among_a_thousand(thousand: None, check: Check) -> None:
    done = check("all")
    assert (done.returncode, done.stderr) == (1, "")
    assert codes(done.stdout) == [
        "all/0/c000.py OPT107",
        "all/1/broken.py OPT004",
        "all/1/c100.py OPT107",
        *(f"all/{hundred}/c{hundred}00.py OPT107" for hundred in range(2, 10)),
        "all/base.py OPT107",
    ]
    assert "11 errors, 1 warning in 1 000 of 1 000 configs\n" in done.stdout


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_the_same_for_every_number_of_jobs(
    output_format: str, thousand: None, check: Check
) -> None:
    one, three = (check("all", "-f", output_format, "--jobs", jobs) for jobs in ("1", "3"))
    assert one == three
    assert one.returncode == 1


def test_jobs_with_models(write: Write, check: Check) -> None:
    """Each process builds a model once, and what it prints goes to stderr."""
    write("models.py", "from torch import nn\nNet = nn.Sequential(nn.Linear(2, 2))\n")
    for number in range(8):
        write(f"{number}.py", config("weight", f"key{number}"))
    one, two = (check("*.py", "-m", "models.py:Net", "-j", jobs) for jobs in ("1", "2"))
    assert one == two
    assert codes(one.stdout) == [f"{number}.py OPT103" for number in range(8)]


def test_a_bug_in_a_check(write: Write, check: Check) -> None:
    write("a.py", config("bad"))
    write("b.py", config("crash", "bad"))
    write("c.py", config("bad"))
    done = check("a.py", "b.py", "c.py")
    assert done.returncode == 3
    assert codes(done.stdout) == ["a.py OPT107", "b.py OPT107", "c.py OPT107"]
    assert done.stderr.startswith(
        "a bug in optplan: CheckCrashError: b.py: KeyError: 'crash'\nplease report it"
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("group", [True, False], ids=["group", "process"])
def test_interrupted(jobs: str, group: bool, write: Write, tmp_path: Path) -> None:
    for number in range(100):
        write(f"configs/{number}.py", config("slow"))
    process = start(tmp_path, "check", "configs", "--jobs", jobs)
    wait_for(lambda: len(list(tmp_path.glob("process.*"))) == int(jobs))
    sent = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert time.monotonic() - sent < 1
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")
    for path in tmp_path.glob("process.*"):
        wait_for(partial(is_gone, int(path.suffix[1:])))


@pytest.mark.parametrize("after", [0.15, 0.3, 0.5])
def test_interrupted_while_processes_start(after: float, write: Write, tmp_path: Path) -> None:
    for number in range(100):
        write(f"configs/{number}.py", config("slow"))
    process = start(tmp_path, "check", "configs", "--jobs", "4")
    wait_for(lambda: children(process.pid) > 1)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")


def children(process: int) -> int:
    return len(Path(f"/proc/{process}/task/{process}/children").read_text("utf-8").split())


def test_progress_on_a_terminal_alone(write: Write, tmp_path: Path) -> None:
    write("configs/a.py", config("bad"))
    reader, terminal = pty.openpty()
    process = start(tmp_path, "check", "configs", stderr=terminal)
    stdout, _ = process.communicate(timeout=20)
    os.close(terminal)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "checking" in shown
    assert "1/1" in shown
    assert "OPT107" not in shown
    assert stdout.startswith("configs/a.py:3:5: OPT107 ")


def start(folder: Path, *words: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The command with the fake checks, as the leader of its own group of processes."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.checks.command", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_that_is_killed(write: Write, tmp_path: Path) -> None:
    for number in range(20):
        write(f"configs/{number:02}.py", config("slow"))
    process = start(tmp_path, "check", "configs", "--jobs", "2")
    wait_for(lambda: len(list(tmp_path.glob("process.*"))) == 2)
    numbers = {int(path.suffix[1:]) for path in tmp_path.glob("process.*")}
    (worker,) = numbers - {process.pid}
    os.kill(worker, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (2, "")
    assert stderr.startswith("error: a worker process ended with status -9 at configs/")


PROBE = """
import sys
sys.argv[1:] = {arguments!r}
from optplan.cli import main
try:
    main()
except SystemExit as leaving:
    print('status', leaving.code, file=sys.stderr)
heavy = ('torch', 'timm', 'torchvision', 'mmengine', 'numpy')
print('loaded', *(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["check", "sample_configs/_base_"], 0),
        (["check", "--show-settings"], 0),
        (["checks"], 0),
        (["checks", "OPT103"], 0),
    ],
)
def test_needs_no_torch_without_a_model(arguments: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stderr.splitlines()[-2:] == [f"status {status}", "loaded"]


@pytest.mark.parametrize(
    ("config", "streams", "status", "said"),
    [
        (FINE, "2>&-", 0, ("no findings in 1 config", "")),
        (WRONG, "2>&-", 1, ("1 error in 1 of 1 config", "")),
        (FINE, ">&-", 2, ("", "error: cannot write the report: stdout is closed")),
        (WRONG, ">&- 2>&-", 2, ("", "")),
    ],
)
def test_closed_streams(
    config: str, streams: str, status: int, said: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(config)
    command = Path(sys.executable).with_name("optplan")
    done = subprocess.run(
        ["bash", "-c", f"{command} check a.py --no-model {streams}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    told = [line for line in done.stdout.splitlines() if line.endswith("1 config")]
    assert ("".join(told), done.stderr.strip()) == said


def test_equal_mistakes_of_several_files_are_told_once(write: Write, check: Check) -> None:
    for name in ("a", "b", "c"):
        write(f"{name}.py", "optimizer = dict(type='SGD', lr=0.1,\n    paramwise_cfg=3)\n")
    write("d.py", "optimizer = dict(type='SGD', lr=0.1,\n    paramwise_cfg=4)\n")
    done = check(".", "--select", "OPT004")
    heads = [line.partition(": ")[0] for line in done.stdout.splitlines() if "OPT004" in line]
    assert heads == ["a.py:2:5", "d.py:2:5"]
    assert "  affects 3 configs: a.py, b.py, c.py" in done.stdout
    assert "2 errors in 4 of 4 configs" in done.stdout


def test_a_baseline_knows_each_file_of_a_mistake_that_is_told_once(
    write: Write, check: Check
) -> None:
    for name in ("a", "b"):
        write(f"{name}.py", "optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=3)\n")
    check(".", "--baseline", "known.json", "--write-baseline")
    assert check(".", "--baseline", "known.json").returncode == 0
    write("b.py", "")
    assert check(".", "--baseline", "known.json").returncode == 0
