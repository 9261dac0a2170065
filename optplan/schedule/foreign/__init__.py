"""Run schedulers of other packages for real, on an optimizer with one tiny parameter per group.

Turns a scheduler's class and arguments into the values of groups. Imports torch when the first is made.
"""

from __future__ import annotations

from optplan.schedule.foreign.builder import ForeignBuilder

__all__ = ["ForeignBuilder"]
