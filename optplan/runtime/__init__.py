"""Control the process: which names of a file are imported and called, and what that code may do.

``installed`` says what an installed distribution is, ``gate`` imports and admits what a file names,
``audit`` refuses what such code must not do, and ``isolation`` runs it in a process of its own.
Imports errors, names and places.
"""
