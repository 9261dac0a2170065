"""OPT007: lr that depend on the batch."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.config import Scaling
from optplan.config.batch import ScalingSource
from optplan.dialects import find_scaling
from optplan.errors import ConfigError
from optplan.names import Severity


class LrNotFinal(Check):
    """The lr of the config is not the lr of the training: it depends on the batch and the world size.

    Uncertain::

        optimizer=dict(type='SGD', lr=0.1)
        # lr × real batch / 256
        auto_scale_lr = dict(enable=True, base_batch_size=256)

    Certain::

        optimizer=dict(type='SGD', lr=0.2)
        # not enabled: for information only
        auto_scale_lr = dict(base_batch_size=256)

    With ``--world-size`` the lr is worked out, and this has nothing to say.

    timm's ``args.yaml`` leaves ``lr`` empty by default, and ``lr_base`` is scaled in the same way.
    """

    code = "OPT007"
    name = "lr-not-final"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield what scales the lr, where the batch is not known; and a constructor that asks for the world size."""
        if context.planned is not None and context.planned.plan.needs_world_size:
            constructor, section = context.planned.plan.constructor, context.section
            yield self.finding(
                f"{constructor} asks for the world size, which is not known: its groups are those of one process",
                key="constructor.world_size",
                place=section.places["constructor"] if section else None,
                hint="give the world size: --world-size N",
            )
        try:
            scaling = find_scaling(context.config, context.batch)
        except ConfigError:
            return  # it is told as an unreadable config
        if scaling is None or scaling.factor is not None:
            return
        if scaling.source is ScalingSource.AUTO_SCALE_LR:
            yield self.finding(
                "auto_scale_lr is enabled: every lr is multiplied by the total batch"
                f" / {scaling.base_batch} when the training starts",
                key="auto_scale_lr.enable",
                place=scaling.place,
                hint=_hint(scaling),
            )
        else:
            yield self.finding(
                "lr is not set: it becomes lr_base scaled by the total batch when the training starts",
                key="lr_base",
                place=scaling.place,
                hint=f"set lr, or {_hint(scaling)}",
            )


def _hint(scaling: Scaling) -> str:
    return f"give the {scaling.missing}: " + " ".join(
        option
        for option, value in (
            ("--world-size N", scaling.world_size),
            ("--batch-size N", scaling.batch_size),
        )
        if value is None
    )
