"""Environments of several like agents that one policy moves together."""
