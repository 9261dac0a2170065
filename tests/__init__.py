"""Tests of optplan."""
