"""Writes into the current folder when it is imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

with open("q7x_import_writes", "w") as file:
    file.write("written")
