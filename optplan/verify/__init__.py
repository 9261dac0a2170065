"""Prove a plan: make the real optimizer, step it, and compare each step with what the plan says.

Turns a plan, a model and optimizers into a verification. Imports constructors, model and plan; most modules import torch.
"""
