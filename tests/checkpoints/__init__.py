"""Tests of optplan.checkpoints."""
