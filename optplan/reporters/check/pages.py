"""The checks' pages, for a terminal of 80 columns."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from optplan.checks.base import Check
from optplan.names import Severity
from optplan.reporters.formats.terminal import Cell, Column, paint, table
from optplan.reporters.words import plural

WIDTH = 80
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_COLUMNS = (Column(), Column(), Column(), Column(), Column())


def page_of(check: Check) -> str:
    """A check's page as it is written."""
    return inspect.cleandoc(check.__doc__ or "")


def check_pages(checks: Iterable[Check], *, color: bool) -> str:
    """The pages of some checks, one after another."""
    return "\n\n".join("\n".join(_page(check, color)) for check in checks) + "\n"


def _page(check: Check, color: bool) -> Iterator[str]:
    severity = check.severity
    head = paint(Cell(f"{check.code} {check.name}", "bold"), color)
    yield f"{head}   {paint(Cell(severity.value, _STYLES[severity]), color)}"
    facts = [fact for fact, holds in _facts(check) if holds]
    if facts:
        yield f"{'. '.join(facts)}."
    for block in re.split(r"\n{2,}", page_of(check)):
        yield ""
        yield from _block(block)


def _facts(check: Check) -> tuple[tuple[str, bool], ...]:
    return (
        ("Needs a model (--model)", check.needs_plan),
        (f"Opt-in (--select {check.code})", check.opt_in),
    )


def _block(block: str) -> list[str]:
    """A paragraph, wrapped anew; an indented block as it stands."""
    if block.startswith(" "):
        return block.split("\n")
    text = re.sub(r"``(.*?)``", r"`\1`", " ".join(block.split()))
    return wrap(re.sub(r"::$", ":", text), WIDTH, break_long_words=False, break_on_hyphens=False)


def check_list(checks: Sequence[Check], *, width: int | None, color: bool) -> str:
    """A line for each check."""
    head = tuple(Cell(word, "dim") for word in ("code", "name", "severity", "needs", ""))
    rows = [
        (
            Cell(check.code, "bold"),
            Cell(check.name),
            Cell(check.severity.value, _STYLES[check.severity]),
            Cell("model" if check.needs_plan else ""),
            Cell("opt-in" if check.opt_in else "", "dim"),
        )
        for check in checks
    ]
    lines = table(_COLUMNS, [head, *rows], width=width, color=color)
    return "\n".join([*lines, "", f" {plural(len(checks), 'check')}"]) + "\n"


def checks_json(checks: Iterable[Check]) -> str:
    """The checks as ``schemas/rule-1.0.schema.json`` describes them."""
    data = [
        {
            "code": check.code,
            "name": check.name,
            "severity": check.severity.value,
            "opt_in": check.opt_in,
            "needs_model": check.needs_plan,
            "page": page_of(check),
        }
        for check in checks
    ]
    return json.dumps({"format_version": "1.0", "checks": data}, indent=1) + "\n"
