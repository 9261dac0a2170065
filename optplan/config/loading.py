"""Loads a config file together with its bases."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import as_base
from optplan.config.files.file_reader import DISK, Reader, decoded
from optplan.config.limits import MAX_BASE_DEPTH, MAX_FILES, Budget, Refusal
from optplan.config.locations import (
    Location,
    base_location,
    entry_location,
    outside_project,
    project_roots,
)
from optplan.config.placed import (
    File,
    PlacedDict,
    place_of,
    placed_dict,
    raw_place_of,
)
from optplan.config.trees import Copier, add_scope, merge, plain
from optplan.errors import ConfigError, Problem
from optplan.places import Place, Source
from optplan.runtime.gc_control import gc_paused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optplan.config.placed import RawPlace
    from optplan.config.settable import Settable

_RESERVED = ("filename", "text", "pretty_text", "env_variables")


@dataclass(frozen=True, kw_only=True, eq=False)
class Config:
    """A config as it stands after inheritance and overrides.

    Args:
        data: Its entries; ``place_of`` knows where each was set last.
        entry: The file that was asked for.
        sources: All files that were read, in the order of reading.
        trusted: The user vouches for it: what it names may be imported from anywhere.
        word: What the command line calls it, where that is no file.
        dialect: The name of the dialect that opened it; None where its content tells.
    """

    data: PlacedDict
    entry: Source
    sources: tuple[Source, ...] = field(repr=False)
    trusted: bool = False
    word: str = ""
    dialect: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The entries as plain dicts, lists and tuples, imported names as text."""
        result: dict[str, Any] = plain(self.data)
        return result


def load_config(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    trust: bool = False,
    reader: Reader = DISK,
    settable: Settable | None = None,
) -> Config:
    """Read a config file and what it inherits from.

    Args:
        path: A ``.py``, ``.json``, ``.yaml``, ``.yml`` or ``.toml`` file, or ``package::path``
            for a config of an installed package.
        overrides: Texts like ``a.b.c=value``, which are set on top.
        trust: Execute Python configs instead of evaluating them; then the places of their
            values are unknown.
        reader: Where files are read from. It is given absolute paths; the configs of installed
            packages always come from the disk.
        settable: Returns the top-level entries that overrides may add to entries; None for all.

    Raises:
        ConfigError: The config cannot be read.
    """
    location = entry_location(os.fspath(path), reader)
    loader = Loader(location, trust=trust)
    try:
        with gc_paused():  # a syntax tree is many objects at once, none of them garbage
            data = loader.load(location, None)
    except RecursionError:
        raise ConfigError(
            "it is nested too deeply to be read", place=_whole(loader, location)
        ) from None
    except MemoryError:
        raise ConfigError("it needs too much memory", place=_whole(loader, location)) from None
    for key in _RESERVED:
        if key in data:
            raise ConfigError(f"the name '{key}' is reserved", place=place_of(data, key))
    if overrides:
        from optplan.config.overrides import apply_overrides

        data = loader.unshared(data)
        apply_overrides(data, overrides, settable)
    return Config(data=data, entry=loader.sources[0], sources=tuple(loader.sources), trusted=trust)


def _whole(loader: Loader, location: Location) -> Place:
    source = next((s for s in loader.sources if s.path == location.shown), None)
    return Place(source or Source(name=location.name, path=location.shown), 0, 0)


class Loader:
    """Reads the files of one config.

    Args:
        entry: The file that was asked for.
        trust: Whether Python files are executed.
    """

    def __init__(self, entry: Location, *, trust: bool = False) -> None:
        self.entry = entry
        self.trust = trust
        self.budget = Budget()
        self.sources: list[Source] = []
        self.chain: list[Location] = []
        # Whether any dict was handed out as one of a base.
        self.exposed = False

    @cached_property
    def _roots(self) -> frozenset[str]:
        return project_roots(self.entry.path)

    def load(self, location: Location, place: Place | None) -> PlacedDict:
        """The entries of a file, merged into those of its bases.

        Args:
            location: The file.
            place: Where it is named, None for the entry.

        Raises:
            ConfigError: It cannot be read.
        """
        file = self.open(location, place)
        extension = os.path.splitext(location.path)[1]
        is_own = place is None or location.root is not None or location.reader is not DISK
        outside = None if is_own else outside_project(location.path, self._roots)
        try:
            if extension == ".py":
                data = self._load_python(file, location)
            elif extension in {".json", ".yaml", ".yml", ".toml"}:
                data = self._load_data(file, location, extension)
            else:
                raise _whole_file(
                    f"'{extension}' files are not configs" if extension else "it has no extension",
                    file.source,
                    "a config is a .py, .json, .yaml, .yml or .toml file",
                )
        except (Refusal, ConfigError) as error:
            if outside is not None:
                leads = "" if outside == location.path else f" leads to {outside!a},"
                raise ConfigError(
                    f"'{location.shown}'{leads or ' is'} outside the project, and is no config",
                    place=place,
                ) from None
            if isinstance(error, ConfigError):
                raise
            raise _whole_file(error.message, file.source, error.hint) from None
        finally:
            self.chain.pop()
        if self.exposed and not self.chain:
            as_base(data, PlacedDict)
        return data

    def open(self, location: Location, place: Place | None) -> File:
        """Read a file and put it on the chain of those that are being loaded.

        Raises:
            ConfigError: It cannot be read, is being loaded already, or there are too many.
        """
        self._check_chain(location, place)
        try:
            text = decoded(location.reader.read(location.path))
        except FileNotFoundError:
            hint = location.suggestion()
            raise _unreadable(location, "there is no such file", place, hint) from None
        except ConfigError as error:
            problem = error.problems[0]
            raise _unreadable(location, problem.message, place, problem.hint) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _unreadable(location, f"it cannot be read: {reason}", place, None) from None
        source = Source(name=location.name, path=location.shown, text=text)
        try:
            self.budget.spend_file(text, as_tree=not location.path.endswith(".json"))
        except Refusal as refusal:
            raise _whole_file(refusal.message, source, refusal.hint) from None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.sources.append(source)
        self.chain.append(location)
        return File(source, text)

    def _check_chain(self, location: Location, place: Place | None) -> None:
        if any(location.path == other.path for other in self.chain):
            names = [other.shown for other in self.chain] + [location.shown]
            raise ConfigError(f"the bases form a circle: {' → '.join(names)}", place=place)
        if len(self.chain) >= MAX_BASE_DEPTH or len(self.sources) >= MAX_FILES:
            raise ConfigError("too many bases", place=place)

    def bases(self, paths: Any, raw: RawPlace, location: Location, file: File) -> PlacedDict:
        """The merged entries of all bases of a file.

        Args:
            paths: The value of its ``_base_``.
            raw: Where that stands.
            location: The file.
            file: Its text.

        Raises:
            ConfigError: A base cannot be read, or two bases have a key in common.
        """
        if not isinstance(paths, list):
            paths = [paths]
        result = placed_dict((), {})
        for at, path in enumerate(paths):
            raw_place = raw_place_of(paths, at) or raw
            place = None if raw_place is None else raw_place[0].place(*raw_place[1:])
            place = place or Place(file.source, 0, 0)
            base, scope = base_location(path, location, self.entry, place)
            data = self.load(base, place)
            if scope is not None:
                data = self.unshared(data)
                add_scope(list(data.values()), scope, raw_place)
            for key in data:
                if key in result:
                    raise ConfigError(
                        f"two bases set '{key}': {place_of(result, key)} and {place_of(data, key)}",
                        place=place,
                        hint="a key may come from one base only",
                    )
            dict.update(result, data)
            result.raw_places.update(data.raw_places)
        return result

    def _load_python(self, file: File, location: Location) -> PlacedDict:
        from optplan.config.files.python_files import load_python

        return load_python(self, file, location)

    def _load_data(self, file: File, location: Location, extension: str) -> PlacedDict:
        from optplan.config.substitution import substituted

        if "{{" in file.text:
            file = self.checked(lambda: substituted(file, location.path), file)
        data = _read_data(file, extension, self.budget)
        raw = data.raw_places.get("_base_")
        base = self.bases(data.get("_base_", []), raw, location, file)
        return self.merged(data, base, file)

    def checked(self, make: Any, file: File) -> Any:
        """What ``make()`` gives, its errors placed in the file."""
        try:
            return make()
        except ConfigError as error:
            raise _with_file(error, file.source) from None

    def unshared(self, data: PlacedDict) -> PlacedDict:
        """A copy of entries in which no container occurs twice."""
        copied: PlacedDict = Copier(self.budget).copied(data, None)
        return copied

    def merged(self, data: PlacedDict, base: PlacedDict, file: File) -> PlacedDict:
        """A file's own entries, merged into those of its bases.

        Raises:
            ConfigError: They do not go together, or are too large.
        """
        dict.pop(data, "_deprecation_", None)
        substituting = "{{" in file.source.text
        copier = Copier(self.budget, base if substituting else None)
        copy = copier.settled if not self.exposed else lambda value: copier.copied(value, None)
        own: PlacedDict = self.checked(lambda: copy(data), file)
        dict.pop(own, "_base_", None)
        if not base:
            return _visible(own)
        if self.exposed:
            base = self.unshared(base)
        merge(base, own, self.budget)
        return _visible(base)


def _visible(data: PlacedDict) -> PlacedDict:
    for key in [key for key in data if key.startswith("__")]:
        del data[key]
    return data


def _read_data(file: File, extension: str, budget: Budget) -> PlacedDict:
    from optplan.config.files import data_files

    data = data_files.read(file, extension, budget)
    if not isinstance(data, PlacedDict):
        raise _whole_file("a config is a mapping of names to values", file.source)
    for key in data:
        if not isinstance(key, str):
            raise ConfigError(
                f"the key {key!r} is not a text", place=place_of(data, key), hint="quote it"
            )
    return data


def _whole_file(message: str, source: Source, hint: str | None = None) -> ConfigError:
    return ConfigError(message, place=Place(source, 0, 0), hint=hint)


def _with_file(error: ConfigError, source: Source) -> ConfigError:
    return ConfigError(
        [
            Problem(message=p.message, place=p.place or Place(source, 0, 0), hint=p.hint)
            for p in error.problems
        ]
    )


def _unreadable(
    location: Location, message: str, place: Place | None, hint: str | None
) -> ConfigError:
    if place is None:
        place = Place(Source(name=location.name, path=location.shown), 0, 0)
        return ConfigError(message, place=place, hint=hint)
    return ConfigError(f"the base config '{location.shown}': {message}", place=place, hint=hint)
