"""Pretends an interrupt when it is imported."""

from __future__ import annotations

raise KeyboardInterrupt
