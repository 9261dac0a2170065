"""What several checks ask of keys, constructors and schedulers."""
