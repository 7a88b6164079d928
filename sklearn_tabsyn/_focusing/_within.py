"""Numbers that lie elsewhere beside each level, and whether drawn ones do."""

from functools import cache

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._focusing._beside import FEW_ROWS, Within, ties_of

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
def find_within(frame, units, sources):
    """Return the pairs of a number and a column whose levels tell much about it.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values of real rows.
    units, sources : list of int
        Columns of numbers, and of levels, that others do not make.

    Returns
    -------
    pairs : list of Within
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
    return pairs


@np.errstate(all="ignore")
def focus_within(focus, pairs, real, weights, drawn):
    """Let a focus move numbers to where they should be beside levels.

    Takes what :func:`focus_near` takes, with the pairs of `find_within`, and returns
    the drawn rows, with what tells which are free, as they are now.
    """
    tables = real, drawn
    # Once for each column, not for each pair.
    bins = cache(lambda unit: _binned(focus, unit, tables))
    codes = cache(lambda unit: _coded(unit, tables))
    off = {}
    for pair in pairs:
        size = _off(*codes(pair.source), bins(pair.target))
        if size > off.get(pair.target, (0.0, None))[0]:
            off[pair.target] = size, pair
    for _, pair in off.values():
        drawn = focus.learn(pair, real, weights, drawn)
    return drawn


def _binned(focus, unit, tables):
    """Return the bins of a number in real and in drawn rows; ties are in none."""
    targets = [focus.read_free(unit, *table) for table in tables]
    ties = ties_of(targets[0])
    targets = [np.where(np.isin(part, ties), np.nan, part) for part in targets]
    cuts = _cuts(targets[0])
    return [_bins(part, cuts) for part in targets]


def _coded(unit, tables):
    """Return the levels of a column in real and in drawn rows, and their number."""
    (real, _), _ = tables
    levels = np.unique(real[unit].dropna())
    return [_codes(frame[unit], levels) for frame, _ in tables], len(levels)


def _off(codes, n_levels, bins):
    """Return by how much drawn rows are off, 0 if that may be chance."""
    pairs = zip(codes, bins, strict=True)
    counts = [_counts(*pair, n_levels) for pair in pairs]
    n_rows = [part.sum(1) for part in counts]
    enough = np.minimum(*n_rows) >= FEW_ROWS
    if n_rows[0][enough].sum() < MIN_SHARE * len(codes[0]):
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
