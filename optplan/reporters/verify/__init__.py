"""Write a verification, each module in the format of its name.

Turns the result of a verification into text. Imports the results of verify, plan and formats, never torch.
"""
