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
    tells_gaps : bool, default=False
        Whether all of them are missing where the code is, and only there.
    """

    unit: int
    members: tuple
    off: np.ndarray
    on: np.ndarray
    always: bool
    tells_gaps: bool = False

    def codes(self, frame):
        """Return which member is on, (n_rows,), or their number where none is.

        Of values between off and on the greatest counts. Where the one that is on may
        be missing it is NaN.
        """
        values = frame[list(self.members)].to_numpy(np.float64)
        shares = (values - self.off) / (self.on - self.off)
        missing = np.isnan(shares)
        shares[missing] = -np.inf
        codes = shares.argmax(1).astype(np.float64)
        unclear = shares.max(1) < 0.5
        if not self.always:
            codes[unclear] = len(self.members)
        codes[unclear & missing.any(1)] = np.nan
        return codes


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
    is_on = {j: _is_on(frame[j].to_numpy(), *two) for j, two in ends.items() if two}
    is_on = {j: on for j, on in is_on.items() if np.nansum(on) >= min_count}
    apart = _apart({j: on[some] for j, on in is_on.items()})
    apart = (_apart_everywhere(members, is_on) for members in apart)
    groups = []
    for members in sorted(sorted(m) for m in apart if len(m) >= MIN_MEMBERS):
        two = np.array([ends[j] for j in members]).T
        n_on = np.sum([is_on[j] for j in members], axis=0)  # NaN if one is missing
        unit, always = len(columns) + len(groups), not (n_on == 0).any()
        groups.append(OneOf(unit, tuple(members), *two, always))
    return groups


def _apart_everywhere(members, is_on):
    """Return the columns that meet none before them, in any row."""
    taken, kept = np.zeros(len(is_on[members[0]]), dtype=bool), []
    for j in members:
        on = is_on[j] == 1
        if not (on & taken).any():
            taken |= on
            kept.append(j)
    return kept


def _ends(column, values):
    """Return the canonical values of 0 and 1, or False and True, if all are these."""
    values = values[~np.isnan(values)]
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if not low < high or not ((values == low) | (values == high)).all():
        return None
    ends = low, high
    return ends if list(column.restore(np.array(ends))) == [0, 1] else None


def _is_on(values, low, high):
    """Return 1 where a column is on, 0 where it is off, NaN where it is missing."""
    return ((values - low) / (high - low)).astype(np.float32)


def _apart(is_on):
    """Yield columns that never meet, the most frequent first."""
    units = sorted(is_on, key=lambda j: -np.nansum(is_on[j]))
    if len(units) < MIN_MEMBERS:
        return
    on = np.stack([is_on[j] for j in units])
    known = ~np.isnan(on)
    on[~known] = 0
    met, n_rows = on @ on.T, on.shape[1]
    counts = np.diag(met)
    inside = (met == on @ known.T.astype(np.float32)) & (counts[:, None] < counts)
    free = np.ones(len(units), dtype=bool)
    for place in range(len(units)):
        free[place] = not _is_union(place, np.flatnonzero(inside[:, place]), on, known)
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


def _is_union(whole, inside, on, known):
    """Tell whether a column is on where one of several others inside it is."""
    parts = []
    for place in inside:  # the most frequent first
        if not (on[parts] @ on[place]).any():
            parts.append(place)
    rows = known[[whole, *parts]].all(0)
    same = on[parts][:, rows].sum(0) == on[whole, rows]
    return len(parts) > 1 and bool(same.all())
