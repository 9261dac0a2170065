"""Plans for one model, in a process that knows nothing of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.checks.running import Planner
    from optplan.config import Batch, Config
    from optplan.plan import Planned


def planner_of(model: str, arguments: Mapping[str, Any]) -> Planner:
    """What plans configs for one model, which is built once.

    Raises:
        ModelError: There is no such model, or it cannot be built.
    """
    from optplan.constructors import plan_with_facts
    from optplan.model import open_model

    loaded = open_model(model, arguments)
    trainable = [(one, one.requires_grad) for one in loaded.module.parameters()]

    def planned(config: Config, batch: Batch) -> Planned:
        try:
            return plan_with_facts(loaded, config, batch=batch)
        finally:  # a constructor may freeze some, and the next config must not see it
            for parameter, flag in trainable:
                parameter.requires_grad_(flag)

    return planned
