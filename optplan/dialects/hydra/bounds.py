"""Bound what Hydra reads while it composes: how many files, how much in each, and how many names they compute."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from optplan.config.files.file_reader import DISK, decoded
from optplan.config.files.yaml_files import read_yaml
from optplan.config.limits import MAX_FILES, StepCounter
from optplan.config.placed import File
from optplan.config.trees import Copier
from optplan.errors import ConfigError
from optplan.places import Source

# A chain of this many that each stand for others twice is a text of 1,000 parts.
_MOST_CHOICES = 20
_COMPUTED = re.compile(r"\$\{[^{}]*[:$]")


@contextmanager
def bounded_reading(folders: Sequence[str]) -> Iterator[None]:
    """Let Hydra read no more than a config may hold.

    Hydra asks its repository for a file each time that a list of defaults names it, which is where this counts.

    Args:
        folders: Where the files are.

    Raises:
        ConfigError: A file is named too often, is too large, or computes the names of others.
    """
    from hydra._internal.config_repository import CachingConfigRepository

    load = CachingConfigRepository.load_config
    reading = _Reading(folders)

    def load_bounded(repository: Any, config_path: str) -> Any:
        reading.charge(config_path)
        found = load(repository, config_path)
        reading.charge_choices(getattr(found, "defaults_list", None))
        return found

    with patch.object(CachingConfigRepository, "load_config", load_bounded):
        yield


class _Reading:
    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._steps = StepCounter()
        self._read: set[str] = set()
        self._named = 0
        self._choices = 0

    def charge(self, name: str) -> None:
        self._named += 1
        if self._named > MAX_FILES:
            raise ConfigError(f"it names more files than can be read, {MAX_FILES}")
        file = name if name.endswith(".yaml") else f"{name}.yaml"
        for folder in self._folders:
            self._charge_file(os.path.join(folder, file))

    def _charge_file(self, file: str) -> None:
        if file in self._read or not os.path.exists(file):
            return
        self._read.add(file)
        text = decoded(DISK.read(file)).replace("\r\n", "\n")
        self._steps.charge_file(text)
        if text.strip():
            data = read_yaml(File(Source(name=file, path=file, text=text), text), self._steps)
            Copier(self._steps).copied(data, None)  # what aliases stand for, as Hydra has it

    def charge_choices(self, defaults: Any) -> None:
        text = str(defaults or "")
        self._choices += text.count("${")
        if self._choices > _MOST_CHOICES or _COMPUTED.search(text):
            raise ConfigError("its defaults compute more names than can be read")
