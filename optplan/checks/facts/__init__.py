"""Work out what several checks ask of keys, constructors and schedulers.

Turns a config and its plan into facts about them, each once. Imports what is below checks, never a check.
"""
