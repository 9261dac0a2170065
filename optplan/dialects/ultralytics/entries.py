"""The entry that optplan adds to ultralytics' arguments."""

from __future__ import annotations

# How many images an epoch has, which decides what `optimizer: auto` is.
IMAGES = "images"
