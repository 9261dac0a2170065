"""The options of ``optplan check`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from optplan.cli.options import check_codes
from optplan.names import Severity


class CheckFormat(StrEnum):
    """The formats of ``check``."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    MD = "md"
    CONCISE = "concise"
    GITLAB = "gitlab"
    RDJSON = "rdjson"


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options that say which checks run, and what becomes of their findings."""

    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model", help="Build no models, for speed: only the checks that need none."
        ),
    ] = False
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="CODES",
            help="Only these checks: 'OPT1,OPT203'.",
            autocompletion=check_codes,
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="CODES", help="Not these checks.", autocompletion=check_codes
        ),
    ] = None
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="The least severity that fails.  [default: error]"),
    ] = None
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")
    ] = False
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Findings that are known today."),
    ] = None
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline.")
    ] = False
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend what is certain, in the files that are named."),
    ] = False
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Show what --fix would change, and write nothing."),
    ] = False
    watch: Annotated[
        bool,
        typer.Option("--watch", "-w", help="Check again whenever a file changes, until Ctrl-C."),
    ] = False
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, metavar="N", help="Processes to check in.  [default: 1]"
        ),
    ] = None
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The tool's configuration, instead of those that are found.",
        ),
    ] = None
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Read no pyproject.toml and no optplan.toml.")
    ] = False
    stdin_filename: Annotated[
        str,
        typer.Option(
            "--stdin-filename",
            metavar="FILE",
            help="What the config that '-' reads from stdin is called.",
        ),
    ] = "stdin.py"
    show_settings: Annotated[
        bool,
        typer.Option(
            "--show-settings", help="Show the tool's configuration that applies, and stop."
        ),
    ] = False
    statistics: Annotated[
        bool,
        typer.Option("--statistics", help="Count the findings of each check, as text or JSON."),
    ] = False
    output_format: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="The report's format.")
    ] = CheckFormat.TEXT
