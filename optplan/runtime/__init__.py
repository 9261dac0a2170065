"""What a file may cause: which names are imported, what is called, and what such code may do.

``installed`` says what an installed distribution is, ``gate`` imports and admits what a file names,
``audit`` refuses what such code must not do, and ``isolation`` runs it in a process of its own.
"""
