"""Schedulers of other packages, run for real on an optimizer with one tiny parameter per setting."""

from __future__ import annotations

from optplan.schedule.foreign.maker import ForeignMaker
from optplan.schedule.foreign.timm_args import timm_epochs

__all__ = ["ForeignMaker", "timm_epochs"]
