"""fairseq2's recipes: an ``optimizer`` with ``name`` and ``config``, which may hold ``groups``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from optplan.dialects.pattern_dialect import PatternDialect
from optplan.dialects.protocol import Entries

if TYPE_CHECKING:
    from optplan.config.regex_groups import RegexGroups


class Fairseq2(PatternDialect):
    """The recipes of fairseq2."""

    name = "fairseq2"
    title = "fairseq2"
    default_scheduler = "fairseq2's lr_scheduler, whose default its recipe chooses"
    tables = frozenset({"common", "dataset", "gang", "regime", "tokenizer", "trainer"})
    other_tables = frozenset(
        {"assets", "criterion", "lr_scheduler", "model", "optimizer", "validator"}
    )

    def signs(self, data: Entries, section: Entries) -> list[str]:
        if "groups" in section:
            return ["optimizer.groups"]
        is_config = isinstance(section.get("config"), Mapping)
        return ["optimizer.config"] if is_config and section.keys() <= {"name", "config"} else []

    def groups_in(self, section: Entries) -> object:
        config = section.get("config")
        return config.get("groups") if isinstance(config, Mapping) else None

    def read_groups(self, section: Entries) -> RegexGroups:
        from optplan.dialects.fairseq2.read import read_fairseq2

        return read_fairseq2(section)
