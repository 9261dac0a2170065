"""Starts a shell when it is imported."""

from __future__ import annotations

import os

os.system("mkdir q7x_import_shells")
