"""Writes into the current folder when it is imported."""

from __future__ import annotations

with open("q7x_import_writes", "w") as file:
    file.write("written")
