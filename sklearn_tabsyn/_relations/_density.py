"""How dense the numbers of a column are."""

from dataclasses import dataclass

import numpy as np

# Neighbours at least, and groups of them at most, by which a density is told.
N_NEIGHBOURS, MAX_KNOTS = 8, 256
# Least density that has a logarithm.
TINY = np.finfo(np.float64).tiny


@dataclass
class Density:
    """The density of a number, by the distances between groups of neighbours.

    Parameters
    ----------
    knots : ndarray of shape (n_knots,), dtype float64
        Sorted means of groups of as many values each.
    unit : float
        Below this distance values are the same.
    """

    knots: np.ndarray
    unit: float

    @classmethod
    def of(cls, values, unit, min_count=1):
        """Return the density of values, of which some may be NaN."""
        values = np.sort(values[~np.isnan(values)])
        if not len(values):
            return cls(np.zeros(1), unit)
        size = max(N_NEIGHBOURS, min_count, len(values) // MAX_KNOTS)
        edges = np.linspace(0, len(values), max(1, len(values) // size) + 1).astype(int)
        first, last = values[edges[:-1]], values[edges[1:] - 1]
        means = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
        # A mean of equal values is this value, but for rounding.
        knots = np.where(first == last, first, means.clip(first, last))
        return cls(knots, unit)

    def log(self, values):
        """Return log-densities, NaN of NaN; beyond the knots that of an end."""
        values = values.clip(self.knots[0], self.knots[-1])
        left = np.searchsorted(self.knots, values, "left")
        right = np.searchsorted(self.knots, values, "right")
        last = len(self.knots) - 1
        low, high = (left - 1).clip(0), right.clip(max=last)
        distance = np.maximum(self.knots[high] - self.knots[low], self.unit)
        density = np.maximum((high - low) / distance, (right - left) / self.unit)
        density = np.where(np.isnan(values), np.nan, density)
        # Numbers near the largest of all are too far apart to have one.
        return np.log(np.maximum(density / len(self.knots), TINY))
