"""Findings of checks, and the pages of the checks."""
