"""Shows what the command line says when it is imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

import sys

raise ImportError(" ".join(sys.argv))
