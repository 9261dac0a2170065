"""Ctrl-C at any time ends a command with 130 and nothing half-written; a closed pipe changes no status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plan.forged import plans

COMMAND = Path(sys.executable).with_name("optplan")
# says when the command has begun: what the interpreter does before is not in its hands
BEGINS = """
import os, sys
from optplan.runtime import interrupts
from optplan.cli import main
sys.argv[0] = "optplan"
begin = interrupts.EndingAtInterrupt.__enter__
def begun(self):
    begin(self)
    os.write(2, b".")
interrupts.EndingAtInterrupt.__enter__ = begun
main()
"""


# an interpreter that finalizes waits for its threads first
ENDS = """
import atexit, os, threading
from optplan.cli import main
atexit.register(print, "at exit")
try:
    main()
finally:  # an interpreter that finalizes waits for its threads
    threading.Thread(target=os.write, args=(1, b"finalized")).start()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plan = plans()["keys"]
    (tmp_path / "a.json").write_text(plan.to_json())
    (tmp_path / "b.json").write_text(plan.to_json().replace('"lr": 0.0001', '"lr": 0.5'))
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef net():\n    return nn.Linear(2, 2)\n"
    )
    (tmp_path / "a.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    (tmp_path / "bad.py").write_text("optimizer = dict(type='SGD', momentun=0.1, lr=0.1)\n")
    return tmp_path


def interrupted(
    words: list[str], folder: Path, delay: float, *, code: str = BEGINS
) -> tuple[int, str]:
    """Run a command, send it an interrupt so many seconds after it begins; its status and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.read(1) == "."
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


# the commands with how long they take, about
COMMANDS = [
    (["--help"], 0.2),
    (["diff", "a.json", "b.json", "-o", "out.txt"], 0.4),
    (["show", "a.py", "-m", "net.py:net", "-o", "out.txt"], 4.0),
    (["check", "a.py", "bad.py", "-j", "2", "-m", "net.py:net", "-o", "out.txt"], 4.0),
    (["check", "bad.py", "--no-model", "--baseline", "out.txt", "--write-baseline"], 0.4),
]


@pytest.mark.parametrize(("words", "seconds"), COMMANDS, ids=[" ".join(one) for one, _ in COMMANDS])
def test_interrupted_at_any_time(words: list[str], seconds: float, folder: Path) -> None:
    whole = subprocess.run(
        [COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    out = folder / "out.txt"
    expected = out.read_bytes() if out.exists() else None
    before = {one for one in os.listdir(folder) if one not in ("out.txt", "__pycache__")}
    steps, stopped = 12, 0
    for step in range(steps):
        out.unlink(missing_ok=True)
        status, said = interrupted(words, folder, 0.005 + seconds * (step / steps) ** 2)
        assert "Traceback" not in said
        if status == 130:
            stopped += 1
            assert said.endswith("interrupted\n")
        else:  # it was done before
            assert (status, "interrupted" in said) == (whole.returncode, False), said
        assert not out.exists() or out.read_bytes() == expected
        assert {
            one for one in os.listdir(folder) if one not in ("out.txt", "__pycache__")
        } == before
    assert stopped > 2


# sends an interrupt where the draft of a file is complete, and where it is half-written
WHILE_WRITING = """
import os, pathlib, signal, sys
from optplan.cli import main
sys.argv[0] = "optplan"
def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)
if sys.argv.pop(1) == "replacing":
    replace = pathlib.Path.replace
    pathlib.Path.replace = lambda *given: (interrupt(), replace(*given))[1]
else:
    sys.setprofile(lambda frame, event, given: event == "c_call" and given.__name__ == "write" and interrupt())
main()
"""


@pytest.mark.parametrize("when", ["replacing", "writing"])
def test_a_file_is_written_as_a_whole(when: str, folder: Path) -> None:
    words = ["diff", "a.json", "b.json", "-o", "out.txt"]
    subprocess.run([COMMAND, *words], cwd=folder, check=False, timeout=120)
    expected = (folder / "out.txt").read_bytes()
    (folder / "out.txt").write_text("before")
    done = subprocess.run(
        [sys.executable, "-c", WHILE_WRITING, when, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted\n"
    assert (folder / "out.txt").read_bytes() in (expected, b"before")
    assert not list(folder.glob(".*"))


def test_code_that_swallows_interrupts_does_not_hold_one_up(folder: Path) -> None:
    (folder / "net.py").write_text(
        "import os, time\nfrom torch import nn\ndef net():\n    os.write(2, b'.')\n"
        "    try:\n        time.sleep(60)\n    except BaseException:\n        pass\n    return nn.Linear(2, 2)\n"
    )
    code = BEGINS.replace('os.write(2, b".")\n', "")
    words = ["show", "a.py", "-m", "net.py:net"]
    assert interrupted(words, folder, 0.1, code=code) == (130, "interrupted\n")


def test_an_ignored_interrupt_stays_ignored(folder: Path) -> None:
    """As a shell has it for what runs in the background."""
    code = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + BEGINS
    assert interrupted(["show", "a.json"], folder, 0.02, code=code) == (0, "")


CLOSED_PIPES = [
    (["--help"], 0),
    (["--version"], 0),
    (["diff", "--help"], 0),
    ([], 2),
    (["show", "a.json"], 0),
    (["show", "a.json", "-f", "html"], 0),
    (["diff", "a.json", "a.json"], 0),
    (["diff", "a.json", "b.json"], 1),
    (["check", "a.py", "--no-model"], 0),
    (["check", "bad.py", "--no-model"], 1),
    (["checks"], 0),
    (["checks", "OPT000"], 2),
    (["show", "nowhere.py"], 2),
    (["show", "a.json", "--nonsense"], 2),
]


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
@pytest.mark.parametrize(
    ("words", "status"), CLOSED_PIPES, ids=[" ".join(one) for one, _ in CLOSED_PIPES]
)
def test_a_closed_pipe_changes_no_status(
    words: list[str], status: int, closed: str, folder: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        stdout=writer if closed != "stderr" else subprocess.PIPE,
        stderr=writer if closed != "stdout" else subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1" if closed == "both" else ""},
        text=True,
        timeout=120,
        check=False,
    )
    os.close(writer)
    assert done.returncode == status
    for text in (done.stdout or "", done.stderr or ""):
        assert "Broken" not in text
        assert "Traceback" not in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["diff", "a.json", "b.json"]])
def test_a_full_disk_is_one_message(words: list[str], folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, *words],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        "error: cannot write the report: No space left on device\n",
    )


@pytest.mark.parametrize(
    ("word", "status", "said"), [("--version", 0, "optplan"), ("--versoin", 2, "")]
)
@pytest.mark.parametrize("rank", [None, "0", "1"])
def test_a_process_that_torchrun_started_is_not_finalized(
    rank: str | None, word: str, status: int, said: str
) -> None:
    """A thread of gloo that takes the GIL meanwhile would abort it."""
    done = subprocess.run(
        [sys.executable, "-c", ENDS, word],
        env={k: v for k, v in os.environ.items() if k != "RANK"} | ({"RANK": rank} if rank else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert said in done.stdout
    assert "at exit" in done.stdout
    assert ("finalized" in done.stdout) == (rank is None)
