"""Read the files that configs are written in."""
