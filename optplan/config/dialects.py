"""Whose form of param groups by regular expressions a config has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.config.regex_groups import RegexGroups


class Dialect(StrEnum):
    """Whose form it is."""

    TORCHTITAN = "torchtitan"
    FAIRSEQ2 = "fairseq2"


def dialect_of(data: Mapping[str, Any]) -> Dialect | None:
    """Whose form of groups by patterns a config has, None where it has none.

    Args:
        data: Its top level.
    """
    section = data.get("optimizer")
    if "optim_wrapper" in data or not isinstance(section, Mapping) or "type" in section:
        return None
    if "param_groups" in section:
        return Dialect.TORCHTITAN
    if "groups" in section or (isinstance(section.get("config"), Mapping) and "name" in section):
        return Dialect.FAIRSEQ2
    return None


def read_regex_groups(data: Mapping[str, Any], dialect: Dialect) -> RegexGroups:
    """The section as typed data.

    Raises:
        ConfigError: Every mistake in it.
    """
    from optplan.config.fairseq2 import read_fairseq2
    from optplan.config.torchtitan import read_torchtitan

    read = read_torchtitan if dialect is Dialect.TORCHTITAN else read_fairseq2
    return read(data["optimizer"])
