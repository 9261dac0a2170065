"""Starts a process when it is imported."""

from __future__ import annotations

import subprocess

subprocess.run(["mkdir", "q7x_import_starts"], check=False)
