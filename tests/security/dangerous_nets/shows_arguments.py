"""Shows what the command line says when it is imported."""

from __future__ import annotations

import sys

raise ImportError(" ".join(sys.argv))
