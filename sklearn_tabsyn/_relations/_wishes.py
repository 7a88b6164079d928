"""Sources near those drawn that make the targets drawn beside them."""

import numpy as np

from sklearn_tabsyn._relations._alike import MAX_CLEAR, same

# Values of a target, and keys of its source to each of them, up to which and from which
# a drawn target is a wish.
MAX_VALUES, MIN_KEYS = 128, 2
# Runs of keys that a number is told apart by, if they are as long.
N_RUNS = 32
# Cells of a table of rows and keys that is held in memory at a time.
MAX_CELLS = 2_000_000


def is_wish(values):
    """Tell whether what keys make says which of them is meant, but not just one."""
    n_keys, n_values = len(values), len(np.unique(values))
    many = n_keys > MAX_CLEAR
    return many and n_values <= MAX_VALUES and MIN_KEYS * n_values <= n_keys


def is_crossed(values):
    """Tell whether keys of some value lie side by side with those of others.

    A number is drawn about where it is, so of long runs of keys it is in the right one
    anyway; moved to the next run of what was drawn beside it, it would end at a border.
    """
    values = values[~np.isnan(values)]
    levels, places = np.unique(values, return_inverse=True)
    starts = np.diff(places, prepend=-1) != 0
    runs = np.bincount(places[starts], minlength=len(levels))
    lengths = np.bincount(places) / runs
    return bool(lengths.min(initial=np.inf) <= len(values) / N_RUNS)


def nearest_agreeing(made, wished, places):
    """Return the places of keys next to those drawn that make what is wished.

    Where no key makes it all, those that make the most of it, of which rare values are
    more than frequent ones.

    Parameters
    ----------
    made : list of ndarray of shape (n_keys,)
        What each key makes of each target.
    wished : list of ndarray of shape (n_rows,)
        What was drawn of each target.
    places : ndarray of shape (n_rows,), dtype int64
        Place of the drawn key among all.

    Returns
    -------
    places : ndarray of shape (n_rows,), dtype int64
    """
    pairs = [_levels(*pair) for pair in zip(made, wished, strict=True)]
    keys, rows = _classes(pairs)
    places, found = places.copy(), rows >= 0
    places[found] = _nearest_of_class(keys, rows[found], places[found])
    left = np.flatnonzero(~found)
    for part in np.array_split(left, 1 + len(left) * len(keys) // MAX_CELLS):
        some = [(own, wish[part]) for own, wish in pairs]
        places[part] = _best(some, places[part])
    return places


def _levels(made, wished):
    """Return the numbers of the values that keys make, and of those of rows or -1."""
    levels, keys = np.unique(made, return_inverse=True)
    rows = np.searchsorted(levels, wished).clip(max=len(levels) - 1)
    return keys, np.where(same(levels[rows], wished), rows, -1)


def _classes(pairs):
    """Return the numbers of what keys make of all targets, and of rows or -1.

    `pairs` are what :func:`_levels` returns of each target.
    """
    keys, rows = (np.zeros_like(part) for part in pairs[0])
    for own, wish in pairs:
        n_levels = own.max() + 1
        classes, keys = np.unique(keys * n_levels + own, return_inverse=True)
        aims = rows * n_levels + wish
        rows = np.searchsorted(classes, aims).clip(max=len(classes) - 1)
        rows = np.where((wish >= 0) & (classes[rows] == aims), rows, -1)
    return keys, rows


def _nearest_of_class(keys, rows, places):
    """Return the nearest place of a key of the same class as each row."""
    n_keys = len(keys)
    ordered = np.sort(keys * n_keys + np.arange(n_keys))
    aims = rows * n_keys + places
    right = np.searchsorted(ordered, aims).clip(max=n_keys - 1)
    sides = np.stack([ordered[(right - 1).clip(0)], ordered[right]])
    distance = np.where(sides // n_keys == rows, np.abs(sides - aims), n_keys)
    return np.take_along_axis(sides, distance.argmin(0)[None], 0)[0] % n_keys


def _best(pairs, places):
    """Return the places of the keys that make most of what is wished."""
    n_keys = len(pairs[0][0])
    distance = np.abs(np.arange(n_keys) - places[:, None]) / n_keys
    score = -1e-6 * distance  # decides only between keys that make as much
    for own, wish in pairs:
        worth = -np.log(np.bincount(own) / n_keys)[wish]
        score += (own == wish[:, None]) * worth[:, None]
    return score.argmax(1)
