"""Read checkpoints of trainings: each format is a reader, and a line in ``training._READERS``.

A reader turns a file or a folder into plain nested data; ``training`` finds the groups, schedulers, names and
progress in it, the same way for all. Nothing in a checkpoint is run, and no weights are read.
"""
