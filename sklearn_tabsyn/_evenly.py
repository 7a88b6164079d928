"""A few rows of many, for what need not be measured on all."""

import numpy as np


def even_rows(n_rows, n_most):
    """Return positions of at most `n_most` rows, evenly spaced, from first to last.

    Unlike a random choice they need no seed, and are the same each time.
    """
    return np.unique(np.linspace(0, n_rows - 1, n_most).astype(int))
