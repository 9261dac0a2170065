"""Finds and reads the settings that apply to a config."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from optplan.checks.base import Check
from optplan.checks.expectations import Expectation
from optplan.checks.paths import is_in_package, shown_path
from optplan.checks.results import spot_of
from optplan.checks.selection import prefix_problem, split_codes
from optplan.checks.tables import Table
from optplan.checks.tool_config import Allowed, Ignore, Settings, Target
from optplan.config.files.file_reader import DISK, decoded
from optplan.config.files.toml_files import read_toml
from optplan.config.placed import File
from optplan.errors import ConfigError, Problem, UsageError
from optplan.names import Rule, Severity
from optplan.places import Place, Source
from optplan.plan.names.patterns import matcher

FILE = "pyproject.toml"
_TITLE = "tool.optplan"
_NAMES = (
    "select",
    "ignore",
    "fail-on",
    "per-config-ignores",
    "allow-group-keys",
    "targets",
    "expect",
)
_EXPECTED = ("weight-decay", "lr", "lr-mult", "frozen", "min-parameters")


class SettingsFinder:
    """The settings of each folder: those of the nearest pyproject.toml with a ``[tool.optplan]``.

    As with ruff, the nearest to the config decides, and settings are never merged; a config that
    has none above it takes those of the current folder.

    Args:
        checks: All checks there are, for the codes that settings name.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        self._checks = tuple(checks)
        self._found: dict[str, Settings | None] = {}
        self._here: Settings | None = None

    def here(self) -> Settings:
        """The settings of the current folder.

        Raises:
            ConfigError: They are wrong.
        """
        if self._here is None:
            self._here = self._above(os.getcwd()) or Settings(folder=os.getcwd())
        return self._here

    def of(self, config: str) -> Settings:
        """The settings of a config.

        Raises:
            ConfigError: They are wrong.
        """
        if is_in_package(config):
            return self.here()
        return self._above(os.path.dirname(os.path.abspath(config))) or self.here()

    def _above(self, folder: str) -> Settings | None:
        if folder not in self._found:
            # only those of the current folder's project are the user's own word
            is_own = _is_within(os.getcwd(), folder)
            own = read_settings(os.path.join(folder, FILE), self._checks, is_own=is_own)
            parent = os.path.dirname(folder)
            self._found[folder] = own or (None if parent == folder else self._above(parent))
        return self._found[folder]


def _is_within(path: str, folder: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def read_settings(path: str, checks: tuple[Check, ...], *, is_own: bool = True) -> Settings | None:
    """The settings in one file.

    Args:
        path: A pyproject.toml.
        checks: All checks there are.
        is_own: Whether the models that it names are the user's own word.

    Returns:
        None where there is no such file, or nothing for optplan in it.

    Raises:
        ConfigError: Every mistake in them.
    """
    try:
        text = decoded(DISK.read(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ConfigError as error:
        source = Source(name=FILE, path=shown_path(path))
        raise ConfigError(error.problems[0].message, place=Place(source, 0, 0)) from None
    except (OSError, ValueError) as error:
        source = Source(name=FILE, path=shown_path(path))
        raise ConfigError(f"it cannot be read: {error}", place=Place(source, 0, 0)) from None
    if "optplan" not in text:
        return None
    source = Source(name=FILE, path=shown_path(path), text=text)
    data = read_toml(File(source, "\n".join(source.lines)))
    tool = data.get("tool", {})
    if not isinstance(tool, Mapping) or "optplan" not in tool:
        return None
    problems: list[Problem] = []
    table = Table(tool, "tool", Place(source, 0, 0), problems).table("optplan")
    settings = None if table is None else _settings(table, path, checks, is_own=is_own)
    if problems:
        raise ConfigError(sorted(problems, key=lambda p: p.place[1:] if p.place else (0, 0)))
    return settings


def _settings(table: Table, path: str, checks: tuple[Check, ...], *, is_own: bool) -> Settings:
    table.only(_NAMES)
    folder = os.path.dirname(os.path.abspath(path))
    return Settings(
        file=shown_path(path),
        folder=folder,
        select=_codes(table, "select", checks),
        ignore=_codes(table, "ignore", checks),
        fail_on=table.choice("fail-on", Severity) or Severity.ERROR,
        per_config_ignores=_ignores(table.table("per-config-ignores"), checks),
        allow_group_keys=tuple(
            Allowed(name=name, spot=spot) for name, spot in table.texts("allow-group-keys")
        ),
        targets=tuple(_target(entry, folder, is_own=is_own) for entry in table.tables("targets")),
        expectations=tuple(_expectation(entry, folder) for entry in table.tables("expect")),
    )


def _codes(table: Table, name: str, checks: tuple[Check, ...]) -> tuple[str, ...]:
    codes = split_codes(text for text, _ in table.texts(name))
    for code in codes:
        problem = prefix_problem(code, checks, name, table.place_of(name))
        if problem is not None:
            table.problems.append(problem)
    return codes


def _ignores(table: Table | None, checks: tuple[Check, ...]) -> tuple[Ignore, ...]:
    if table is None:
        return ()
    ignores = []
    for glob in table.data:
        spot = spot_of(table.place_of(glob))
        ignores += [Ignore(glob=glob, code=c, spot=spot) for c in _codes(table, glob, checks)]
    return tuple(ignores)


def _target(table: Table, folder: str, *, is_own: bool) -> Target:
    table.only(("configs", "model", "arguments"))
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
        spot=spot_of(table.place_of("model")),
        project=folder if is_own else None,
    )


def _model_path(model: str, folder: str) -> str:
    """The model, its file relative to the current folder and no longer to that of the settings."""
    file, _, attribute = model.rpartition(":")
    return f"{shown_path(os.path.join(folder, file))}:{attribute}" if file[-3:] == ".py" else model


def _expectation(table: Table, folder: str) -> Expectation:
    table.only(("configs", "parameters", "rule", *_EXPECTED))
    if not table.data.keys() & {"parameters", "rule"}:
        table.wrong("parameters", f"[[{table.title}]] has neither 'parameters' nor 'rule'")
    if not table.data.keys() & set(_EXPECTED):
        table.wrong("parameters", f"[[{table.title}]] expects nothing: set {', '.join(_EXPECTED)}")
    place = table.place
    return Expectation(
        where=f"{shown_path(place.source.path or place.source.name)}:{place.line}",
        folder=folder,
        configs=tuple(text for text, _ in table.texts("configs")),
        parameters=_pattern(table),
        rule=table.choice("rule", Rule),
        weight_decay=table.number("weight-decay"),
        lr=table.number("lr"),
        lr_mult=table.number("lr-mult"),
        frozen=table.flag("frozen"),
        min_parameters=table.count("min-parameters", 1),
    )


def _pattern(table: Table) -> str | None:
    """Return the pattern of names, once it is known not to be too large."""
    pattern = table.text("parameters")
    try:
        matcher(pattern or "")
    except UsageError as error:
        table.wrong("parameters", error.problems[0].message)
    return pattern
