"""Solvers of routing problems that learn nothing: exact ones, heuristics, references."""
