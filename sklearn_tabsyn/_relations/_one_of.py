"""Columns of which a row has at most one, as the dummies of a category."""

from dataclasses import dataclass

import numpy as np

# Fewer columns determine each other, or are hardly worth a code.
MIN_MEMBERS = 3
# Unrelated columns would never meet with a chance of at most this.
MAX_LOG_CHANCE = np.log(1e-9)


@dataclass
class OneOf:
    """Columns of two values of which at most one is on in each row.

    Parameters
    ----------
    unit : int
        Position of its code, behind all columns of the table.
    members : tuple of int
        Positions of the columns.
    off, on : ndarray of shape (n_members,), dtype float64
        Their canonical values.
    always : bool
        Whether one of them is on in every row.
    """

    unit: int
    members: tuple
    off: np.ndarray
    on: np.ndarray
    always: bool

    def codes(self, frame):
        """Return which member is on, (n_rows,), or their number where none is.

        Of values between off and on the greatest counts.
        """
        values = frame[list(self.members)].to_numpy(np.float64)
        shares = (values - self.off) / (self.on - self.off)
        codes = shares.argmax(1)
        if not self.always:
            codes[shares.max(1) < 0.5] = len(self.members)
        return codes.astype(np.float64)


def find_one_of(columns, frame, some, candidates, min_count=1):
    """Return groups of columns of which at most one is on.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search; what is found must hold in all.
    candidates : list of int
        Positions of the columns.
    min_count : int, default=1
        Rows in which each must be on.

    Returns
    -------
    groups : list of OneOf
        No column is in two.
    """
    ends = {j: _ends(columns[j], frame[j].to_numpy()) for j in candidates}
    is_on = {j: frame[j].to_numpy() == two[1] for j, two in ends.items() if two}
    is_on = {j: on for j, on in is_on.items() if on.sum() >= min_count}
    groups = []
    apart = _apart({j: on[some] for j, on in is_on.items()})
    for members in sorted(map(sorted, apart)):
        n_on = np.sum([is_on[j] for j in members], axis=0)
        if n_on.max() == 1:
            off, on = np.array([ends[j] for j in members]).T
            unit = len(columns) + len(groups)
            groups.append(OneOf(unit, tuple(members), off, on, bool(n_on.min())))
    return groups


def _ends(column, values):
    """Return the canonical values of 0 and 1, or False and True, if all are these."""
    low, high = values.min(), values.max()
    if not low < high or not ((values == low) | (values == high)).all():
        return None
    ends = low, high
    return ends if list(column.restore(np.array(ends))) == [0, 1] else None


def _apart(is_on):
    """Yield columns that never meet, the most frequent first."""
    units = sorted(is_on, key=lambda j: -is_on[j].sum())
    if len(units) < MIN_MEMBERS:
        return
    on = np.stack([is_on[j] for j in units]).astype(np.float32)
    met, n_rows = on @ on.T, on.shape[1]
    counts = np.diag(met)
    free = np.array([not _is_union(place, met) for place in range(len(units))])
    for start in range(len(units)):
        group, left = [], free & (np.arange(len(units)) >= start) & free[start]
        while left.any():
            group.append(left.argmax())
            left &= met[group[-1]] == 0
        if len(group) < MIN_MEMBERS:
            continue
        # Pairs that were to be expected; the best of all subsets was taken.
        pairs = counts[group].sum() ** 2 - (counts[group] ** 2).sum()
        if len(units) * np.log(2) - pairs / 2 / n_rows < MAX_LOG_CHANCE:
            free[group] = False
            yield [units[place] for place in group]


def _is_union(whole, met):
    """Tell whether a column is on where one of several others is."""
    counts, parts = np.diag(met), []
    inside = np.flatnonzero((met[:, whole] == counts) & (counts < counts[whole]))
    for place in inside[np.argsort(-counts[inside], kind="stable")]:
        if not met[parts, place].any():
            parts.append(place)
    return counts[parts].sum() == counts[whole]
