"""README and pages: each command whose files are here runs, each link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT, Invoke

DOCS = ROOT / ".github" / "docs"
PAGES = [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md")), *sorted(DOCS.glob("*.md"))]
_COMMAND = re.compile(r"^(?:\$ )?(?:.*&& )?optplan (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)$", re.MULTILINE)
_HOME = re.compile(
    r"https://(?:github|raw\.githubusercontent)\.com/optplan/optplan/(?:blob/)?main/"
)


def commands() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text()):
            found |= {c: page for c in _COMMAND.findall(block) if "sample_configs/" in c}
    return found


def test_there_are_commands() -> None:
    assert len(commands()) >= 8


@pytest.mark.parametrize("command", commands())
def test_a_command_runs_as_it_is_written(command: str, invoke: Invoke) -> None:
    done = invoke(*shlex.split(command))
    assert done.returncode == command.startswith("diff "), done.stderr  # whose examples differ
    assert done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for first, second in _LINK.findall(page.read_text()):
        link = first or second
        if (inside := _HOME.sub("", link)) != link:
            target = ROOT / inside
        elif "://" in link:
            continue
        else:
            target = page.parent / link.partition("#")[0]
        assert target.exists(), f"{page.name}: {link}"


def test_the_readme_is_short_and_its_links_work_on_the_package_page() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.encode()) <= 12_000
    assert all("://" in (first or second) for first, second in _LINK.findall(text))
