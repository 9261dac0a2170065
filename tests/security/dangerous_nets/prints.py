"""Prints when it is imported."""

from __future__ import annotations

import os

print("q7x_import_prints")
os.write(1, b"q7x_import_prints")
