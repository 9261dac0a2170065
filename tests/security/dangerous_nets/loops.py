"""Never ends to be imported."""

# ruff: noqa: S, PTH
from __future__ import annotations

while True:
    pass
