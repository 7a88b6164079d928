"""Columns of numbers that follow from those before them."""

import numpy as np

from sklearn_tabsyn._evenly import even_rows

# Rows that are looked at, and how many more than columns these must be.
N_FEW, MIN_MORE = 1_000, 50
# Rows of the parts of them that are looked at too, and how many kinds of rows without
# some gaps.
MIN_PART, MAX_KINDS = 200, 12
# Share of its spread that others leave of a number that follows from them, and of one
# that was rounded then; times more than rounding alone may leave of the latter.
MAX_LEFT, MAX_COARSE, MORE = 1e-5, 0.03, 1.5


def parts_of(values):
    """Yield some rows, and smaller parts of them.

    A mistaken row hides what holds in all others, but not in all of these parts.
    """
    few = values[even_rows(len(values), N_FEW)]
    n_parts = len(few) // MIN_PART
    yield few
    if n_parts > 1:
        yield from np.array_split(few, n_parts)


def parts_for_each(values):
    """Yield the same, and those of rows in which a column has no gaps, for each.

    What it is made of has none there either, whatever is missing in other rows.
    """
    yield from parts_of(values)
    there = ~np.isnan(values)
    kinds = np.unique(there[:, ~there.all(0)], axis=1).T
    # Those of most rows first.
    for kind in kinds[np.argsort(-kinds.sum(1), kind="stable")][:MAX_KINDS]:
        rows = np.flatnonzero(kind)
        if len(rows) >= MIN_PART:
            yield from parts_of(values[rows])


def dependent(few, slack=None):
    """Yield columns that are a weighted sum of others, and a constant, in all rows.

    Each column is compared, by least squares, with what those before it make of it that
    do not follow from others themselves.

    Parameters
    ----------
    few : ndarray of shape (n_rows, n_columns)
        Some rows of the columns; those with gaps follow from none.
    slack : ndarray of shape (n_columns,), default=None
        How far rounding may have moved the numbers of each; not at all if None.

    Yields
    ------
    places : ndarray of shape (n_members,), dtype int64
        Places of a column, and of those before it.
    weights : ndarray of shape (n_members,), dtype float64
        What each is times in a sum that is constant, -1 for the column itself.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        few, spread = few - few.mean(0), few.std(0)
    basis, before = np.empty((len(few), 0)), []
    for place in np.flatnonzero((spread > 0) & np.isfinite(spread)):
        if len(before) + MIN_MORE > len(few):
            break
        left = few[:, place] / spread[place]
        for _ in range(2):  # the second time what rounding has left of the first
            left = left - basis @ (basis.T @ left)
        size = np.linalg.norm(left)
        exact = size <= MAX_LEFT * np.sqrt(len(few))
        if exact or (slack is not None and size <= MAX_COARSE * np.sqrt(len(few))):
            weights = np.linalg.lstsq(few[:, before], few[:, place])[0]
            weights, places = np.append(-1.0, weights), np.append(place, before)
            if exact or np.abs(left).max() * spread[place] <= MORE * np.max(
                np.abs(weights) * slack[places]
            ):
                yield places, weights
                continue
        basis = np.c_[basis, left / size]
        before.append(place)
