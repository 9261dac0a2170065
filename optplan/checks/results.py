"""Hold what checking gives: plain data, free of configs, so that it passes between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from optplan.checks.base import Finding, FindingData
from optplan.checks.paths import shown_path
from optplan.checks.suppression import Comment
from optplan.config.replacements import Replacement
from optplan.names import Severity
from optplan.places import Place

Order = tuple[str, int, int, str, str, str, str, tuple[str, ...]]
_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLocation:
    """Where something is written, without the file that it is written in.

    Args:
        file: The file, relative to the current folder where it is below that.
        line: The line from 1; 0 for the file as a whole.
        column: The column from 1, in characters.
        text: The line itself.
    """

    file: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(FindingData):
    """A finding, where it is written, and the configs that it affects."""

    location: FindingLocation
    configs: tuple[str, ...]
    replacement: Replacement | None = None

    @property
    def order(self) -> Order:
        """What makes findings of several configs one, and what they are sorted by: place, then text."""
        location = self.location
        place = (location.file, location.line, location.column)
        return (*place, self.code, self.key, self.message, self.hint or "", self.parameters)


class FileKind(StrEnum):
    """What a file turned out to be."""

    CONFIG = "config"
    PART = "no optimizer"
    OTHER = "no config"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedConfig:
    """What checking one file gave.

    Args:
        config: The file.
        tool_config: The index of the tool configuration that applies to it.
        kind: What it is; what is no config has no findings.
        has_model: Whether there was a model to plan for.
        ran: The codes of the checks that ran to their end.
        findings: Everything found, before any suppression.
        comments: The suppressions in it and in its bases.
        group_keys: The fields of its custom keys.
        crash: What went wrong inside optplan.
        remark: Why it was checked without its own model, where that is there and cannot be built.
        is_doubtful: Whether code was stopped that this config may not have named: one checked before it in the
            same process may have left it there.
        generation: The generation of OpenMMLab's trainers whose rules it was checked by.
        files: The files that it was read from.
        plan: A digest of its plan, where fixes are to be proved.
        known_as: What a file is that is no config, where that is known.
    """

    config: str
    tool_config: int
    kind: FileKind
    has_model: bool = False
    ran: frozenset[str] = frozenset()
    findings: tuple[Reported, ...] = ()
    comments: tuple[Comment, ...] = ()
    group_keys: frozenset[str] = frozenset()
    crash: str | None = None
    remark: str | None = None
    is_doubtful: bool = False
    generation: str | None = None
    files: tuple[str, ...] = ()
    plan: str | None = None
    known_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """All that reporters need.

    Args:
        findings: What was found and not suppressed, sorted, each once.
        configs: The configs that were checked.
        parts: How many files define no optimizer.
        others: How many files are no configs at all, and of no kind that is known.
        known: How many files are of each kind that is known and not read, as those of other trainers.
        checks: The codes of the checks that were selected.
        left_out: Those of them that need a model and had none for some config.
        without_model: How many configs had no model.
        suppressed: How many findings were suppressed.
        crashes: What went wrong inside optplan.
        generations: How many configs were checked by the rules of each of OpenMMLab's trainers.
    """

    findings: tuple[Reported, ...]
    configs: tuple[str, ...]
    parts: int = 0
    others: int = 0
    known: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    without_model: int = 0
    suppressed: int = 0
    crashes: tuple[str, ...] = field(default=())
    generations: Mapping[str, int] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """Return how many findings are of one severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def affected(self) -> int:
        """How many configs have findings."""
        return len(set(self.configs) & {c for found in self.findings for c in found.configs})


def reaches(severity: Severity, least: Severity) -> bool:
    """Return whether a severity is at least as bad as another."""
    return _WORST_FIRST.index(severity) <= _WORST_FIRST.index(least)


def worst(first: Severity, second: Severity) -> Severity:
    """Return the worse of two severities."""
    return first if reaches(first, second) else second


def location_of(place: Place) -> FindingLocation:
    """Return a place without its file."""
    source = place.source
    return FindingLocation(
        file=shown_path(source.path) if source.path else source.name,
        line=place.line,
        column=place.column if place.line else 0,
        text=source.line(place.line),
    )


def reported(finding: Finding, config: str) -> Reported:
    """Return a finding of one config as plain data; what has no place stands at the config itself."""
    place = finding.place
    location = location_of(place) if place is not None else FindingLocation(file=config)
    found = {one.name: getattr(finding, one.name) for one in fields(FindingData)}
    return Reported(**found, location=location, configs=(config,))
