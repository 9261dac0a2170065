"""The page on ``verify`` for readers: its tables, as the tests make them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.conftest import ROOT
from tests.verify.sabotage.kind import Kind

PAGE = ROOT / ".github/docs/verify.md"


def section(name: str) -> str:
    """Return the table that the page has under a name."""
    return _pattern(name).search(PAGE.read_text(encoding="utf-8"))["table"]  # type: ignore[index]


def write(name: str, table: str) -> None:
    """Put a table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    written = _pattern(name).sub(lambda found: f"{found['head']}{table}{found['tail']}", text)
    PAGE.write_text(written, encoding="utf-8")


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?s)(?P<head><!-- {name} -->\n\n)(?P<table>.*?)(?P<tail>\n<!-- end -->)")


def kinds_table(kinds: Iterable[Kind]) -> str:
    """Return the kinds of sabotage, each with what the report must name."""
    rows = [
        f"| `{kind.target}` | {kind.meaning} | {', '.join(kind.names)} |\n"
        for kind in sorted(kinds, key=lambda kind: (kind.target, kind.meaning))
    ]
    return "| kind | what is wrong | what is named |\n| --- | --- | --- |\n" + "".join(rows)


def sweep_table(outcomes: Mapping[str, str]) -> str:
    """Return the optimizers of a package by their outcome."""
    by_outcome: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        by_outcome.setdefault(outcome, []).append(name)
    rows = [
        f"| {outcome} | {len(names)} | {', '.join(names)} |\n"
        for outcome, names in sorted(by_outcome.items())
    ]
    return "| outcome | | optimizers |\n| --- | --- | --- |\n" + "".join(rows)


def short(outcome: str) -> str:
    """Return how a verification ended, without counts that depend on the run."""
    first = outcome.partition(";")[0]
    if first.startswith("matches as far"):
        wrapper = re.search(r"what \w+ does around its optimizer", first)
        return "matches; its own step around another's was not looked at" if wrapper else IN_PART
    return first.partition(":")[0] if first.startswith("matches") else first


IN_PART = "matches as far as checked; some parameters were not checked, with the reason"
