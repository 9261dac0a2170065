"""What differs between two plans: a difference in, text in the format of the module's name out.

Imports plan and formats, never cli or app.
"""
