"""What a release names is there: version, changelog, tags of the examples, the workflow's own checks."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

import optplan
from tests.conftest import ROOT

TAG = f"v{optplan.__version__}"
WORKFLOW: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
)


def test_the_changelog_has_the_version_below_what_is_unreleased() -> None:
    headings = re.findall(
        r"^## (.+)$", (ROOT / "optplan/CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(optplan.__version__)} \(\d{{4}}-\d\d-\d\d\)", headings[1])


def test_examples_name_the_tag_of_this_version() -> None:
    page = (ROOT / ".github" / "docs" / "ci.md").read_text("utf-8")
    hook = re.search(r"repo: https://github.com/optplan/optplan\n +rev: (\S+)", page)
    action = re.search(r"uses: optplan/optplan/(\S+)@(\S+)", page)
    assert hook
    assert action
    assert (hook[1], action[2]) == (TAG, TAG)
    assert (ROOT / action[1] / "action.yml").is_file()
    (declared,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert f"- id: {declared['id']}\n" in page


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(("tag", "is_right"), [(TAG, True), ("v0.0.9", False), ("0.2.0", False)])
def test_the_workflow_refuses_another_tag(tag: str, is_right: bool) -> None:
    step = next(one for one in WORKFLOW["jobs"]["build"]["steps"] if "tag" in one.get("name", ""))
    environment = {"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": tag}
    done = subprocess.run(["bash", "-ec", step["run"]], cwd=ROOT, env=environment, check=False)
    assert (done.returncode == 0) is is_right


def test_nothing_is_published_that_was_not_tried_on_each_system() -> None:
    jobs = WORKFLOW["jobs"]
    assert jobs["publish"]["needs"] == ["build", "try"]
    assert jobs["publish"]["if"] == "github.ref_type == 'tag'"
    matrix = jobs["try"]["strategy"]["matrix"]
    assert [one.partition("-")[0] for one in matrix["os"]] == ["ubuntu", "macos", "windows"]
    classifiers = (ROOT / "pyproject.toml").read_text("utf-8")
    named = re.findall(r"Python :: (3\.\d+)", classifiers)
    assert named
    assert set(named) <= {*matrix["python"]}
