"""DeepSpeed, in an environment of its own."""
