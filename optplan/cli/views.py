"""The views of ``show`` in each format."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from optplan.cli.names import ShowFormat, ShowView

if TYPE_CHECKING:
    from optplan.reporters.rows import Selection
    from optplan.rules.statistics import EntryStatistics
