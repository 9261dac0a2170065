"""Files of other trainers that optplan does not read: it says what they are, why it seems so, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optplan.config.recognition import Recognition
from optplan.dialects.foreign.kinds import Kind, Script, kind_of, script_of
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of
from optplan.errors import ConfigError, Problem, listed
from optplan.places import Place
from optplan.places import Source as File

if TYPE_CHECKING:
    from optplan.config import Config, OptimizerConfig
    from optplan.constructors.group_builders import GroupBuilder

_MOST_TEXT = 1 << 20
_MOST_SIGNS = 4


class Foreign(Dialect):
    """Files that are known by their entries alone."""

    name = "foreign"
    title = "another trainer"

    def recognize(self, data: Entries) -> Recognition | None:
        found = kind_of(data)
        if found is None:
            return None
        kind, signs = found
        return Recognition(dialect=self.name, title=kind.title, because=signs)

    def passes_over(self, data: Entries) -> str | None:
        found = kind_of(data)
        return found[0].title if found else None

    def seems(self, path: str) -> str | None:
        found = _of_text(path)
        return found[0].title if found else None

    def meant(self, word: str) -> ConfigError | None:
        found = _of_text(word)
        return refusal(*found, word) if found else None

    def section_names(self, config: Config) -> list[str]:
        raise self._refusal(config)

    def read(self, config: Source) -> OptimizerConfig:
        raise self._refusal(config)

    def model(self, config: Config) -> Any:
        return None

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        raise self._refusal(request.config)

    def _refusal(self, config: Source) -> ConfigError:
        data = entries_of(config)
        found = kind_of(data)
        assert found is not None
        path = getattr(getattr(config, "entry", None), "path", None)
        return refusal(*found, data, path)


def refusal(
    kind: Kind | Script, signs: tuple[str, ...], data: Entries, path: str | None
) -> ConfigError:
    """Return what a file is, why it seems so, and what to do.

    Args:
        kind: Its kind.
        signs: What tells it.
        data: Its entries.
        path: The file, where there is one.
    """
    why = listed(signs, most=_MOST_SIGNS)
    place = Place(File(name=Path(path).name, path=path), 0, 0) if path else None
    remedy = kind.remedy if isinstance(kind, Kind) else ""
    if kind.function is None:
        problem = Problem(message=f"it is {kind.title} ({why})", place=place, hint=remedy)
        return ConfigError([problem])
    problem = Problem(
        message=f"it is a file of {kind.title} ({why}), which optplan does not read",
        place=place,
        hint="write this into a file, and name it: optplan show FILE.py:make_optimizer --model MODEL",
        code=kind.function.lines(data, path or "FILE"),
    )
    return ConfigError([problem])


def _of_text(path: str) -> tuple[Kind | Script, tuple[str, ...], Mapping[str, Any]] | None:
    """Return the kind of a file that is no config as it stands, with what tells it and its entries."""
    file = Path(path)
    if "\0" in path or file.suffix not in {".py", ".yaml", ".yml"} or not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            text = opened.read(_MOST_TEXT)
    except OSError:
        return None
    if file.suffix == ".py":
        script = script_of(text)
        return (*script, {}) if script else None
    from optplan.config.files.yaml_files import read_bare

    data = read_bare(text)
    if not isinstance(data, dict):
        return None
    found = kind_of(data)
    return (*found, data) if found else None
