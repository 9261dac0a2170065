"""torchtitan's TOML files: an ``optimizer`` table, with or without ``param_groups``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from optplan.dialects.pattern_dialect import PatternDialect
from optplan.dialects.protocol import Entries

if TYPE_CHECKING:
    from optplan.config.regex_groups import RegexGroups

_ARGUMENTS = frozenset({"beta1", "beta2", "implementation", "early_step_in_backward"})


class Torchtitan(PatternDialect):
    """The files of torchtitan."""

    name = "torchtitan"
    title = "torchtitan"
    default_scheduler = "torchtitan's lr_scheduler, which warms up by default"
    tables = frozenset(
        {
            "activation_checkpoint", "checkpoint", "job", "lr_scheduler", "metrics", "parallelism",
            "training",
        }
    )  # fmt: skip
    other_tables = frozenset(
        {
            "comm", "compile", "debug", "experimental", "fault_tolerance", "float8",
            "memory_estimation", "model", "mx", "optimizer", "profiling", "quantize", "validation",
        }
    )  # fmt: skip

    def signs(self, data: Entries, section: Entries) -> list[str]:
        if "param_groups" in section:
            return ["optimizer.param_groups"]
        if not isinstance(section.get("name"), str) or isinstance(section.get("config"), Mapping):
            return []
        arguments = sorted(_ARGUMENTS & section.keys())
        return [*self.own_tables(data), *(f"optimizer.{name}" for name in arguments)]

    def groups_in(self, section: Entries) -> object:
        return section.get("param_groups")

    def read_groups(self, section: Entries) -> RegexGroups:
        from optplan.dialects.torchtitan.read import read_torchtitan

        return read_torchtitan(section)
