"""A plan proved: the real optimizer on a real device, stepped and held against what the plan says."""
