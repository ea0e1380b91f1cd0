"""Agents of symbench, in the folder ``weights``; :func:`symbench.zoo.bundled` finds them. There is no code here."""
