"""Reporters: a result in, text out."""
