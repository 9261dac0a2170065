"""Tests of optplan.rules."""
