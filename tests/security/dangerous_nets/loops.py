"""Never ends to be imported."""

from __future__ import annotations

while True:
    pass
