"""Tests of optplan.cache."""
