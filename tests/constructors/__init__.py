"""Tests of optplan.constructors."""
