"""Pretends an interrupt when it is imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

raise KeyboardInterrupt
