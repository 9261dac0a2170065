"""Paths as Windows writes them: drives, shares, both slashes, no case; by ``ntpath``, on every system."""

from __future__ import annotations

import ntpath
import os
from pathlib import PureWindowsPath
from typing import Any

import pytest

from optplan.checks.paths import fits, shown_path
from optplan.config.files.file_reader import DISK
from optplan.config.locations import base_location, entry_location, is_below
from optplan.config.revisions import names_revision
from optplan.dialects.function.load import names_function
from optplan.model.load import library_of
from optplan.places import Place, Source, path_below, relative_path
from optplan.reporters.check import sarif

HERE = "C:\\Work\\net"


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let paths be those of Windows, and the current folder one on drive C."""
    monkeypatch.setattr(os, "path", ntpath)
    monkeypatch.setattr(os, "sep", "\\")
    monkeypatch.setattr(os, "getcwd", lambda: HERE)


PATHS = [
    # path, folder, what is below it, the path from it
    ("C:\\a\\b\\c.py", "C:\\a", "b\\c.py", "b/c.py"),
    ("c:\\A\\b\\c.py", "C:\\a", "b\\c.py", "b/c.py"),
    ("C:\\a", "C:\\a", "", ""),
    ("C:\\ab\\c.py", "C:\\a", None, "../ab/c.py"),
    ("C:\\c.py", "C:\\", "c.py", "c.py"),
    ("D:\\a\\c.py", "C:\\a", None, "D:/a/c.py"),
    ("\\\\server\\share\\c.py", "C:\\a", None, "//server/share/c.py"),
    ("\\\\server\\share\\a\\c.py", "\\\\Server\\share\\a", "c.py", "c.py"),
    ("\\\\server\\other\\c.py", "\\\\server\\share", None, "//server/other/c.py"),
]


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(("path", "folder", "below", "relative"), PATHS)
def test_what_is_below_a_folder(path: str, folder: str, below: str | None, relative: str) -> None:
    assert path_below(path, folder) == below
    assert relative_path(path, folder) == relative
    assert is_below(path, folder) is (below is not None)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("configs\\a.py", "configs/a.py"),
        ("configs/a.py", "configs/a.py"),
        (".\\configs\\..\\a.py", "a.py"),
        ("c:\\work\\NET\\configs\\a.py", "configs/a.py"),
        ("..\\other\\a.py", "C:/Work/other/a.py"),
        ("D:\\a b\\a.py", "D:/a b/a.py"),
        ("\\\\server\\share\\a.py", "//server/share/a.py"),
    ],
)
def test_a_report_has_slashes(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("configs/*.py", "configs\\a.py", True),
        ("configs", "C:\\Work\\net\\configs\\deep\\a.py", True),
        ("configs/*.py", "D:\\configs\\a.py", False),
        ("D:/**/*.py", "D:\\configs\\a.py", True),
    ],
)
def test_globs_of_settings(glob: str, path: str, expected: bool) -> None:
    assert fits(glob, path, HERE) is expected


WORDS = [
    # word, a revision here, a revision on Windows, a function
    ("C:\\x.py", False, False, False),
    ("C:/x.py", False, False, False),
    ("C:x.py", True, False, False),  # one letter may be a branch where there are no drives
    ("\\\\server\\share\\x.py", False, False, False),
    ("//server/share/x.py", False, False, False),
    ("HEAD:x.py", True, True, False),
    ("v1.0:configs\\x.py", True, True, False),
    ("C:\\x.py:make", False, False, True),
    ("C:/a b/x.py:Net.configure", False, False, True),
    ("D:..\\x.py:make", True, False, True),  # functions are asked for first
    ("\\\\server\\share\\x.py:make", True, False, True),
]


@pytest.mark.parametrize(("word", "here", "there", "function"), WORDS)
def test_a_drive_is_no_revision(
    word: str, here: bool, there: bool, function: bool, request: pytest.FixtureRequest
) -> None:
    if os.name != "nt":
        assert names_revision(word) is here
    request.getfixturevalue("windows")
    assert names_revision(word) is there
    assert names_function(word) is function


@pytest.mark.parametrize("word", ["C:\\models.py:Net", "C:/models.py:Net", "\\\\a\\b\\m.py:Net"])
def test_a_model_on_a_drive_is_no_model_of_a_library(word: str) -> None:
    assert library_of(word) is None


BASES = [
    # the entry as it is typed, its base, what reports call that, what messages call it
    ("configs\\a.py", "..\\base\\sgd.py", "../base/sgd.py", "base\\sgd.py"),
    ("configs/a.py", "../base/sgd.py", "../base/sgd.py", "base\\sgd.py"),
    ("configs\\a.py", "D:\\base\\sgd.py", "D:/base/sgd.py", "D:\\base\\sgd.py"),
    ("c:\\work\\net\\a.py", "base.py", "base.py", "base.py"),
    ("D:\\run\\a.py", "base.py", "base.py", "D:\\run\\base.py"),
    ("D:\\run\\a.py", "C:/Work/net/base.py", "C:/Work/net/base.py", "base.py"),
    ("\\\\server\\share\\run\\a.py", "..\\b.py", "../b.py", "\\\\server\\share\\b.py"),
]


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(("typed", "base", "name", "shown"), BASES)
def test_a_base_on_another_drive(typed: str, base: str, name: str, shown: str) -> None:
    entry = entry_location(typed, DISK)
    found, scope = base_location(base, entry, entry, Place(Source(name="a.py"), 1, 1))
    assert (found.name, found.shown, scope) == (name, shown, None)
    assert ntpath.isabs(found.path)


URIS = [
    ("configs/a b.py", {"uri": "configs/a%20b.py", "uriBaseId": "%SRCROOT%"}),
    ("C:/Work/net#1/a b.py", {"uri": "file:///C:/Work/net%231/a%20b.py"}),
    ("D:/ü/a.py", {"uri": "file:///D:/%C3%BC/a.py"}),
    ("//server/share/a.py", {"uri": "file://server/share/a.py"}),
    ("mmdet::rtmdet/a.py", {"uri": "mmdet%3A%3Artmdet/a.py", "uriBaseId": "%SRCROOT%"}),
]


@pytest.mark.filterwarnings("ignore:pathlib.PurePath.as_uri:DeprecationWarning")
@pytest.mark.parametrize(("file", "artifact"), URIS)
def test_uris_of_sarif(
    file: str, artifact: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "Path", PureWindowsPath)
    assert sarif._artifact(file) == artifact
