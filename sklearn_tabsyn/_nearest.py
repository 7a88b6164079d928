"""Numbers, moved to the nearest known ones."""

import numpy as np


def nearest_of(known, values):
    """Return the nearest of sorted known values; NaN stays NaN."""
    middles = (known[1:] + known[:-1]) / 2
    nearest = known[np.searchsorted(middles, values)]
    return np.where(np.isnan(values), np.nan, nearest)
