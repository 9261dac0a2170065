"""Dialects whose configs may be words of the command line, and no files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optplan.config import Config
    from optplan.dialects.protocol import Entries


class Opener(ABC):
    """What a dialect is as well, whose configs may be such words."""

    @abstractmethod
    def opens(self, word: str) -> bool:
        """Return whether a word is no file, but one that this dialect opens."""

    @abstractmethod
    def open(self, word: str, *, overrides: Sequence[str], arguments: Entries) -> Config:
        """Open such a word.

        Args:
            word: The word.
            overrides: ``a.b=value``.
            arguments: What ``-a`` gives.

        Raises:
            ConfigError: There is no such thing.
        """
