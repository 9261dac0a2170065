"""Reports and progress on a pseudo-terminal: what is folded, what goes to the pager, and what never does."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Invoke, Run

VIT = ("sample_configs/vit_adamw.py", "--model", "vit_small_patch16_224")
SLOW = """
import time
from torch import nn

def make():
    time.sleep(1.5)
    return nn.Linear(2, 2)
"""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[=>])")


def on_terminal(
    *words: str | Path, lines: int = 24, cwd: Path = ROOT, keys: str = "", **environment: Any
) -> tuple[str, int]:
    """What a terminal of 80 columns is sent, and the status; keys are typed once it is silent."""
    command = Path(sys.executable).with_name("optplan")
    process, terminal = pty.fork()
    if not process:
        size = struct.pack("HHHH", lines, 80, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        kept = {k: v for k, v in os.environ.items() if k not in ("CI", "LINES", "COLUMNS", "LESS")}
        os.chdir(cwd)
        os.execve(command, ["optplan", *map(str, words)], kept | {"TERM": "xterm"} | environment)
    sent = b""
    while True:
        if not select.select([terminal], [], [], 1.0)[0]:
            if keys and sent:
                os.write(terminal, keys.encode())
                keys = ""
            continue
        try:
            found = os.read(terminal, 65536)
        except OSError:
            break
        if not found:
            break
        sent += found
    os.close(terminal)
    return sent.decode(), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def plain(sent: str) -> list[str]:
    return [line.rstrip() for line in _ESCAPES.sub("", sent).replace("\r\n", "\n").split("\n")]


def test_more_rows_than_the_screen_are_folded() -> None:
    sent, status = on_terminal("show", *VIT, PAGER="cat")
    shown = plain(sent)
    assert status == 0
    assert any("├ blocks.{0-11}" in line for line in shown)
    assert " 152 rows folded: --view params lists each" in shown


@pytest.mark.parametrize(
    ("words", "lines"), [((), 200), (("--view", "params"), 24), (("--format", "csv"), 24)]
)
def test_all_rows(words: tuple[str, ...], lines: int) -> None:
    sent, _ = on_terminal("show", *VIT, *words, lines=lines, PAGER="cat")
    assert sum("blocks.7.attn.qkv" in line for line in plain(sent)) == 2
    assert "folded" not in sent


def test_a_pipe_has_all_rows(run: Run) -> None:
    done = run("show", *VIT, PAGER="false")
    assert sum("blocks.7.attn.qkv" in line for line in done.stdout.splitlines()) == 2


def test_a_pager_as_git_has_it(tmp_path: Path) -> None:
    """It is given the report and less's settings; what it leaves unread changes no status."""
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "LESS=$LESS"\nhead -n 2\n')
    pager.chmod(0o755)
    for name in ("PAGER", "OPTPLAN_PAGER"):
        other: dict[str, Any] = {"PAGER": "false"} if name == "OPTPLAN_PAGER" else {}
        sent, status = on_terminal("show", *VIT, "--view", "params", **(other | {name: str(pager)}))
        shown = plain(sent)
        assert status == 0
        assert next(line for line in shown if line) == "LESS=FRX"
        assert len(shown) < 6


def test_less_itself() -> None:
    sent, status = on_terminal("show", *VIT, "--view", "params", keys="q", PAGER="less")
    assert status == 0
    assert "blocks.11" not in sent
    assert "cls_token" in sent


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--no-pager",), {}),
        ((), {"CI": "true"}),
        ((), {"TERM": "dumb"}),
        ((), {"OPTPLAN_PAGER": ""}),
        ((), {"OPTPLAN_PAGER": "cat"}),
        ((), {"OPTPLAN_PAGER": "no-such-pager"}),
        ((), {"OPTPLAN_PAGER": "'"}),
    ],
)
def test_no_pager(words: tuple[str, ...], environment: dict[str, Any]) -> None:
    given: dict[str, Any] = {"PAGER": "echo PAGED", **environment}
    sent, status = on_terminal("show", *VIT, "--view", "params", *words, **given)
    assert status == 0
    assert "PAGED" not in sent
    assert "blocks.11.mlp.fc2.bias" in sent


def test_what_fits_has_no_pager() -> None:
    sent, _ = on_terminal("show", *VIT, "--view", "settings", PAGER="echo PAGED")
    assert "PAGED" not in sent


def test_a_file_has_no_pager(tmp_path: Path) -> None:
    sent, _ = on_terminal("show", *VIT, "-o", tmp_path / "out.txt", PAGER="echo PAGED")
    assert sent == ""
    assert "blocks.7.attn.qkv.weight" in (tmp_path / "out.txt").read_text()


@pytest.mark.parametrize(
    ("words", "environment", "is_said"),
    [
        ((), {}, True),
        (("--quiet",), {}, False),
        ((), {"CI": "1"}, False),
        ((), {"TERM": "dumb"}, False),
    ],
)
def test_building_a_model_is_said(
    words: tuple[str, ...], environment: dict[str, Any], is_said: bool, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(SLOW)
    (tmp_path / "a.json").write_text('{"optimizer": {"type": "SGD", "lr": 0.1}}')
    command = ("show", "a.json", "--model", "net.py:make", *words)
    sent, status = on_terminal(*command, cwd=tmp_path, **environment)
    assert status == 0
    assert ("optplan: building net.py:make …\r" + " " * 31 in sent) == is_said or not is_said
    assert ("building" in sent) == is_said


def test_a_module_is_explained_in_short(invoke: Invoke) -> None:
    done = invoke("explain", *VIT, "blocks.0")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[2] == "blocks.0   12 parameters   1.77 M   LayerNorm, Linear"
    assert "    blocks.0.norm*, blocks.0.*.bias" in lines
    assert lines[-1] == " each of them: optplan explain … 'blocks.0.*'"
    assert invoke("explain", *VIT, "blocks.12").returncode == 2
    whole = invoke("explain", *VIT, "blocks.0", "-f", "json").stdout
    assert whole == invoke("explain", *VIT, "blocks.0.*", "-f", "json").stdout


def test_a_name_that_is_a_parameter_and_a_module(invoke: Invoke) -> None:
    done = invoke("explain", *VIT, "norm.weight", "blocks.{0,1}.attn")
    assert "norm.weight   384   LayerNorm" in done.stdout
    assert "blocks.{0,1}.attn   8 parameters" in done.stdout
