"""Pairs of numbers that are exactly equal in many rows."""

from dataclasses import dataclass

import numpy as np

# Two columns are linked if they agree in at least this share of the rows, and in this
# many times as many as the same columns in unrelated rows.
MIN_SHARE, MIN_LIFT = 0.02, 4.0
# A value with at least this share of a column agrees often without a reason.
COMMON = 0.01
# Rows on which links are searched.
N_SEARCHED = 20_000


@dataclass
class Link:
    """Column `target` equals column `source` in some rows.

    No smooth model of two numbers can say so, as when a bill is paid in full. The rows
    where it holds are marked by a level of their own, and decoded by a copy.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    common : ndarray of shape (n_values,)
        Values of the target that are common anyway, such as zero; rows with them
        are not marked.
    """

    target: int
    source: int
    common: np.ndarray

    def holds(self, natural):
        """Tell for each row of a frame of natural values whether it is linked."""
        target, source = (natural.iloc[:, j] for j in (self.target, self.source))
        return ((target == source) & ~np.isin(target, self.common)).to_numpy()


def find_links(natural, candidates, min_count=1):
    """Return the links between columns of numbers, sources before their targets.

    Parameters
    ----------
    natural : DataFrame of shape (n_rows, n_columns)
        Natural values of all columns.
    candidates : list of int
        Positions of the columns that may be linked.
    min_count : int, default=1
        Rows in which a value must be found to be kept.

    Returns
    -------
    links : list of Link
        At most one for each target.
    """
    some = np.unique(np.linspace(0, len(natural) - 1, N_SEARCHED).astype(int))
    values = natural.iloc[some, candidates].to_numpy(dtype=np.float64, copy=True)
    common = [_common(column, min_count) for column in values.T]
    for column, often in zip(values.T, common, strict=True):
        column[np.isin(column, often)] = np.nan
    strengths = [
        (strength, i, j)
        for i in range(len(candidates))
        for j in range(i)
        if (strength := _strength(values[:, i], values[:, j]))
    ]
    sources = {}
    for _, i, j in sorted(strengths, reverse=True):
        # The later column copies the earlier one, so no chain ends in itself.
        sources.setdefault(i, j)
    return [
        Link(candidates[i], candidates[j], common[i])
        for i, j in sorted(sources.items())
    ]


def _common(column, min_count):
    """Return the values that make up much of a column."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    least = max(2, min_count, COMMON * len(column))
    return values[counts >= least]


def _strength(a, b):
    """Return the share of equal rows, or 0 if it is small or may be chance."""
    share = np.mean(a == b)
    if share < MIN_SHARE or share < MIN_LIFT * np.mean(a == np.roll(b, 1)):
        return 0.0
    return float(share)
