"""Finds and reads the tool's configuration that applies to a config."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

from optplan.checks.base import Check
from optplan.checks.bounds import FORMS, Bound, parse_bound
from optplan.checks.expectations import DECAY_WORDS, Expectation
from optplan.checks.paths import is_in_package, shown_path
from optplan.checks.results import location_of
from optplan.checks.selection import prefix_problem, split_codes
from optplan.checks.tables import TomlTable
from optplan.checks.tool_config import Allowed, Ignore, Target, ToolConfig
from optplan.checks.tool_config_schema import BOUNDS, DEMANDS, EXPECT, SUBJECTS, TARGET, TOP
from optplan.config.files.file_reader import DISK, decoded
from optplan.config.files.toml_files import read_toml
from optplan.config.placed import File
from optplan.errors import ConfigError, Problem, UsageError
from optplan.names import Rule, Severity
from optplan.places import Place, Source, path_below
from optplan.plan.names.patterns import matcher

PYPROJECT = "pyproject.toml"
# The first that a folder has is taken.
FILES = ("optplan.toml", PYPROJECT)


class ToolConfigFinder:
    """Finds the tool's configuration of each folder: the nearest optplan.toml or ``[tool.optplan]``.

    As with ruff, the nearest to the config decides, and configurations are never merged; a config that
    has none above it takes that of the current folder.

    Args:
        checks: All checks there are, for the codes that are named.
        only: The one file to take for all configs.
        is_isolated: Take no file at all.
    """

    def __init__(
        self, checks: Iterable[Check], only: str | None = None, *, is_isolated: bool = False
    ) -> None:
        self._checks = tuple(checks)
        self._found: dict[str, ToolConfig | None] = {}
        if only is not None and is_isolated:
            raise UsageError("--config and --isolated exclude each other")
        self._only = only
        self._is_isolated = is_isolated
        self._here: ToolConfig | None = None

    def here(self) -> ToolConfig:
        """Return the configuration of the current folder.

        Raises:
            ConfigError: It is wrong.
            UsageError: The file that is named is not there, or holds none.
        """
        if self._here is None:
            if self._only is not None:
                self._here = self._named(self._only)
            else:
                found = None if self._is_isolated else self._above(os.getcwd())
                self._here = found or ToolConfig(folder=os.getcwd())
        return self._here

    def of(self, config: str) -> ToolConfig:
        """Return the configuration for a config.

        Raises:
            ConfigError, UsageError: As :meth:`here`.
        """
        if self._is_isolated or self._only is not None or is_in_package(config):
            return self.here()
        return self._above(os.path.dirname(os.path.abspath(config))) or self.here()

    def _named(self, path: str) -> ToolConfig:
        found = read_tool_config(os.path.expanduser(path), self._checks)
        if found is None:
            what = "[tool.optplan] in it" if os.path.exists(path) else "such file"
            raise UsageError(f"--config {path}: there is no {what}")
        return found

    def _above(self, folder: str) -> ToolConfig | None:
        if folder not in self._found:
            # only that of the current folder's project is the user's own word
            is_own = path_below(os.path.realpath(os.getcwd()), os.path.realpath(folder)) is not None
            paths = (os.path.join(folder, name) for name in FILES)
            found = (read_tool_config(path, self._checks, is_own=is_own) for path in paths)
            own = next((one for one in found if one is not None), None)
            parent = os.path.dirname(folder)
            self._found[folder] = own or (None if parent == folder else self._above(parent))
        return self._found[folder]


def read_tool_config(
    path: str, checks: tuple[Check, ...], *, is_own: bool = True
) -> ToolConfig | None:
    """Return the tool's configuration in one file.

    Args:
        path: A pyproject.toml, or a file with the entries of ``[tool.optplan]`` at its top.
        checks: All checks there are.
        is_own: Whether the models that it names are the user's own word.

    Returns:
        None where there is no such file, or nothing for optplan in a pyproject.toml.

    Raises:
        ConfigError: Every mistake in it.
    """
    source = _source(path)
    if source is None:
        return None
    is_pyproject = os.path.basename(path) == PYPROJECT
    if is_pyproject and "optplan" not in source.text:
        return None
    data = read_toml(File(source, "\n".join(source.lines)))
    problems: list[Problem] = []
    start = Place(source, 0, 0)
    table: TomlTable | None = TomlTable(data, "", start, problems)
    if is_pyproject:
        tool = data.get("tool", {})
        if not isinstance(tool, Mapping) or "optplan" not in tool:
            return None
        table = TomlTable(tool, "tool", start, problems).table("optplan")
    config = None if table is None else _tool_config(table, path, checks, is_own=is_own)
    if problems:
        raise ConfigError(sorted(problems, key=lambda p: p.place[1:] if p.place else (0, 0)))
    return config


def _source(path: str) -> Source | None:
    """Return a file's text; None where there is no such file.

    Raises:
        ConfigError: It cannot be read.
    """
    shown = Source(name=os.path.basename(path), path=shown_path(path))
    try:
        return replace(shown, text=decoded(DISK.read(path)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ConfigError as error:
        raise ConfigError(error.problems[0].message, place=Place(shown, 0, 0)) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"it cannot be read: {error}", place=Place(shown, 0, 0)) from None


def _tool_config(
    table: TomlTable, path: str, checks: tuple[Check, ...], *, is_own: bool
) -> ToolConfig:
    table.only(TOP)
    folder = os.path.dirname(os.path.abspath(path))
    return ToolConfig(
        file=shown_path(path),
        folder=folder,
        select=_codes(table, "select", checks),
        ignore=_codes(table, "ignore", checks),
        fail_on=table.choice("fail-on", Severity) or Severity.ERROR,
        per_config_ignores=_ignores(table.table("per-config-ignores"), checks),
        allow_group_keys=tuple(
            Allowed(name=name, location=location)
            for name, location in table.texts("allow-group-keys")
        ),
        exclude=tuple(text for text, _ in table.texts("exclude")),
        baseline=_baseline(table, folder),
        jobs=table.count("jobs", 0) or None,
        targets=tuple(_target(entry, folder, is_own=is_own) for entry in table.tables("targets")),
        expectations=tuple(_expectation(entry, folder) for entry in table.tables("expect")),
    )


def _baseline(table: TomlTable, folder: str) -> str | None:
    name = table.text("baseline")
    return None if name is None else shown_path(os.path.join(folder, name))


def _codes(table: TomlTable, name: str, checks: tuple[Check, ...]) -> tuple[str, ...]:
    codes = split_codes(text for text, _ in table.texts(name))
    for code in codes:
        problem = prefix_problem(code, checks, name, table.place_of(name))
        if problem is not None:
            table.problems.append(problem)
    return codes


def _ignores(table: TomlTable | None, checks: tuple[Check, ...]) -> tuple[Ignore, ...]:
    if table is None:
        return ()
    ignores = []
    for glob in table.data:
        location = location_of(table.place_of(glob))
        ignores += [
            Ignore(glob=glob, code=c, location=location) for c in _codes(table, glob, checks)
        ]
    return tuple(ignores)


def _target(table: TomlTable, folder: str, *, is_own: bool) -> Target:
    table.only(TARGET)
    model = table.text("model") or ""
    configs = tuple(text for text, _ in table.texts("configs"))
    for name, value in (("model", model), ("configs", configs)):
        if not value and name not in table.data:
            table.wrong(name, f"[[{table.title}]] has no {name!r}")
    arguments = table.table("arguments")
    return Target(
        model=_model_path(model, folder),
        arguments={} if arguments is None else dict(arguments.data),
        configs=configs,
        location=location_of(table.place_of("model")),
        project=folder if is_own else None,
    )


def _model_path(model: str, folder: str) -> str:
    """Return the model, its file relative to the current folder and no longer to that of the configuration."""
    file, _, attribute = model.rpartition(":")
    return f"{shown_path(os.path.join(folder, file))}:{attribute}" if file[-3:] == ".py" else model


def _expectation(table: TomlTable, folder: str) -> Expectation:
    table.only(EXPECT)
    if not table.data.keys() & SUBJECTS.keys():
        table.wrong(
            "parameters", f"[[{table.title}]] has none of 'parameters', 'module' and 'rule'"
        )
    if not table.data.keys() & DEMANDS.keys():
        table.wrong("parameters", f"[[{table.title}]] expects nothing: set {', '.join(DEMANDS)}")
    place = table.place
    return Expectation(
        where=f"{shown_path(place.source.path or place.source.name)}:{place.line}",
        folder=folder,
        configs=tuple(text for text, _ in table.texts("configs")),
        parameters=_patterns(table),
        modules=tuple(text for text, _ in table.texts("module")),
        rule=table.choice("rule", Rule),
        bounds={name: bound for name in BOUNDS if (bound := _bound(table, name))},
        frozen=table.flag("frozen"),
        never_zero=table.flag("never-zero") or False,
        share=_share(table),
        min_parameters=table.count("min-parameters", 1),
    )


def _patterns(table: TomlTable) -> tuple[str, ...]:
    """Return the patterns of names, once they are known not to be too large."""
    patterns = tuple(text for text, _ in table.texts("parameters"))
    try:
        for pattern in patterns:
            matcher(pattern)
    except UsageError as error:
        table.wrong("parameters", error.problems[0].message)
    return patterns


def _bound(table: TomlTable, name: str) -> Bound | None:
    value = table.data.get(name)
    if value is None:
        return None
    words = DECAY_WORDS if name == "weight-decay" else {}
    bound = words[value] if isinstance(value, str) and value in words else parse_bound(value)
    if bound is None:
        forms = FORMS + "".join(f", or {word!r}" for word in words)
        table.wrong(name, f"{name} of {table.shown} must be {forms}, got {value!r}")
    return bound


def _share(table: TomlTable) -> float:
    value = table.number("share")
    if value is not None and not 0 < value <= 1:
        table.wrong("share", f"share of {table.shown} must be above 0 and at most 1, got {value!r}")
    return 1.0 if value is None else value
