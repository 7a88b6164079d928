"""Numbers, moved to the nearest known ones."""

import numpy as np


def nearest_of(known, values):
    """Return the nearest of sorted known values; NaN stays NaN."""
    return np.where(np.isnan(values), np.nan, known[nearest_places(known, values)])


def nearest_places(known, values):
    """Return the places of the nearest of sorted known values; any place of NaN."""
    return np.searchsorted((known[1:] + known[:-1]) / 2, values)
