"""Lightning: modules that make their own optimizers, run without a trainer."""
