"""Write findings and the pages of checks, each module in the format of its name.

Turns a report of checks into text. Imports checks and formats, never cli or app.
"""
