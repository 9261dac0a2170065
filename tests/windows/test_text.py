"""Encodings and ends of lines as Windows has them, in what is read and in what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, Run

CONFIG = "optimizer = dict(\n    type='SGD',\n    lr=0.1,\n    paramwise_cfg=1)\n"


def in_encoding(*arguments: str, encoding: str, cwd: Path, **environment: str) -> tuple[str, str]:
    """Run the command with pipes in an encoding; a byte that is not in it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "optplan", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": encoding, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout.decode(encoding), done.stderr.decode(encoding)


REPORTS = [
    # what is asked, words in cp1252, words in ASCII
    ("show --model resnet18 --view settings", "resnet18 · timm", "resnet18 - timm"),
    ("show --model resnet18 --view tree", " | + conv{1,2}", " | + conv{1,2}"),
    ("explain --model resnet18 bn1.weight", "0.0001 × 0", "0.0001 x 0"),
    ("diff --model resnet18 bias_lr.py", "bag_of_tricks.py -> bias_lr.py", "bag_of_tricks.py -> "),
    ("schedule --model resnet18 --epochs 3", "no scheduler", "no scheduler"),
    ("show --model resnet18 --set optimizer.typ=1", "error: ", "error: "),
]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(("words", "there", "plain"), REPORTS)
def test_what_an_encoding_lacks_is_replaced(
    words: str, there: str, plain: str, encoding: str
) -> None:
    command, *rest = words.split()
    out, err = in_encoding(
        command, "bag_of_tricks.py", *rest, encoding=encoding, cwd=SAMPLES, COLUMNS="100"
    )
    assert (there if encoding == "cp1252" else plain) in out + err
    assert "\\u" not in out + err
    assert "Traceback" not in err


def test_curves_in_cp1252(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1)\nparam_scheduler = dict(type='CosineAnnealingLR', T_max=9)\n"
    )
    out, _ = in_encoding(
        *("schedule", "a.py", "--model", "resnet18", "--epochs", "9"),
        encoding="cp1252",
        cwd=tmp_path,
        FORCE_COLOR="1",
    )
    assert "CosineAnnealingLR" in out
    assert "\\u" not in out


def test_a_name_that_an_encoding_lacks(tmp_path: Path) -> None:
    (tmp_path / "配置.py").write_text(CONFIG, encoding="utf-8")
    out, err = in_encoding("check", "配置.py", encoding="cp1252", cwd=tmp_path)
    assert out.startswith("\\u914d\\u7f6e.py:4:5: "), err
    out, _ = in_encoding("check", "配置.py", "--format", "json", encoding="cp1252", cwd=tmp_path)
    assert json.loads(out)["findings"][0]["file"] == "配置.py"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_ends_of_lines_move_no_place(newline: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.py").write_bytes(CONFIG.replace("\n", newline).encode())
    said = run("check", "a.py", "--format", "concise", cwd=tmp_path)
    assert said.stdout.startswith("a.py:4:5: "), said.stderr
    yaml = newline.join(["optimizer:", "  type: SGD", "  lr: 0.1", "  wieght_decay: 1", ""])
    (tmp_path / "a.yaml").write_bytes(yaml.encode())
    said = run("check", "a.yaml", "--format", "concise", cwd=tmp_path)
    assert said.stdout.startswith("a.yaml:4:3: "), said.stderr


def test_a_report_in_a_file_has_the_same_bytes_everywhere(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.py").write_bytes(CONFIG.replace("\n", "\r\n").encode())
    run("check", "a.py", "--output", "a.txt", cwd=tmp_path, PYTHONIOENCODING="cp1252")
    content = (tmp_path / "a.txt").read_bytes()
    assert b"\r" not in content
    assert " │ " in content.decode("utf-8")


SAVED = [
    # name, encoding, what is said
    ("a.py", "utf-8-sig", "a.py: it begins with a byte order mark"),
    ("a.json", "utf-8-sig", "a.json: it begins with a byte order mark"),
    ("a.py", "utf-16", "a.py: it is in UTF-16"),
]


@pytest.mark.parametrize(("name", "encoding", "said"), SAVED)
def test_what_editors_of_windows_save(
    name: str, encoding: str, said: str, tmp_path: Path, run: Run
) -> None:
    text = CONFIG if name.endswith(".py") else '{"optimizer": {"type": "SGD", "lr": 0.1}}'
    (tmp_path / name).write_text(text, encoding=encoding)
    done = run("config", name, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hint: save it as UTF-8" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_that_powershell_saved(encoding: str, tmp_path: Path, run: Run) -> None:
    config = SAMPLES / "bag_of_tricks.py"
    plan = run("show", config, "--model", "resnet18", "--format", "json", cwd=tmp_path).stdout
    (tmp_path / "plan.json").write_text(plan, encoding=encoding)
    done = run("diff", "plan.json", config, "--model", "resnet18", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_file_is_read_in_the_encoding_of_the_system(run: Run) -> None:
    """Python warns of each that is opened without one."""
    done = run(
        *("check", "sample_configs", "--model", "resnet18"),
        PYTHONWARNDEFAULTENCODING="1",
        PYTHONWARNINGS="always::EncodingWarning",
    )
    assert [
        line for line in done.stderr.splitlines() if "/optplan/" in line and "Enc" in line
    ] == []
