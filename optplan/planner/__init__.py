"""Plan built-in constructors from facts alone, without importing torch."""
