"""Read the files that may be configs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from optplan.checks.discovery import FoundFile
from optplan.checks.paths import is_in_revision, shown_path
from optplan.checks.recognition import is_saved_plan, looks_like_config
from optplan.checks.suppression import Comment, comments_of
from optplan.checks.tasks import Reading
from optplan.config import Config, OptimizerConfig
from optplan.config.files.file_reader import DISK
from optplan.config.revisions import load_revision
from optplan.dialects import find_optimizer, load_config, opener_of, with_answers
from optplan.errors import ConfigError
from optplan.places import Place
from optplan.runtime.audit import lifted

_MOST_TEXT = 1 << 20


@lifted()
def read_config(candidate: FoundFile, reading: Reading) -> Config:
    """Return the config in a file.

    Executing one loses the places of its values, and a script in a folder is not to be executed:
    only what was meant as a config is, where it cannot be evaluated.

    Raises:
        ConfigError: It cannot be read.
    """
    load: Callable[..., Config] = load_config
    texts = dict(reading.texts)
    if candidate.text is not None:
        texts[os.path.realpath(candidate.path)] = candidate.text
    if texts:
        load = partial(load_config, reader=_WithTexts(texts))
    elif is_in_revision(candidate.path):
        load = partial(load_revision, load=load_config)
    overrides = reading.overrides
    if (opener := opener_of(candidate.path)) is not None:
        arguments = reading.function_arguments
        return opener.open(candidate.path, overrides=overrides, arguments=arguments)
    try:
        config = replace(load(candidate.path, overrides=overrides), trusted=reading.trust)
        return with_answers(config, reading.function_arguments) or config
    except ConfigError:
        if not reading.trust or not (candidate.named or was_meant(candidate)):
            raise
        return load(candidate.path, overrides=overrides, trust=True)


class _WithTexts:
    """Reads files from the disk, but for those whose texts are given, by their real paths."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def exists(self, path: str) -> bool:
        """Return whether there is something to read at a path."""
        return os.path.realpath(path) in self._texts or DISK.exists(path)

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            ConfigError, OSError: It cannot be read.
        """
        text = self._texts.get(os.path.realpath(path))
        return DISK.read(path) if text is None else text.encode("utf-8", "surrogateescape")


@lifted()
def was_meant(candidate: FoundFile) -> bool:
    """Return whether a file that cannot be read was meant as a config."""
    try:
        text = DISK.read(candidate.path).decode("utf-8", errors="replace")  # which waits at no pipe
    except (OSError, ConfigError):
        return True
    return looks_like_config(text[:_MOST_TEXT], suffix_of(candidate))


def suffix_of(candidate: FoundFile) -> str:
    """Return a file's ending."""
    return Path(candidate.path).suffix


def section_of(config: Config) -> OptimizerConfig:
    """Return a config's optimizer section.

    Raises:
        ConfigError: It is wrong, or the file is a saved plan.
    """
    if is_saved_plan(config.data):
        raise ConfigError(
            "it is a saved plan, which keeps no config to check",
            place=Place(config.entry, 0, 0),
            hint="name the config that it was made from",
        )
    return find_optimizer(config)


def comments_in(config: Config) -> tuple[Comment, ...]:
    """Return the suppressions in a config and its bases."""
    return tuple(
        comment
        for source in config.sources
        if source.path is not None
        for comment in comments_of(source, shown_path(source.path))
    )


def group_keys_of(section: OptimizerConfig | None) -> Iterator[str]:
    """Yield the fields of the custom keys of a section."""
    keys = section.paramwise.get("custom_keys") if section is not None else None
    for fields in keys.values() if isinstance(keys, Mapping) else ():
        yield from fields if isinstance(fields, Mapping) else ()
