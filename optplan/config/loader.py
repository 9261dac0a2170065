"""Read the files of one config: each file once, each merged into those of its bases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from optplan.config.base_dict import as_base
from optplan.config.files.file_reader import DISK, decoded
from optplan.config.limits import MAX_BASE_DEPTH, MAX_FILES, Refusal, StepCounter
from optplan.config.locations import ConfigLocation, base_location, outside_project, project_roots
from optplan.config.placed import File, PlacedDict, place_of, placed_dict, raw_place_of
from optplan.config.shared_bases import KeptBase, shared_bases
from optplan.config.trees import Copier, add_scope, merge
from optplan.errors import ConfigError
from optplan.places import Place, Source

if TYPE_CHECKING:
    from optplan.config.placed import RawPlace

# What RT-DETR's files call their bases, which its dialect reads; other names of that form are Python's own.
INCLUDE = "__include__"

# Reads the entries of one file, merged into those of its bases.
Format: TypeAlias = "Callable[[Loader, File, ConfigLocation], PlacedDict]"


class Loader:
    """Load the files of one config.

    Args:
        entry: The file that was asked for.
        formats: By extension, what reads such a file.
        trust: Whether Python files are executed.
    """

    def __init__(
        self, entry: ConfigLocation, formats: Mapping[str, Format], *, trust: bool = False
    ) -> None:
        self.entry = entry
        self.trust = trust
        self.steps = StepCounter()
        self.sources: list[Source] = []
        # Whether a config could see a dict of its bases, and put it elsewhere.
        self.exposed = False
        self._formats = formats
        self._chain: list[ConfigLocation] = []

    @property
    def is_base(self) -> bool:
        """Return whether the file that is being read is a base of another one."""
        return len(self._chain) > 1

    def load(self, location: ConfigLocation, place: Place | None) -> PlacedDict:
        """Return the entries of a file, merged into those of its bases.

        Args:
            location: The file.
            place: Where it is named, None for the entry.

        Raises:
            ConfigError: It cannot be read.
        """
        with self.opened(location, place) as file:
            try:
                data = self._format(file, location)(self, file, location)
            except (Refusal, ConfigError) as error:
                self._check_inside(location, place)
                if isinstance(error, Refusal):
                    raise _whole_file(error.message, file.source, error.hint) from None
                raise
        if self.exposed and not self._chain:
            as_base(data, PlacedDict)
        return data

    def _format(self, file: File, location: ConfigLocation) -> Format:
        extension = os.path.splitext(location.path)[1]
        if extension in self._formats:
            return self._formats[extension]
        raise _whole_file(
            f"'{extension}' files are not configs" if extension else "it has no extension",
            file.source,
            "a config is a .py, .json, .yaml, .yml or .toml file",
        )

    def _check_inside(self, location: ConfigLocation, place: Place | None) -> None:
        """Report nothing about the content of a base outside the project but that it is no config."""
        if place is None or location.root is not None or location.reader is not DISK:
            return
        outside = outside_project(location.path, project_roots(self.entry.path))
        if outside is not None:
            leads = " is" if outside == location.path else f" leads to {outside!a},"
            raise ConfigError(
                f"'{location.shown}'{leads} outside the project, and is no config", place=place
            ) from None

    @contextmanager
    def opened(self, location: ConfigLocation, place: Place | None) -> Iterator[File]:
        """Read a file, and have it on the chain of those that are being loaded meanwhile.

        Raises:
            ConfigError: It cannot be read, is being loaded already, or there are too many.
        """
        if any(location.path == other.path for other in self._chain):
            names = [other.shown for other in (*self._chain, location)]
            raise ConfigError(f"the bases form a circle: {' → '.join(names)}", place=place)
        if len(self._chain) >= MAX_BASE_DEPTH or len(self.sources) >= MAX_FILES:
            raise ConfigError("too many bases", place=place)
        text = _text(location, place)
        source = Source(name=location.name, path=location.shown, text=text)
        try:
            self.steps.charge_file(text, as_tree=not location.path.endswith(".json"))
        except Refusal as refusal:
            raise _whole_file(refusal.message, source, refusal.hint) from None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.sources.append(source)
        self._chain.append(location)
        try:
            yield File(source, text)
        finally:
            self._chain.pop()

    def bases(self, paths: Any, raw: RawPlace, location: ConfigLocation, file: File) -> PlacedDict:
        """Return the merged entries of all bases of a file.

        Args:
            paths: The value of its ``_base_``.
            raw: Where that stands.
            location: The file.
            file: Its text.

        Raises:
            ConfigError: A base cannot be read, or two bases have a key in common.
        """
        result = placed_dict((), {})
        paths = paths if isinstance(paths, list) else [paths]
        for at, path in enumerate(paths):
            raw_place = raw_place_of(paths, at) or raw
            place = Place(file.source, 0, 0)
            if raw_place is not None:
                place = raw_place[0].place(*raw_place[1:])
            base, scope = base_location(path, location, self.entry, place)
            data = self._base(base, place)
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

    def _base(self, location: ConfigLocation, place: Place) -> PlacedDict:
        """Return the merged entries of a base, as another config of the run has read them where one has.

        Raises:
            ConfigError: It cannot be read.
        """
        shared, steps = shared_bases(), self.steps
        if shared is None or self.trust or location.reader is not DISK:
            return self.load(location, place)
        # the names of its own bases are made from the last two
        key = location, *map(os.path.dirname, (self.entry.path, self.entry.shown))
        kept = shared.find(key)
        if kept is not None and self._has_room(kept):
            steps.left -= kept.steps
            steps.tokens -= kept.tokens
            self.sources += kept.sources
            return kept.entries()
        left, tokens, read = steps.left, steps.tokens, len(self.sources)
        data = self.load(location, place)
        if not self.exposed:
            base = KeptBase(
                data=data,
                sources=tuple(self.sources[read:]),
                steps=left - steps.left,
                tokens=tokens - steps.tokens,
            )
            shared.keep(key, base)
            return base.entries()
        return data

    def _has_room(self, base: KeptBase) -> bool:
        """Return whether reading a base would stay within all bounds, however its files stand on each other."""
        return (
            base.steps <= self.steps.left
            and base.tokens <= self.steps.tokens
            and len(self._chain) + len(base.sources) <= MAX_BASE_DEPTH
            and len(self.sources) + len(base.sources) <= MAX_FILES
        )

    def unshared(self, data: PlacedDict) -> PlacedDict:
        """Return a copy of entries in which no container occurs twice."""
        copied: PlacedDict = Copier(self.steps).copied(data, None)
        return copied

    def exposed_base(self, base: PlacedDict) -> PlacedDict:
        """Return the merged bases as a config sees them: dicts whose entries are attributes."""
        if base.__class__ is PlacedDict:
            self.exposed = True
            own = self.unshared(base)
            dict.update(base, own)
            base.raw_places = own.raw_places
            as_base(base)
        return base

    def merged(self, data: PlacedDict, base: PlacedDict, file: File) -> PlacedDict:
        """Merge a file's own entries into those of its bases, and return the result.

        Raises:
            ConfigError: They do not go together, or are too large.
        """
        dict.pop(data, "_deprecation_", None)
        copier = Copier(self.steps, base if "{{" in file.source.text else None)
        with placing_errors(file.source):
            own: PlacedDict = copier.copied(data, None)
        dict.pop(own, "_base_", None)
        result = own
        if base:
            result = self.unshared(base) if self.exposed else base
            merge(result, own, self.steps)
        for key in [key for key in result if key.startswith("__") and key != INCLUDE]:
            del result[key]
        return result


@contextmanager
def placing_errors(source: Source) -> Iterator[None]:
    """Give errors that have no place the file as a whole."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            [replace(one, place=one.place or Place(source, 0, 0)) for one in error.problems]
        ) from None


# of Windows's editors; YAML alone takes it
_MARK = "\ufeff"


def _text(location: ConfigLocation, place: Place | None) -> str:
    try:
        text = decoded(location.reader.read(location.path))
        if text[:1] != _MARK or location.path.endswith((".yaml", ".yml")):
            return text
        message = "it begins with a byte order mark, which a trainer does not read"
        hint: str | None = "save it as UTF-8 without BOM"
    except FileNotFoundError:
        message, hint = "there is no such file", location.suggestion()
    except ConfigError as error:
        message, hint = error.problems[0].message, error.problems[0].hint
    except (OSError, ValueError) as error:
        message, hint = f"it cannot be read: {getattr(error, 'strerror', None) or error}", None
    if place is None:
        raise _whole_file(message, Source(name=location.name, path=location.shown), hint)
    raise ConfigError(f"the base config '{location.shown}': {message}", place=place, hint=hint)


def _whole_file(message: str, source: Source, hint: str | None = None) -> ConfigError:
    return ConfigError(message, place=Place(source, 0, 0), hint=hint)
