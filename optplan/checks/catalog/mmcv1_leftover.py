"""OPT008: what of mmcv 1.x is left over in a config for MMEngine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.config import place_of
from optplan.dialects import dialect_of
from optplan.names import Severity

_INSTEAD: Mapping[str, str] = {
    "lr_config": "param_scheduler moves the lr",
    "momentum_config": "param_scheduler moves the momentum",
    "optimizer_config": "optim_wrapper holds clip_grad and accumulative_counts",
    "runner": "train_cfg says how long it trains",
    "checkpoint_config": "default_hooks.checkpoint saves checkpoints",
    "log_config": "default_hooks.logger writes the log",
    "dist_params": "env_cfg.dist_cfg sets the backend",
}


class Mmcv1Leftover(Check):
    """A section of mmcv 1.x in a config for MMEngine, which reads none of them.

    Bad, the lr stays constant::

        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
        lr_config = dict(policy='step', step=[8, 11])

    Good::

        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
        param_scheduler = dict(type='MultiStepLR', milestones=[8, 11])

    A variable whose value another section uses is fine.
    """

    code = "OPT008"
    name = "mmcv1-leftover"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every such section."""
        data, dialect = context.config.data, dialect_of(context.config)
        for name in dialect.outdated if dialect.recognize(data) else ():
            value = data.get(name)
            if isinstance(value, Mapping | list) and value and not _is_used(data, name):
                instead = _INSTEAD.get(name)
                yield self.finding(
                    f"{name!r} is read by mmcv 1.x alone: MMEngine takes no notice of it",
                    key=name,
                    place=place_of(data, name),
                    hint=f"in MMEngine {instead}" if instead else None,
                )


def _is_used(data: Mapping[str, Any], name: str) -> bool:
    """Return whether a value stands in another entry too, as a variable does."""
    others = [value for key, value in data.items() if key != name]
    return any(_holds(other, data[name]) for other in others)


def _holds(container: object, value: object) -> bool:
    if isinstance(container, Mapping):
        parts = list(container.values())
    elif isinstance(container, list | tuple):
        parts = list(container)
    else:
        return False
    return any(part == value or _holds(part, value) for part in parts)
