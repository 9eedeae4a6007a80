"""The archive of what was tried and found. It reads the records of finished studies and nothing else."""

from scientist.search._archive import Archive, Change, Effect, Node

__all__ = ["Archive", "Change", "Effect", "Node"]
