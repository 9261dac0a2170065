"""Schedulers of other packages, run for real on an optimizer with one tiny parameter per setting."""

from __future__ import annotations

from optplan.schedule.foreign.builder import ForeignBuilder

__all__ = ["ForeignBuilder"]
