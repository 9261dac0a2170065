"""Hold what is to be checked, and how: plain data that passes between processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from optplan.checks.base import Check
from optplan.checks.discovery import FoundFile
from optplan.checks.facts.context import MakeSchedule
from optplan.checks.tool_config import Target, ToolConfig
from optplan.config import NO_BATCH, Batch, Config
from optplan.errors import Problem
from optplan.plan import Planned
from optplan.runtime.user_code import StandIns

Planner = Callable[[Config, Batch], Planned]
MakePlanner = Callable[[Target], Planner]


class OwnModels(Protocol):
    """Plans configs for the models that they name themselves."""

    def key(self, config: Config) -> str | None:
        """Return a key that is equal for configs of one model; None where there is no model, or no package."""

    def planner(self, config: Config) -> Planner:
        """Return what plans configs of one key.

        Raises:
            OptplanError: The model cannot be built.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How configs are read.

    Args:
        imports: Modules and files of the user's own to import first.
        overrides: ``a.b=value`` for every config.
        function_arguments: What functions in the place of a config are given beside the model.
        trust: What a config names may be imported from anywhere, and a Python config that cannot be
            evaluated is executed.
        dialect: The dialect that configs are read as; None where their entries tell.
        stand_ins: Provides modules that are not installed to each import; importable by its name.
        batch: What is known of the batch that the configs are trained with.
        texts: What to read in the place of files, by their real paths.
        is_proving: Whether outcomes are to tell plans apart.
    """

    imports: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    function_arguments: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    dialect: str | None = None
    stand_ins: StandIns | None = None
    batch: Batch = NO_BATCH
    texts: Mapping[str, str] = field(default_factory=dict)
    is_proving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all tasks have in common.

    Args:
        checks: All checks; the tool's configurations select among them.
        tool_configs: The configurations that tasks refer to.
        make_planner: Makes the planner of a model. It must be importable by its name, and raises
            OptplanError where there is no such model.
        own_models: Plans configs for their own models; importable by its name, too. None leaves these
            models out.
        make_schedule: Applies a config's schedulers to its plan; importable by its name as well.
        reading: How configs are read.
    """

    checks: tuple[Check, ...]
    tool_configs: tuple[ToolConfig, ...]
    make_planner: MakePlanner
    own_models: OwnModels | None = None
    make_schedule: MakeSchedule | None = None
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One file to check, with one model or none.

    Args:
        candidate: The file.
        tool_config: The index of its tool configuration.
        target: The model; None for the config's own.
        own: The key of the config's own model, once it is known.
        is_isolated: Whether it needs code that the config names, and so a process of its own.
        failure: What went wrong with that process.
        files: What was read for it.
    """

    candidate: FoundFile
    tool_config: int
    target: Target | None = None
    own: str | None = None
    is_isolated: bool = False
    failure: Problem | None = None
    files: tuple[str, ...] = ()
