"""Globs and settings of strangers take linear time, and are refused in one message."""

from __future__ import annotations

import glob
import os
import resource
import time
from pathlib import Path

import pytest

from optplan.checks import ALL_CHECKS
from optplan.checks.discovery import _globbed
from optplan.checks.paths import fits
from optplan.checks.tool_config_file import read_tool_config
from optplan.errors import ConfigError
from tests.conftest import Run


@pytest.mark.parametrize(
    "pattern", ["**/" * 25 + "x", "*a" * 25, "**/*a" * 25 + "/x", "[z-a]", "[", "[]"]
)
def test_a_glob_takes_linear_time(pattern: str) -> None:
    start = time.process_time()
    assert not fits(pattern, "/top/" + "a/" * 60 + "a" * 60 + "b", "/top")
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "pattern", ["**/*.py", "a/**/b/*.py", "**/a/**", "*/*.py", "**/**/c.py", "[ab]/*", "**", "a*/"]
)
def test_globs_of_files_find_what_the_standard_library_finds(
    pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/x.py", "a/b/c.py", "a/b/b/d.py", "b/a/e.py", ".h/f.py", "a/.g.py", "z.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    theirs = {os.path.normpath(path) for path in glob.glob(pattern, recursive=True)}  # noqa: PTH207
    assert {os.path.normpath(path) for path in _globbed(pattern)} == theirs
    assert theirs


def test_many_crossings_of_folders_take_no_longer_than_one(tmp_path: Path) -> None:
    (tmp_path / "/".join("a" * 30)).mkdir(parents=True)
    start = time.process_time()
    assert _globbed(f"{tmp_path}/" + "**/a/" * 12 + "x.py") == set()
    assert time.process_time() - start < 2


def test_a_pipe_for_settings_is_one_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    with pytest.raises(ConfigError, match="it is not a regular file"):
        read_tool_config(str(tmp_path / "pyproject.toml"), ALL_CHECKS)


def test_settings_have_a_size(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("# optplan\n" + "#" * (1 << 20))
    with pytest.raises(ConfigError, match="larger than 1,048,576 bytes"):
        read_tool_config(str(path), ALL_CHECKS)


@pytest.mark.parametrize(
    ("part", "last"),
    [
        (
            "dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))",
            "no findings in 1 config",
        ),
        ("dict(optimizer=dict(type='SGD', lr=0.1, momentun=1))", "4 000 errors in 1 of 1 config"),
    ],
    ids=["fine", "wrong"],
)
def test_thousands_of_named_sections_are_checked_soon(
    part: str, last: str, run: Run, tmp_path: Path
) -> None:
    parts = "".join(f"    part{number}={part},\n" for number in range(4000))
    (tmp_path / "a.py").write_text(f"optim_wrapper = dict(\n{parts})\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("check", "a.py", "--no-model", cwd=tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (int("errors" in last), "")
    assert last in done.stdout.splitlines()
    assert done.stdout.count("OPT003") == (4000 if "errors" in last else 0)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux")
def test_what_is_no_file_of_a_disk_is_a_finding(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.yaml")
    Path("mem.py").symlink_to("/proc/self/mem")
    with Path("large.py").open("wb") as file:
        file.truncate(1 << 30)
    for words in (["."], ["large.py", "mem.py", "pipe.yaml"]):
        done = run("check", *words, cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert all(name in done.stdout for name in ("mem.py", "pipe.yaml"))
