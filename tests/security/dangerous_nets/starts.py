"""Starts a process when it is imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

import subprocess

subprocess.run(["mkdir", "q7x_import_starts"], check=False)
