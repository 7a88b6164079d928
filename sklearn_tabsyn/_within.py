"""Numbers that lie elsewhere beside each level, and whether drawn ones do."""

import numpy as np

from sklearn_tabsyn._beside import FEW_ROWS, Within, ties_of
from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._focus import movable

# Rows by which pairs are searched, levels of a column at most, and bins of a number.
N_FEW, MAX_LEVELS, N_BINS = 4_000, 64, 64
# How far numbers beside a level lie from all of them, on average over the rows, where
# the level counts (Kolmogorov and Smirnov), and the share of rows of frequent levels.
MIN_TOLD, MIN_SHARE = 0.15, 0.3
# Mean and standard deviation of the distance that chance alone makes, as a share of
# the root of 1 / n + 1 / m (Kolmogorov 1933).
CHANCE, SPREAD = 0.87, 0.26
# By how much more drawn rows must be off to be mended, on average over the rows, and by
# how many standard deviations over the levels.
MIN_OFF, SURE = 0.04, 5.0


@np.errstate(all="ignore")  # numbers may be too large to tell them apart
def find_within(columns, frame, units, sources):
    """Return the numbers that levels of other columns tell much about.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values of real rows.
    units : list of int
        Columns of numbers that others do not make.
    sources : list of int
        Columns of levels that others do not make.

    Returns
    -------
    axes : dict of int to Axis
        Positions and axes of the numbers.
    pairs : list of Within
        Pairs of a number and a column of levels.
    """
    few = frame.iloc[even_rows(len(frame), N_FEW)]
    bins = {unit: _bins(few[unit], _cuts(few[unit])) for unit in units}
    pairs = []
    for source in sources:
        levels = np.unique(few[source].dropna())
        if not 1 < len(levels) <= MAX_LEVELS:
            continue
        codes = _codes(few[source], levels)
        for unit in units:
            counts = _counts(codes, bins[unit], len(levels))
            n_rows = counts.sum(1)
            told = n_rows @ _distances(counts, counts.sum(0, keepdims=True))
            if told > MIN_TOLD * n_rows.sum():
                pairs.append(Within(unit, source))
    axes = movable(columns, frame, {pair.target for pair in pairs})
    return axes, [pair for pair in pairs if pair.target in axes]


@np.errstate(all="ignore")
def focus_within(focus, pairs, real, weights, drawn):
    """Let a focus move numbers to where they should be beside levels.

    Parameters
    ----------
    focus : Focus
        Knows the axes of the numbers.
    pairs : list of Within
        See `find_within`.
    real, drawn : tuple of (DataFrame, callable)
        Canonical values of real and of drawn rows, and what tells in which of them a
        column, by its position, is not made of others.
    weights : ndarray of shape (n_rows,)
        Weights of the real rows.

    Returns
    -------
    drawn : tuple of (DataFrame, callable)
        The drawn rows as they are now.
    """
    off = {}
    for pair in pairs:
        size = _off(pair, focus, real, drawn)
        if size > off.get(pair.target, (0.0, None))[0]:
            off[pair.target] = size, pair
    for _, pair in off.values():
        drawn = focus.learn(pair, real, weights, drawn)
    return drawn


def _off(pair, focus, real, drawn):
    """Return by how much drawn rows are off, 0 if that may be chance."""
    tables = [focus.read_pair(pair, *table) for table in (real, drawn)]
    targets, sources = tables[0]
    ties, levels = ties_of(targets), np.unique(sources[~np.isnan(sources)])
    cuts = _cuts(targets[~np.isin(targets, ties)])
    counts = []
    for target, source in tables:
        bins = np.where(np.isin(target, ties), -1, _bins(target, cuts))
        counts.append(_counts(_codes(source, levels), bins, len(levels)))
    n_rows = [part.sum(1) for part in counts]
    enough = np.minimum(*n_rows) >= FEW_ROWS
    if n_rows[0][enough].sum() < MIN_SHARE * len(targets):
        return 0.0
    counts = [part[enough] for part in counts]
    chance = np.sqrt(sum(1 / part.sum(1) for part in counts))
    distances = _distances(*counts)
    beyond = (distances / chance).mean() - CHANCE
    if beyond < SURE * SPREAD / np.sqrt(len(chance)):
        return 0.0
    size = np.average(distances - CHANCE * chance, weights=n_rows[0][enough])
    return size if size > MIN_OFF else 0.0


def _cuts(values):
    """Return where bins of about as many numbers meet."""
    values = np.asarray(values)
    values = values[~np.isnan(values)]
    if not len(values):
        return values
    return np.unique(np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:-1]))


def _bins(values, cuts):
    """Return the bins of numbers, -1 where there is none."""
    values = np.asarray(values)
    return np.where(np.isnan(values), -1, np.searchsorted(cuts, values))


def _codes(values, levels):
    """Return the positions of values among levels, -1 where there is none."""
    values = np.asarray(values)
    places = np.searchsorted(levels, values).clip(max=len(levels) - 1)
    return np.where(levels[places] == values, places, -1)


def _counts(codes, bins, n_levels):
    """Return how many rows each level has in each bin, (n_levels, N_BINS)."""
    there = (codes >= 0) & (bins >= 0)
    cells = codes[there] * N_BINS + bins[there]
    return np.bincount(cells, minlength=n_levels * N_BINS).reshape(n_levels, N_BINS)


def _distances(some, others):
    """Return how far the distributions of each level lie apart, (n_levels,)."""
    some, others = (
        part.cumsum(1) / part.sum(1, keepdims=True).clip(min=1)
        for part in (some, others)
    )
    return np.abs(some - others).max(1)
