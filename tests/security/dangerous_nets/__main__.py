"""The command line of this package."""

from __future__ import annotations

import os
import sys

os.mkdir("q7x_main_of_package")
sys.exit(0)
