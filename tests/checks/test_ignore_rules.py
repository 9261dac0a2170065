"""What git ignores and what ``exclude`` names is left out of folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optplan.checks.discovery import discover
from optplan.checks.ignore_rules import GitIgnore
from tests.checks.conftest import Check, config
from tests.checks.test_settings import codes

Write = Callable[..., Path]
TREE = ("a.py", "b.py", "ab.py", "a/a.py", "a/b/a.py", "a/b/b.py", "b/a.py", "b/a/ab.py", "[a].py")
GIT = shutil.which("git")

PIECES = (
    "a",
    "b",
    "ab",
    "*",
    "**",
    "?",
    "a*",
    "*.py",
    "a.py",
    "[ab]",
    "[!a].py",
    "[ab]*",
    r"\*",
    "*b*",
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with files, whose ``.gitignore`` the test writes."""
    folder = tmp_path_factory.mktemp("tree").resolve()
    for name in TREE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert GIT is not None
    subprocess.run([GIT, "init", "-q", str(folder)], check=True)
    return folder


def ignored_by_git(folder: Path) -> set[str]:
    assert GIT is not None
    command = [GIT, "-C", str(folder), "check-ignore", "--no-index", *TREE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.splitlines())


@st.composite
def patterns(draw: st.DrawFn) -> str:
    body = "/".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3)))
    return f"{draw(st.sampled_from(('', '', '!')))}{draw(st.sampled_from(('', '/')))}{body}{draw(st.sampled_from(('', '', '/')))}"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(outer=st.lists(patterns(), max_size=4), inner=st.lists(patterns(), max_size=2))
def test_as_git_does(outer: list[str], inner: list[str], tree: Path) -> None:
    (tree / ".gitignore").write_text("\n".join(outer))
    (tree / "a" / ".gitignore").write_text("\n".join(inner))
    rules = GitIgnore()
    found = {name for name in TREE if rules.ignores(str(tree / name), is_folder=False)}
    assert found == ignored_by_git(tree)


@pytest.mark.parametrize(
    "lines",
    [
        ["# comment", "", "*.py", "!a/"],
        ["a/*", "!a/b"],
        ["a", "!a/a.py"],
        ["/*.py  ", r"\#", r"\!a"],
        ["**/b", "!b"],
        ["a/**/b.py"],
        ["/"],
    ],
)
def test_as_git_does_for_known_cases(lines: list[str], tree: Path) -> None:
    (tree / ".gitignore").write_text("\n".join(lines))
    (tree / "a" / ".gitignore").write_text("")
    rules = GitIgnore()
    found = {name for name in TREE if rules.ignores(str(tree / name), is_folder=False)}
    assert found == ignored_by_git(tree)


def found_in(*words: str) -> list[str]:
    return [one.path for one in discover(words).candidates]


def test_folders_and_globs_leave_out_what_git_ignores(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "made/b.py", "sub/c.py", "sub/d.py", "sub/made/e.py"):
        write(name)
    write(".gitignore", "made/\n")
    write("sub/.gitignore", "d.*\n")
    assert len(found_in(".")) == 5  # no repository
    write(".git/HEAD")
    write(".git/info/exclude", "c.py\n")
    assert found_in(".") == ["a.py"]
    assert found_in("**/*.py") == ["a.py"]
    # what is named is asked for
    assert found_in("sub/d.py") == ["sub/d.py"]
    assert found_in("made") == ["made/b.py"]
    # and a repository inside is one of its own
    write("sub/.git", "gitdir: elsewhere\n")
    assert found_in("sub") == ["sub/c.py", "sub/made/e.py"]


def test_hostile_patterns_take_no_time(tmp_path: Path, write: Write) -> None:
    write(".git/HEAD")
    write(".gitignore", "\n".join(["a*" * 40 + "c", "**/" * 40 + "z", "[" * 500, "!" * 500]))
    write("a" * 200 + "b.py")
    assert [one.path for one in discover([str(tmp_path)]).candidates] == [
        str(tmp_path / ("a" * 200 + "b.py"))
    ]


def test_exclude(write: Write, check: Check) -> None:
    write("pyproject.toml", "[tool.optplan]\nexclude = ['old/', '*.gen.py', '!keep.gen.py']\n")
    for name in ("a.py", "old/b.py", "x/old/c.py", "x/d.gen.py", "x/keep.gen.py"):
        write(name, config("bad"))
    assert codes(check(".").stdout) == ["a.py OPT107", "x/keep.gen.py OPT107"]
    assert codes(check("old/b.py").stdout) == ["old/b.py OPT107"]
    nothing = check("old")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert nothing.stderr.startswith("error: there is no config to check: all files are excluded\n")


def test_optplan_toml(write: Write, check: Check) -> None:
    write("pyproject.toml", "[tool.optplan]\nignore = ['OPT107']\n")
    write("in/optplan.toml", "fail-on = 'info'\n[[expect]]\nparameters = '*'\nlr = 1\n")
    write("a.py", config("bad"))
    write("in/a.py", config("bad"))
    assert codes(check(".").stdout) == ["in/a.py OPT107"]
    shown = check("in/a.py", "--show-settings").stdout
    assert shown.startswith("# in/optplan.toml\n")
    assert 'fail-on = "info"' in shown
    # of two in one folder, the one that is optplan's alone
    write("optplan.toml", "select = ['OPT1']\n")
    assert codes(check("a.py").stdout) == ["a.py OPT107"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []\n", "optplan.toml:1:1: optplan.toml has no entry 'selct'"),
        ("[[expect]]\nrule = 'norm'\n", "optplan.toml:1:1: [[expect]] expects nothing"),
        ("jobs = -1\n", "optplan.toml:1:1: jobs of optplan.toml must be a whole number, got -1"),
        (
            "[targets]\n",
            "optplan.toml:1:2: targets of optplan.toml must be written as [[targets]], got {}",
        ),
    ],
)
def test_mistakes_in_optplan_toml(text: str, message: str, write: Write, check: Check) -> None:
    write("optplan.toml", text)
    write("a.py", config("bad"))
    done = check("a.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")


def test_a_file_for_all_and_none(write: Write, check: Check) -> None:
    write("pyproject.toml", "[tool.optplan]\nselect = ['OPT102']\n")
    write("ci/strict.toml", "fail-on = 'info'\nselect = ['OPT107']\n")
    write("ci/pyproject.toml", "[tool.black]\n")
    write("in/pyproject.toml", "[tool.optplan]\nignore = ['OPT107']\n")
    write("in/a.py", config("bad_i"))
    assert check("in/a.py").returncode == 0
    strict = check("in/a.py", "--config", "ci/strict.toml")
    assert (strict.returncode, codes(strict.stdout)) == (1, ["in/a.py OPT107"])
    alone = check("in/a.py", "--isolated")
    assert (alone.returncode, codes(alone.stdout)) == (0, ["in/a.py OPT107"])
    for name, what in (("none.toml", "such file"), ("ci/pyproject.toml", "[tool.optplan] in it")):
        done = check("in/a.py", "--config", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: --config {name}: there is no {what}\n")
    both = check("in/a.py", "--isolated", "--config", "ci/strict.toml")
    assert (both.returncode, both.stdout) == (2, "")


def test_baseline_and_jobs_of_the_project(write: Write, check: Check, tmp_path: Path) -> None:
    write("in/pyproject.toml", "[tool.optplan]\nbaseline = 'ci/known.json'\njobs = 2\n")
    write("in/a.py", config("bad"))
    write("in/ci/known.json")
    words = ("a.py", "--config", "in/pyproject.toml")
    write("a.py", config("bad"))
    assert check(*words, "--write-baseline").returncode == 0
    assert '"../../a.py"' in (tmp_path / "in/ci/known.json").read_text()
    assert check(*words).returncode == 0
    write("a.py", config("bad", "bad2"))
    assert check(*words).returncode == 1
    shown = check("a.py", "--config", "in/pyproject.toml", "--show-settings").stdout
    assert 'baseline = "in/ci/known.json"\njobs = 2\n' in shown


def test_stdin(write: Write, tmp_path: Path) -> None:
    write("in/base.py", config("bad"))

    def run(text: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.checks.command", "check", "-", *words]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), ""])}
        return subprocess.run(
            command, cwd=tmp_path, env=env, input=text, capture_output=True, text=True, check=False
        )

    done = run("_base_ = 'base.py'\n", "--stdin-filename", "in/a.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert codes(done.stdout) == ["in/base.py OPT107"]
    data = run("optimizer: {type: SGD, lr: 0.1, typo: [}\n", "--stdin-filename", "a.yaml")
    assert (data.returncode, codes(data.stdout)) == (1, ["a.yaml OPT004"])
