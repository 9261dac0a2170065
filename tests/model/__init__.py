"""Tests of optplan.model."""
