"""Sources of many values whose numbers are most like those drawn beside them."""

import numpy as np
from scipy.spatial import KDTree
from scipy.stats import rankdata

# A source of more keys than this is learned less well than what they say.
MAX_CLEAR = 64
# Mean distance of the ranks of keys side by side, as a share of all, from which on they
# say nothing of each other; of unrelated ones it is a third.
MIN_APART = 0.1
# Keys of the nearest numbers, of which the likest is taken.
N_NEAR = 32
# How far apart different names are, where the range of numbers is 1, and that of the
# source itself, or two different ones.
OTHER_NAME, OWN = 0.2, 0.1


def same(a, b):
    """Tell where two columns are equal or both missing."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


def is_scattered(values):
    """Tell whether keys side by side have numbers that are far apart.

    So is the area of a town beside its number: a number that is drawn about right says
    nothing of the area, but an area says which towns may be meant.
    """
    values = values[~np.isnan(values)]
    if len(values) <= MAX_CLEAR:
        return False
    ranks = rankdata(values) / len(values)
    return bool(np.abs(np.diff(ranks)).mean() >= MIN_APART)


def likest_keys(functions, source, wished):
    """Return the keys of a source that make what is most like the targets drawn.

    Parameters
    ----------
    functions : list of Function
        All functions of the source, at least one of them of scattered numbers.
    source : ndarray of shape (n_rows,), dtype float64
        Drawn canonical values of the source.
    wished : list of ndarray of shape (n_rows,), dtype float64
        Drawn canonical values of the target of each function.

    Returns
    -------
    keys : ndarray of shape (n_rows,), dtype float64
    """
    there = ~np.isnan(functions[0].keys)
    keys, shares = functions[0].keys[there], functions[0].shares[there]
    made = [function.values[there] for function in functions]
    columns = [
        (own, wish, function.number, 1.0 if function.number else OTHER_NAME)
        for function, own, wish in zip(functions, made, wished, strict=True)
    ]
    columns.append((keys, source, functions[0].nearest, OWN))
    sides = [
        [weight * side for side in _on_ranks(own, wish, shares)]
        for own, wish, is_number, weight in columns
        if is_number
    ]
    points, aims = (np.hstack(side) for side in zip(*sides, strict=True))
    n_near = min(len(keys), 1 if len(sides) == len(columns) else N_NEAR)
    distances, places = KDTree(points).query(aims, k=range(1, n_near + 1))
    distances = distances**2
    for own, wish, is_number, weight in columns:
        if not is_number:
            distances += weight**2 * ~same(own[places], wish[:, None])
    return keys[places[np.arange(len(places)), distances.argmin(1)]]


def _on_ranks(made, wished, shares):
    """Return places of what keys make and of what was drawn, (n, 1) or (n, 2).

    A number is at its rank among the rows, a missing one in the middle and aside.
    """
    there = ~np.isnan(made)
    order = np.argsort(made[there], kind="stable")
    values, weights = made[there][order], shares[there][order]
    values, first = np.unique(values, return_index=True)
    weights = np.add.reduceat(weights, first)
    ranks = (weights.cumsum() - weights / 2) / weights.sum()
    sides = []
    for part in made, wished:
        missing = np.isnan(part)
        rank = np.where(missing, 0.5, np.interp(part, values, ranks))
        sides.append(np.column_stack([rank, missing]))
    return sides
