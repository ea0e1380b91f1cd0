"""Environments of bodies in empty space, symmetric under motions of space and exchanges of like bodies; N-body data."""
