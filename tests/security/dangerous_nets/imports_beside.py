"""Imports what lies in the current folder when it is imported."""

from __future__ import annotations

import sys

sys.path.insert(0, "")
import q7x_beside  # type: ignore[import-not-found]
