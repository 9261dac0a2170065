"""Tests of ``optplan.verify``."""
