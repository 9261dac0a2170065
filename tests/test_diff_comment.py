"""The action's comment: its step as GitHub runs it, on a shallow clone, with a ``gh`` that keeps comments in a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

ACTION = ROOT / ".github/actions/optplan"
CONFIG = "optimizer = dict(type='SGD', lr={}, weight_decay=0.1)\n"
# Pages of a list stand one after another; what is refused ends with 1, as gh does.
GH = """#!{python}
import json, os, pathlib, sys
path = pathlib.Path(os.environ["COMMENTS"])
comments = json.loads(path.read_text())
words = sys.argv[1:]
if os.environ.get("REFUSE") in words:
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
if "--paginate" in words:
    assert words == ["api", "--paginate", "repos/o/r/issues/7/comments"], words
    print(json.dumps(comments[:1]) + "\\n" + json.dumps(comments[1:]), end="")
    sys.exit()
body = json.load(sys.stdin)["body"]
if "PATCH" in words:
    assert words[:4] == ["api", "--method", "PATCH", words[3]], words
    (comment,) = [one for one in comments if words[3].endswith("/issues/comments/%d" % one["id"])]
    comment["body"] = body
else:
    assert words == ["api", "--method", "POST", "repos/o/r/issues/7/comments", "--input", "-"], words
    comments.append({{"id": 100 + len(comments), "user": {{"type": "Bot"}}, "body": body}})
path.write_text(json.dumps(comments))
"""
FOREIGN: list[dict[str, Any]] = [
    {"id": 1, "user": {"type": "User"}, "body": "<!-- optplan: diff of plans -->\nmine"},
    {"id": 2, "user": {"type": "Bot"}, "body": "of another action"},
]


@dataclass
class Pull:
    """A pull request that is checked out, and what the action made of it."""

    folder: Path
    base: str
    env: dict[str, str]

    def step(self, diff: str, **more: str) -> subprocess.CompletedProcess[str]:
        action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
        (step,) = [one for one in action["runs"]["steps"] if one.get("name") == "Compare plans"]
        assert step["if"] == "inputs.diff != '' && github.event_name == 'pull_request'"
        given = {"DIFF": diff, "MODEL": "resnet18", "BASE": self.base, "REPOSITORY": "o/r"}
        given |= {"NUMBER": "7", "GH_TOKEN": "none", "HERE": str(ACTION)}
        assert step["env"].keys() == given.keys()
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            env={**self.env, **given, **more},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(Path(self.env["COMMENTS"]).read_text())
        return found

    @property
    def summary(self) -> str:
        return Path(self.env["GITHUB_STEP_SUMMARY"]).read_text()


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", *named, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    origin = tmp_path / "origin"
    (origin / "configs").mkdir(parents=True)
    git(origin, "init", "-q")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    for name in ("a", "b"):
        (origin / f"configs/{name}.py").write_text(CONFIG.format(0.1))
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "base")
    base = git(origin, "rev-parse", "HEAD")
    (origin / "configs/a.py").write_text(CONFIG.format(0.2))
    (origin / "configs/new.py").write_text(CONFIG.format(0.3))
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "head")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin}", "work")
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text(GH.format(python=sys.executable))
    gh.chmod(0o755)
    comments = tmp_path / "comments.json"
    comments.write_text(json.dumps(FOREIGN))
    path = f"{gh.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COMMENTS": str(comments), "COLUMNS": "80"}
    env["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    return Pull(folder=tmp_path / "work", base=base, env=env)


def test_one_comment_is_kept_up_to_date(pull: Pull) -> None:
    done = pull.step("configs/*.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    *others, own = pull.comments
    assert others == FOREIGN
    first = own["body"]
    assert first.startswith(
        "<!-- optplan: diff of plans -->\n### Learning rates and weight decay\n"
    )
    assert "| `lr` | `0.1` | `0.2` | 62 parameters with it |" in first
    assert "`configs/new.py` could not be compared:\n\n```\nerror: " in first
    assert "configs/b.py" not in first
    assert "| `0.1` | `0.2` |" in pull.summary

    (pull.folder / "configs/a.py").write_text(CONFIG.format(0.4))
    assert pull.step("configs/a.py configs/b.py").returncode == 0
    *others, again = pull.comments
    assert (others, again["id"]) == (FOREIGN, own["id"])
    assert "| `0.1` | `0.4` |" in again["body"]
    assert "0.2" not in again["body"]

    (pull.folder / "configs/a.py").write_text(CONFIG.format(0.1))
    assert pull.step("configs/a.py").returncode == 0
    assert pull.comments[-1]["body"].endswith("\n\nNo plan changes.")
    assert len(pull.comments) == 3


def test_nothing_is_said_where_nothing_changes(pull: Pull) -> None:
    assert pull.step("configs/b.py").returncode == 0
    assert pull.comments == FOREIGN
    assert pull.summary == "No plan changes.\n"


@pytest.mark.parametrize("refused", ["--paginate", "POST"])
def test_a_fork_may_not_comment(refused: str, pull: Pull) -> None:
    done = pull.step("configs/a.py", REFUSE=refused)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("::warning::the comment could not be written: gh: Resource not")
    assert "| `0.1` | `0.2` |" in pull.summary


def test_an_option_is_no_config(pull: Pull) -> None:
    done = pull.step("--trust")
    assert done.returncode == 1
    assert "'--trust' is no config" in done.stderr
    assert pull.comments == FOREIGN
