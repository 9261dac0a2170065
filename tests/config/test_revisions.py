"""Configs of a git revision: read as they stood, with their bases, and nothing else touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from optplan.config import place_of
from optplan.config.revisions import load_revision, names_revision
from optplan.errors import ConfigError


def git(*arguments: str, cwd: Path) -> None:
    identity = {"AUTHOR": "COMMITTER", "COMMITTER": "AUTHOR"}
    names = {f"GIT_{who}_{what}": "a@b" for who in identity for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **names}, check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits; the first one's tag is ``v1``, and the work tree has changed since."""
    top = tmp_path / "top"
    (top / "configs" / "net").mkdir(parents=True)
    (top / "base").mkdir()
    (top / "base" / "sgd.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    config = top / "configs" / "net" / "a.py"
    config.write_text("_base_ = '../../base/sgd.py'\noptimizer = dict(momentum=0.9)\n")
    (top / "configs" / "net" / "link.py").symlink_to("a.py")
    (top / "configs" / "up.py").write_text("_base_ = '../../../secret.py'\n")
    (top / "configs" / "wrong.py").write_text("a = 1\nb = (\n")
    (top / "configs" / "no_base.py").write_text("_base_ = 'gone.py'\n")
    (tmp_path / "secret.py").write_text("a = 1\n")
    git("init", "-q", cwd=top)
    git("add", ".", cwd=top)
    git("commit", "-qm", "fix: the decay", cwd=top)
    git("tag", "v1", cwd=top)
    (top / "base" / "sgd.py").write_text("optimizer = dict(type='SGD', lr=0.2)\n")
    git("commit", "-qam", "another", cwd=top)
    config.write_text("this is no config")
    (top / "base" / "sgd.py").unlink()
    monkeypatch.chdir(top)
    return top


@pytest.mark.parametrize(
    ("spec", "lr"),
    [
        ("HEAD:configs/net/a.py", 0.2),
        ("HEAD~1:configs/net/a.py", 0.1),
        ("v1:configs/../configs/net/a.py", 0.1),
        ("HEAD^{/fix: the}:configs/net/a.py", 0.1),
        ("v1:configs/net/link.py", 0.1),
        ("v1:./configs/net/a.py", 0.1),
    ],
)
@pytest.mark.usefixtures("repository")
def test_read_as_it_stood(spec: str, lr: float) -> None:
    config = load_revision(spec)
    assert config.to_dict() == {"optimizer": {"type": "SGD", "lr": lr, "momentum": 0.9}}


def test_relative_to_the_current_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "configs")
    assert load_revision("v1:./net/a.py").data["optimizer"]["lr"] == 0.1
    assert load_revision("v1:../base/sgd.py").data["optimizer"]["lr"] == 0.1
    assert load_revision("v1:base/sgd.py").data["optimizer"]["lr"] == 0.1


@pytest.mark.usefixtures("repository")
def test_places() -> None:
    config = load_revision("v1:configs/net/a.py")
    assert str(place_of(config.data["optimizer"], "momentum")) == "v1:/configs/net/a.py:2:18"
    place = place_of(config.data["optimizer"], "lr")
    assert place is not None
    assert (str(place), place.source.name) == ("v1:/base/sgd.py:1:30", "../../base/sgd.py")
    assert config.entry.name == "a.py"


def test_nothing_is_touched(repository: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*")}
    load_revision("v1:configs/net/a.py")
    assert {path: path.stat().st_mtime_ns for path in repository.rglob("*")} == before


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("v2:base/sgd.py", "there is no revision 'v2' for 'v2:base/sgd.py'"),
        ("--output=x:base/sgd.py", "there is no revision '--output=x'"),
        ("v1^{tree}:base/sgd.py", r"there is no revision 'v1\^{tree}'"),
        (
            "v1:nope.py",
            r"'nope.py' is not a file in the revision 'v1' \(list its files with: git ls-tree",
        ),
        ("v1:base", "'base' is not a file in the revision 'v1'"),
        ("v1:a\nb.py", "is not a file in the revision 'v1'"),
        ("v1:../secret.py", "'v1:../secret.py' is outside of the repository"),
        ("v1:..", "is outside of the repository"),
        ("v1:/etc/passwd", "'v1:/etc/passwd' is outside of the repository"),
        ("v1:configs/up.py", r"the base config '\.\./secret.py': it is outside of the repository"),
        ("v1:configs/wrong.py", "v1:/configs/wrong.py:2:5: "),
        (
            "v1:configs/no_base.py",
            "v1:/configs/no_base.py:1:10: the base config 'v1:/configs/gone.py'",
        ),
    ],
)
@pytest.mark.usefixtures("repository")
def test_failures(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_revision(spec)


def test_meant_from_the_current_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "configs")
    with pytest.raises(ConfigError, match=r"did you mean 'v1:\./net/a\.py'\?"):
        load_revision("v1:net/a.py")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigError, match=r"no file 'HEAD:a.py', nor a git repository with it"):
        load_revision("HEAD:a.py")


@pytest.mark.usefixtures("repository")
def test_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="git is not installed"):
        load_revision("v1:base/sgd.py")


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("HEAD:a.py", True),
        ("origin/main~3:a/b.py", True),
        ("main^{/a: b}:c.py", True),
        ("HEAD", False),
        (":a.py", False),
        ("HEAD:", False),
        ("package::a.py", False),
        ("a\0:b", False),
    ],
)
def test_form(spec: str, answer: bool) -> None:
    assert names_revision(spec) is answer
