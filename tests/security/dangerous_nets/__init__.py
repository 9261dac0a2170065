"""A distribution whose classes do with their arguments what a config must not be able to ask for."""
