"""Training of routing models."""
