"""Starts a thread that does something later when it is imported."""

from __future__ import annotations

import os
import threading

threading.Timer(0.3, os.mkdir, ["q7x_import_starts_thread"]).start()
