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


# The tables of torchtitan's files and of fairseq2's recipes; two of them are in no other file by chance.
_TABLES = {
    Dialect.TORCHTITAN: frozenset(
        {
            "job",
            "parallelism",
            "training",
            "activation_checkpoint",
            "lr_scheduler",
            "checkpoint",
            "metrics",
        }
    ),
    Dialect.FAIRSEQ2: frozenset({"regime", "trainer", "dataset", "tokenizer", "common", "gang"}),
}
_TORCHTITANS = frozenset({"beta1", "beta2", "implementation", "early_step_in_backward"})


def dialect_of(data: Mapping[str, Any]) -> Dialect | None:
    """Whose form of optimizers a config has, None where it has none.

    Args:
        data: Its top level.
    """
    section = data.get("optimizer")
    if "optim_wrapper" in data or not isinstance(section, Mapping) or "type" in section:
        return None
    if "param_groups" in section or _is_torchtitans(data, section):
        return Dialect.TORCHTITAN
    if "groups" in section:
        return Dialect.FAIRSEQ2
    if isinstance(section.get("config"), Mapping) and section.keys() <= {"name", "config"}:
        return Dialect.FAIRSEQ2
    return None


def is_whole(data: Mapping[str, Any], dialect: Dialect) -> bool:
    """Whether a config has other tables of its trainer, and is no other program's file."""
    return len(_TABLES[dialect] & data.keys()) >= 2


def tables_of(dialect: Dialect) -> frozenset[str]:
    """Return the names of the tables by which a trainer's files are known."""
    return _TABLES[dialect]


def _is_torchtitans(data: Mapping[str, Any], section: Mapping[str, Any]) -> bool:
    """Whether a section without groups is torchtitan's: others have a name and an lr, too."""
    if not isinstance(section.get("name"), str) or isinstance(section.get("config"), Mapping):
        return False
    return is_whole(data, Dialect.TORCHTITAN) or bool(section.keys() & _TORCHTITANS)


def read_regex_groups(data: Mapping[str, Any], dialect: Dialect) -> RegexGroups:
    """The section as typed data.

    Raises:
        ConfigError: Every mistake in it.
    """
    from optplan.config.fairseq2 import read_fairseq2
    from optplan.config.torchtitan import read_torchtitan

    read = read_torchtitan if dialect is Dialect.TORCHTITAN else read_fairseq2
    return read(data["optimizer"])
