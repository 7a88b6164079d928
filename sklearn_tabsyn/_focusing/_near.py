"""Numbers that are near to others, and whether drawn ones are as near."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csgraph
from scipy.stats import ks_2samp

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._focusing._beside import Near
from sklearn_tabsyn._focusing._focus import movable

# Rows by which pairs are searched.
N_FEW = 4_000
# Rank correlation of numbers that may be near, and how near they are: the logarithm of
# their ratio, or a share of the smaller of their standard deviations.
MIN_CORRELATION, REACH = 0.8, 0.3
# Share of the rows in which they must be so near, and how many at least.
MIN_SHARE, MIN_ROWS = 0.15, 300
# By how much a distribution must be off to be mended (Kolmogorov and Smirnov), and by
# how many times the root of what chance alone does.
MIN_OFF, SURE = 0.04, 2.0


@np.errstate(all="ignore")  # numbers may be too large to square
def find_near(columns, frame, units):
    """Return the pairs of numbers that are near to each other in many rows.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values of real rows.
    units : list of int
        Columns of numbers that others do not make.

    Returns
    -------
    axes : dict of int to Axis
        Positions and axes of the columns.
    ways : list of Near
        Pairs of columns, with how they are near, by their ratio, difference or both.
    """
    few = frame.iloc[even_rows(len(frame), N_FEW)]
    alike = few[units].rank().corr().to_numpy() >= MIN_CORRELATION
    pairs = [(units[i], units[j]) for i, j in np.argwhere(np.triu(alike, 1))]
    axes = movable(columns, frame, {unit for pair in pairs for unit in pair})
    read = {unit: axis.read(few[unit].to_numpy()) for unit, axis in axes.items()}
    ways = []
    for pair in pairs:
        if not axes.keys() >= set(pair):
            continue
        spread = min(float(np.nanstd(read[unit])) for unit in pair)
        for near in (Near(*pair, True, REACH), Near(*pair, False, REACH * spread)):
            if _is_enough(near.rest(*(read[unit] for unit in pair))):
                ways.append(near)
    return axes, ways


def focus_near(focus, ways, real, weights, drawn):
    """Let a focus move numbers to where they should be beside others.

    Parameters
    ----------
    focus : Focus
        Knows the axes of the numbers.
    ways : list of Near
        See `find_near`.
    real, drawn : tuple of (DataFrame, callable)
        Canonical values of real and of drawn rows, and what tells in which of them a
        column, by its position, is not made of others.
    weights : ndarray of shape (n_rows,)
        Weights of the real rows.
    """
    off, sizes = {}, {}
    for near in ways:
        pair, size = (near.target, near.source), _off(near, focus, real, drawn)
        if size > sizes.get(pair, 0):
            off[pair], sizes[pair] = near, size
    for target, source in _sources_first(sizes):
        near = off[min(target, source), max(target, source)]
        near = replace(near, target=target, source=source)
        drawn = focus.learn(near, real, weights, drawn)


def _off(near, focus, real, drawn):
    """Return by how much drawn rows are off, 0 if that may be chance."""
    rests = []
    for table in (real, drawn):
        rest = near.rest(*focus.read_pair(near, *table))
        rest = rest[even_rows(len(rest), N_FEW)]
        if not _is_enough(rest):
            return 0.0
        rests.append(rest[~np.isnan(rest)])
    size = ks_2samp(*rests, method="asymp").statistic
    chance = SURE * np.sqrt(sum(1 / len(rest) for rest in rests))
    return size if size > max(MIN_OFF, chance) else 0.0


def _is_enough(rest):
    """Tell whether there is a rest in enough rows."""
    return np.count_nonzero(~np.isnan(rest)) >= max(MIN_ROWS, MIN_SHARE * len(rest))


def _sources_first(off):
    """Yield (target, source) of the pairs that are most off, each target once.

    They are a forest: of pairs that go round in a circle that which is off least is
    left out.
    """
    if not off:
        return
    n_units = 1 + max(max(pair) for pair in off)
    costs = np.zeros((n_units, n_units))
    for pair, size in off.items():
        costs[pair] = 2.0 - size
    forest = csgraph.minimum_spanning_tree(costs)
    _, members = csgraph.connected_components(forest, directed=False)
    for root in np.unique(members, return_index=True)[1]:
        order, before = csgraph.breadth_first_order(forest, root, directed=False)
        yield from ((int(unit), int(before[unit])) for unit in order[1:])
