"""The tool's configuration of a project: ``[tool.optplan]`` of a pyproject.toml, or an optplan.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optplan.checks.expectations import Expectation
from optplan.checks.results import FindingLocation
from optplan.names import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model that configs are checked with.

    Args:
        model: As after ``--model``.
        arguments: For its factory.
        configs: Globs of the configs that it is for.
        location: Where it is written; None for the command line.
        project: The folder of the user's own project, whose files a model written there may name;
            None for the configuration of a folder that is only checked.
    """

    model: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    configs: tuple[str, ...] = ()
    location: FindingLocation | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """One code of one entry of ``per-config-ignores``."""

    glob: str
    code: str
    location: FindingLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One name of ``allow-group-keys``."""

    name: str
    location: FindingLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolConfig:
    """What the tool's configuration says.

    Args:
        file: The pyproject.toml or optplan.toml; None where there is none.
        folder: Its folder, which globs and a model's file are relative to.
        select, ignore: Prefixes of codes.
        fail_on: The least severity that makes the exit status 1.
        per_config_ignores: Codes that are not reported for some configs.
        allow_group_keys: Names that may stand in a custom key.
        targets: Models for configs.
        expectations: What must hold of plans.
        exclude: Patterns of files that are no configs, as in a ``.gitignore``.
        baseline: The file of the findings that are known.
        jobs: How many processes check.
    """

    file: str | None = None
    folder: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    per_config_ignores: tuple[Ignore, ...] = ()
    allow_group_keys: tuple[Allowed, ...] = ()
    targets: tuple[Target, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: str | None = None
    jobs: int | None = None
