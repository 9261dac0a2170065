"""Names of parameters: matching patterns, and summarizing many names by few patterns."""
