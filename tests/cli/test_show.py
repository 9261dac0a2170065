"""``optplan show``: the report on stdout, in each format."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from optplan.plan import Plan
from tests.conftest import ROOT, SAMPLES, Run
from tests.schema import validate

SEGMENTOR = "sample_configs/models.py:Segmentor"

TABLE = """\
sample_configs/models.py:Segmentor · file · 14 parameters · 25.0 k
 AdamW  lr 0.0002  weight_decay 0.05  betas (0.9, 0.999)
 rules of MMEngine (optim_wrapper)
 parameter                 shape         lr  weight_decay  rule
 backbone.layer0.0.weight  16×3×3×3       0             0  custom_key 'backbone.layer0' ×0
 backbone.layer0.0.bias    16             0             0  custom_key 'backbone.layer0' ×0
 backbone.layer0.1.weight  16             0             0  custom_key 'backbone.layer0' ×0
 backbone.layer0.1.bias    16             0             0  custom_key 'backbone.layer0' ×0
 backbone.layer1.0.weight  32×16×3×3  2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer1.0.bias    32         2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer1.1.weight  32         2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer1.1.bias    32         2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer2.0.weight  64×32×3×3  2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer2.0.bias    64         2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer2.1.weight  64         2e-05          0.05  custom_key 'backbone' lr ×0.1
 backbone.layer2.1.bias    64         2e-05          0.05  custom_key 'backbone' lr ×0.1
 decode_head.weight        19×64×1×1  0.002          0.05  custom_key 'head' lr ×10
 decode_head.bias          19         0.002          0.05  custom_key 'head' lr ×10

 3 settings
  lr 0  weight_decay 0          4 parameters      480    1.9%   custom_key 'backbone.layer0' ×0   backbone_and_head.py:8
  lr 2e-05  weight_decay 0.05   8 parameters   23.3 k   93.2%   custom_key 'backbone' lr ×0.1     backbone_and_head.py:7
  lr 0.002  weight_decay 0.05   2 parameters   1.24 k    4.9%   custom_key 'head' lr ×10          backbone_and_head.py:9
 decided by custom_key 14
 trainable 14 · in the optimizer 14 · frozen 0
"""


def test_table(run: Run) -> None:
    done = run("show", "sample_configs/backbone_and_head.py", "--model", SEGMENTOR)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TABLE


@pytest.fixture(scope="module")
def saved(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved plan of the sample: showing it needs no torch."""
    path = tmp_path_factory.mktemp("saved") / "plan.json"
    done = run(
        "show", "sample_configs/backbone_and_head.py", "-m", SEGMENTOR, "-f", "json", "-o", path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


def test_saved_plan_shows_the_same(saved: Path, run: Run) -> None:
    assert run("show", saved).stdout == TABLE


def test_json(saved: Path) -> None:
    text = saved.read_text("utf-8")
    data = json.loads(text)
    validate(data, "plan-1.0")
    assert Plan.from_json(text).to_json() + "\n" == text
    row = data["parameters"][4]
    assert row["name"] == "backbone.layer1.0.weight"
    assert row["lr_rule"] == {
        "rule": "custom_key",
        "option": None,
        "key": "backbone",
        "mult": 0.1,
        "origin": {"file": "backbone_and_head.py", "line": 7, "column": 13},
    }
    assert row["extra"] == {"lr_mult": 0.1}
    assert row["options"] == {}
    assert data["optimizers"] == [
        {
            "name": None,
            "type": "AdamW",
            "class": "torch.optim.adamw.AdamW",
            "lr": 0.0002,
            "weight_decay": 0.05,
            "options": {"betas": [0.9, 0.999]},
        }
    ]


def test_csv(saved: Path, run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("show", saved, "--format", "csv").stdout)))
    assert len(rows) == 14
    assert rows[0] == {
        "name": "backbone.layer0.0.weight",
        "shape": "16x3x3x3",
        "elements": "432",
        "dtype": "float32",
        "requires_grad": "True",
        "module": "torch.nn.modules.conv.Conv2d",
        "status": "optimized",
        "lr": "0.0",
        "weight_decay": "0.0",
        "lr_scale": "",
        "effective_lr": "0.0",
        "layer": "",
        "lr_rule": "custom_key",
        "lr_option": "",
        "lr_key": "backbone.layer0",
        "lr_mult": "0",
        "weight_decay_rule": "custom_key",
        "weight_decay_option": "",
        "weight_decay_key": "backbone.layer0",
        "weight_decay_mult": "0",
        "optimizer": "0",
        "group": "0",
        "setting": "0",
    }


def test_narrowing(saved: Path, run: Run) -> None:
    done = run("show", saved, "--param", "*.layer{1-2}.*.weight", "--param", "decode_head.bias")
    names = [
        line.split()[0] for line in done.stdout.splitlines() if line.startswith((" back", " dec"))
    ]
    assert names == [
        "backbone.layer1.0.weight",
        "backbone.layer1.1.weight",
        "backbone.layer2.0.weight",
        "backbone.layer2.1.weight",
        "decode_head.bias",
        "decided",
    ]
    assert done.stdout.splitlines()[-1] == (
        " 5 of 14 rows shown: --param *.layer{1-2}.*.weight --param decode_head.bias"
    )


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--rule", "custom_key"], 14),
        (["--rule", "norm"], 0),
        (["--rule", "norm", "--rule", "custom_key"], 14),
        (["--status", "frozen"], 0),
        (["--status", "optimized", "--param", "*bias"], 7),
    ],
)
def test_rule_and_status(saved: Path, run: Run, options: list[str], shown: int) -> None:
    data = json.loads(run("show", saved, "--format", "json", *options).stdout)
    validate(data, "plan-1.0")
    assert len(data["parameters"]) == shown


def test_narrowed_report_is_no_saved_plan(saved: Path, run: Run, tmp_path: Path) -> None:
    part = tmp_path / "part.json"
    assert run("show", saved, "-f", "json", "--rule", "custom_key", "-o", part).returncode == 0
    done = run("show", part)
    assert done.returncode == 2
    assert "narrowed" in done.stderr


def test_closed_pipe_is_quiet(saved: Path) -> None:
    command = (
        f"{Path(sys.executable).with_name('optplan')} show {saved} | true; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_full_disk(saved: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).with_name("optplan"), "show", saved],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the report: No space left on device\n"


def test_closed_streams(saved: Path) -> None:
    command = Path(sys.executable).with_name("optplan")
    for streams, words, said in (
        (">&-", f"show {saved}", "error: cannot write the report: stdout is closed\n"),
        ("2>&-", "show nothing.py", ""),
        (">&- 2>&-", "show nothing.py", ""),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{command} {words} {streams}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_output_to_a_circle_of_links(saved: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    done = run("show", saved, "-o", "one", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot write 'one': ")


def on_terminal(arguments: list[str], columns: int, **environment: str) -> str:
    """What a terminal of that width is sent."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [Path(sys.executable).with_name("optplan"), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**clean, "TERM": "xterm-256color", **environment},
        cwd=ROOT,
    )
    os.close(theirs)
    received = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        received += chunk
    os.close(ours)
    assert process.wait() == 0
    return received.decode().replace("\r\n", "\n")


def test_80_columns(saved: Path) -> None:
    lines = on_terminal(["show", str(saved)], 80, NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= 80
    assert " backbone.layer1.1.bias    32         2e-05   0.05  'backbone' lr ×0.1" in lines


def test_colours_on_a_terminal_alone(saved: Path, run: Run) -> None:
    assert "\x1b[36mcustom_key 'head' lr ×10\x1b[0m" in on_terminal(["show", str(saved)], 200)
    assert "\x1b" not in on_terminal(["show", str(saved), "--color", "never"], 200)
    assert "\x1b" not in on_terminal(["show", str(saved)], 200, TERM="dumb")
    assert "\x1b[36m" in run("show", saved, "--color", "always").stdout


def test_output_file_is_replaced_whole(saved: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("before")
    assert run("show", saved, "-o", target).returncode == 0
    assert target.read_text("utf-8") == TABLE
    assert os.listdir(tmp_path) == ["report.txt"]


def test_failure_leaves_the_output_file_alone(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("before")
    done = run("show", SAMPLES / "nothing.py", "-m", "resnet18", "-o", target)
    assert done.returncode == 2
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["report.txt"]
