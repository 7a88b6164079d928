"""Groups of neighbouring values, so that no value of a few rows is kept."""

import numpy as np


def group_values(column, least):
    """Return knots that stand for a column without its rare values.

    Values found in at least `least` rows stay. Consecutive others between two of them
    form groups of at least as many rows, and their mean stands for them. Too few to be
    a group have no knot; at an end of the column they belong to the nearest one.

    Parameters
    ----------
    column : ndarray of shape (n_rows,), dtype float64
        None, or no fewer than `least` values.
    least : int
        Rows that a value or a group has at least.

    Returns
    -------
    knots : ndarray of shape (n_knots,), dtype float64
        Values that stay and means of groups, sorted.
    low, high : ndarray of shape (n_knots,), dtype float64
        The lowest and highest rank of a value that stays; the middle one of a group.
    edges : ndarray of shape (n_cells + 1,), dtype float64
        The ranks between cells, from 0 to 1. A cell is a knot, or what has none.
    """
    if not len(column):
        return (column,) * 4
    values, counts = np.unique(column, return_counts=True)
    stays = counts >= least
    new = _starts(counts, stays, least)
    group = np.cumsum(new) - 1
    rows = np.bincount(group, counts).astype(np.int64)
    exact = stays[new]
    knots = np.where(exact, values[new], _means(values, counts, group, rows))
    with_knot = np.flatnonzero(rows >= least)
    first, last = with_knot[0], with_knot[-1]
    # What lies beyond the first and the last knot belongs to these.
    inner = np.cumsum(rows)[first:last]
    edges = np.concatenate([[0], inner, [len(column)]]) / len(column)
    low, high = edges[with_knot - first], edges[with_knot - first + 1]
    knots, exact = knots[with_knot], exact[with_knot]
    middle = (low + high) / 2
    return knots, np.where(exact, low, middle), np.where(exact, high, middle), edges


def cells_of(ranks, edges):
    """Return the lower and upper edge of the cell that each rank lies in."""
    cell = np.searchsorted(edges, ranks, side="right") - 1
    cell = np.minimum(cell, len(edges) - 2)
    return edges[cell], edges[cell + 1]


def _starts(counts, stays, least):
    """Tell for each value whether a group starts with it."""
    new_run = stays.copy()
    new_run[1:] |= stays[:-1]
    new_run[0] = True
    starts = np.flatnonzero(new_run)
    run = np.cumsum(new_run) - 1
    # A value is in one group only, so groups of this width have no fewer than `least`.
    width = least + np.maximum.reduceat(counts, starts) - 1
    n_groups = np.maximum(np.add.reduceat(counts, starts) // width, 1)
    before = np.cumsum(counts) - counts
    place = (before - before[starts][run]) // width[run]
    place = np.minimum(place, n_groups[run] - 1)
    return new_run | (np.diff(place, prepend=-1) != 0)


def _means(values, counts, group, rows):
    """Return the mean of each group, moved a little inwards where it is a value."""
    first = np.searchsorted(group, np.arange(len(rows)))
    last = np.searchsorted(group, np.arange(len(rows)), side="right") - 1
    means = np.bincount(group, values * (counts / rows[group]))
    means = means.clip(values[first], values[last])
    at = np.searchsorted(values, means)
    inwards = np.where(np.arange(len(rows)) < len(rows) / 2, 1, -1)
    beside = (at + inwards).clip(first, last)
    return np.where(values[at] == means, values[at] / 2 + values[beside] / 2, means)
