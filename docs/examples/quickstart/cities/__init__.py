"""Temperature readings of three cities: the local package that the notebook imports on the cluster."""

from .readings import READINGS, warmest

__all__ = ["READINGS", "warmest"]
