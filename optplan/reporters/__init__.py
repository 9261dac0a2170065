"""Write reports: a result in, text in one format out, without input, output or exit.

A room for each command that has several formats; `formats` knows none of them. Imports everything below `app`.
"""
