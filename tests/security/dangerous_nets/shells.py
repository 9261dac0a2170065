"""Starts a shell when it is imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

import os

os.system("mkdir q7x_import_shells")
