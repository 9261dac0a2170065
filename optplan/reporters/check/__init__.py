"""Findings and the pages of checks: a report of checks in, text in the format of the module's name out.

Imports checks and formats, never cli or app.
"""
