"""A real optimizer held against its plan."""
