"""What each setting has at each step of a training."""
