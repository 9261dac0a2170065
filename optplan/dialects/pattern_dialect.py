"""Share what dialects need whose ``optimizer`` section holds groups by regular expressions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from optplan.config.recognition import Recognition
from optplan.dialects.protocol import BuildRequest, Dialect, Entries, Source, entries_of

if TYPE_CHECKING:
    from optplan.config import OptimizerConfig
    from optplan.config.regex_groups import RegexGroups
    from optplan.constructors.group_builders import GroupBuilder


class PatternDialect(Dialect):
    """A dialect with groups by regular expressions.

    Attributes:
        tables: Tables of its files, of which two are in no other program's file by chance.
        other_tables: Its other tables.
    """

    tables: ClassVar[frozenset[str]]
    other_tables: ClassVar[frozenset[str]]

    def recognize(self, data: Entries) -> Recognition | None:
        section = data.get("optimizer")
        if "optim_wrapper" in data or not isinstance(section, Mapping) or "type" in section:
            return None
        because = self.signs(data, section)
        return self.recognized(*because) if because else None

    @abstractmethod
    def signs(self, data: Entries, section: Entries) -> list[str]:
        """Return what tells that a section is of this dialect; nothing where it is not."""

    @abstractmethod
    def groups_in(self, section: Entries) -> object:
        """Return what a section has in the place of its groups."""

    @abstractmethod
    def read_groups(self, section: Entries) -> RegexGroups:
        """Return a section as typed data.

        Raises:
            ConfigError: Every mistake in it.
        """

    def own_tables(self, data: Entries) -> list[str]:
        """Return the tables that tell, if there are enough of them."""
        found = sorted(self.tables & data.keys())
        return found if len(found) >= 2 else []

    def is_doubtful(self, data: Entries, suffix: str) -> bool:
        groups = self.groups_in(data["optimizer"])
        has_patterns = isinstance(groups, list) and any(
            isinstance(group, Mapping) and group.keys() & {"pattern", "params"} for group in groups
        )
        return not (has_patterns or self.own_tables(data))

    def settable(self) -> frozenset[str]:
        return self.tables | self.other_tables

    def read(self, config: Source) -> OptimizerConfig:
        from optplan.config.regex_groups import section_of_groups

        return section_of_groups(self.read_groups(entries_of(config)["optimizer"]))

    def remedy(self, in_paramwise: str) -> str | None:
        return "a group whose pattern matches them reaches them"

    def build(self, section: OptimizerConfig, request: BuildRequest) -> GroupBuilder:
        from optplan.constructors.pattern_groups import PatternBuilder

        groups: Any = section.recipe
        return PatternBuilder(section, groups)
