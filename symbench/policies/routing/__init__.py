"""Models of routing problems."""
