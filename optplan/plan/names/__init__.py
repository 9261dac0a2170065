"""Match names of parameters by patterns, and summarize many names by few patterns.

Turns names into patterns and back. Imports errors and names, never torch.
"""
