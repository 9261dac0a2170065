"""Baselines: the findings that are known today, by code, config and key, never by line number."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from optplan.checks.paths import is_in_package, relative_to, shown_path
from optplan.checks.results import FindingLocation
from optplan.errors import UsageError
from optplan.places import relative_path

FORMAT_VERSION = "1.0"


class BaselineEntry(NamedTuple):
    """One finding of one config."""

    code: str
    config: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A baseline, its configs named as reports name them.

    Args:
        file: The file, as reports call it.
        entries: What is known, each with the place it is written at.
    """

    file: str
    entries: Mapping[BaselineEntry, FindingLocation]


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: It cannot be read, or is none.
    """
    shown = shown_path(str(path))
    try:
        return parse_baseline(path.read_text("utf-8"), path)
    except FileNotFoundError:
        raise UsageError(
            f"there is no baseline {shown!r}", hint="--write-baseline makes it"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read the baseline {shown!r}: {error}") from None


def parse_baseline(text: str, path: Path) -> Baseline:
    """Return the baseline that a file's text holds.

    Raises:
        UsageError, ValueError: It holds none.
    """
    shown, folder = shown_path(str(path)), os.path.dirname(os.path.abspath(path))
    data = json.loads(text)
    return Baseline(file=shown, entries=dict(_entries(data, text, folder, shown)))


def _entries(
    data: object, text: str, folder: str, shown: str
) -> Iterable[tuple[BaselineEntry, FindingLocation]]:
    version = data.get("format_version") if isinstance(data, Mapping) else None
    if not isinstance(version, str) or not isinstance(data, Mapping):
        raise UsageError(f"{shown!r} is no baseline", hint="--write-baseline makes one")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise UsageError(f"{shown!r} is of format {version}, and this optplan reads 1.x")
    locations = _locations(text, shown)
    for at, item in enumerate(data.get("findings", [])):
        values = [
            item.get(name) if isinstance(item, Mapping) else None for name in BaselineEntry._fields
        ]
        if not all(isinstance(value, str) for value in values):
            raise UsageError(f"{shown!r}: finding {at + 1} needs a code, a config and a key")
        code, config, key = map(str, values)
        location = locations[at] if at < len(locations) else FindingLocation(file=shown)
        yield BaselineEntry(code, _below(config, folder), key), location


def _locations(text: str, shown: str) -> list[FindingLocation]:
    """Return where each entry begins; the writer puts each on a line of its own."""
    return [
        FindingLocation(file=shown, line=number, column=line.index('"code"') + 1, text=line)
        for number, line in enumerate(text.split("\n"), 1)
        if '"code"' in line
    ]


def _below(config: str, folder: str) -> str:
    return config if is_in_package(config) else shown_path(os.path.join(folder, config))


def baseline_text(entries: Iterable[BaselineEntry], path: Path) -> str:
    """Return a baseline as text, with an entry a line, sorted, so that changes to it read well.

    Args:
        entries: What is known, the configs named as reports name them.
        path: Where it will be written: configs are named relative to its folder.
    """
    folder = os.path.dirname(os.path.abspath(path))
    named = sorted(
        {
            BaselineEntry(code, config if is_in_package(config) else _from(config, folder), key)
            for code, config, key in entries
        }
    )
    lines = ",\n".join(f"  {json.dumps(entry._asdict(), ensure_ascii=False)}" for entry in named)
    findings = f"[\n{lines}\n ]" if lines else "[]"
    return f'{{\n "format_version": "{FORMAT_VERSION}",\n "findings": {findings}\n}}\n'


def _from(config: str, folder: str) -> str:
    inside = relative_to(config, folder)
    return relative_path(os.path.abspath(config), folder) if os.path.isabs(inside) else inside
