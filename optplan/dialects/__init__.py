"""The ways in which trainings are written down: a folder each."""
