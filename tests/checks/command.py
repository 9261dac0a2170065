"""The command with the fake checks: ``python -m tests.checks.command check …``."""

from __future__ import annotations

import optplan.checks
from optplan.cli import main
from tests.checks.fakes import FAKES

if __name__ == "__main__":
    optplan.checks.ALL_CHECKS = FAKES
    main()
