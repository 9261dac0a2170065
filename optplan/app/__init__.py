"""Do what each command does, without the command line: a request in, a result out.

Imports the rooms below, never cli; torch is imported where a command needs it.
"""
