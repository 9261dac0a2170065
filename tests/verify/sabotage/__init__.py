"""Optimizers, functions, hooks and models that do something else than they say: what `verify` must find."""
