"""A verification: its result in, text in the format of the module's name out.

Imports the results of verify, plan and formats, never torch.
"""
