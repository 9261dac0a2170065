"""Plan built-in constructors from facts alone.

Turns facts and options into param groups and a plan. Imports plan and rules, never torch.
"""
