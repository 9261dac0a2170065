"""OPT007."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optplan.checks.base import Check, Context, Finding
from optplan.config import place_of
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

    timm's ``args.yaml`` leaves ``lr`` empty by default, and ``lr_base`` is scaled in the same way.
    """

    code = "OPT007"
    name = "lr-not-final"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """The entry that scales the lr."""
        data = context.config.data
        scaling = data.get("auto_scale_lr")
        if isinstance(scaling, Mapping) and scaling.get("enable"):
            base = scaling.get("base_batch_size")
            yield self.finding(
                "auto_scale_lr is enabled: every lr is multiplied by the total batch"
                f" / {base if base is not None else 'base_batch_size'} when the training starts",
                key="auto_scale_lr.enable",
                place=place_of(scaling, "enable"),
            )
        if data.get("lr_base") is not None and data.get("lr") is None:
            yield self.finding(
                "lr is not set: it becomes lr_base scaled by the total batch when the training starts",
                key="lr_base",
                place=place_of(data, "lr_base"),
                hint="set lr",
            )
