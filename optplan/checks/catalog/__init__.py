"""Find mistakes in configs and plans: each module is a check, with its page as the class's docstring.

Turns the context of one config into findings. Imports facts and what is below checks, never what runs them.
"""
