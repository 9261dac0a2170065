"""Reads stdin when it is imported."""

from __future__ import annotations

import os

TEXT = os.read(0, 100)
