"""The checks: one file each, and the tuple of them all."""

from __future__ import annotations

from optplan.checks.base import Check, Context, Finding
from optplan.checks.unmatched_key import UnmatchedKey

ALL_CHECKS: tuple[Check, ...] = (UnmatchedKey(),)

__all__ = ["ALL_CHECKS", "Check", "Context", "Finding"]
