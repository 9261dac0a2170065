"""Load a config file together with its bases."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optplan.config.files.data_files import load_data
from optplan.config.files.file_reader import DISK, Reader
from optplan.config.loader import Format, Loader
from optplan.config.locations import entry_location
from optplan.config.placed import PlacedDict, place_of
from optplan.config.trees import plain
from optplan.errors import ConfigError
from optplan.places import Place, Source
from optplan.runtime.gc_control import gc_paused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optplan.config.locations import ConfigLocation
    from optplan.config.placed import File
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
        model_word: What the command line would call its model, where it names one as ``--model`` does.
    """

    data: PlacedDict
    entry: Source
    sources: tuple[Source, ...] = field(repr=False)
    trusted: bool = False
    word: str = ""
    dialect: str | None = None
    model_word: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entries as plain dicts, lists and tuples, imported names as text."""
        result: dict[str, Any] = plain(self.data)
        return result


def _load_python(loader: Loader, file: File, location: ConfigLocation) -> PlacedDict:
    from optplan.config.files.python_files import load_python  # no other format needs the evaluator

    return load_python(loader, file, location)


_FORMATS: dict[str, Format] = {
    ".py": _load_python,
    **dict.fromkeys((".json", ".yaml", ".yml", ".toml"), load_data),
}


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
    loader = Loader(location, _FORMATS, trust=trust)
    try:
        with gc_paused():  # a syntax tree is many objects at once, none of them garbage
            data = loader.load(location, None)
    except (RecursionError, MemoryError) as error:
        is_deep = isinstance(error, RecursionError)
        message = "it is nested too deeply to be read" if is_deep else "it needs too much memory"
        unread = Source(name=location.name, path=location.shown)
        source = next((one for one in loader.sources if one.path == location.shown), unread)
        raise ConfigError(message, place=Place(source, 0, 0)) from None
    for key in _RESERVED:
        if key in data:
            raise ConfigError(f"the name '{key}' is reserved", place=place_of(data, key))
    if overrides:
        from optplan.config.overrides import apply_overrides

        data = loader.unshared(data)
        apply_overrides(data, overrides, settable)
    return Config(data=data, entry=loader.sources[0], sources=tuple(loader.sources), trusted=trust)
