"""Numbers that add up to the same in all rows but for a few, as shares do to one."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._dependent import dependent, parts_of
from sklearn_tabsyn._relations._formulas import MIN_SHARE

# Two columns with a constant sum determine each other.
MIN_MEMBERS = 3
# How far from whole weights may be, and how coarse the members, beside their spread.
NEARLY, MAX_COARSE = 1e-3, 1e-3


@dataclass
class Total:
    """Columns of numbers whose sum is the same in all rows but for a few.

    New rows all have it.

    Parameters
    ----------
    members : tuple of int
        Positions of the columns.
    amount : float
        Their sum.
    densities : list of Density
        How dense the numbers of each are.
    share : float
        Share of the rows that have it.
    """

    members: tuple
    amount: float
    densities: list = field(default_factory=list, repr=False, compare=False)
    share: float = field(default=1.0, compare=False)

    def learn(self, axes, column, min_count=1):
        """Learn the densities from all rows of the members."""
        parts = {j: column(j) for j in self.members}
        least = {j: max(axes[j].unit, 1e-9 * np.ptp(parts[j])) for j in parts}
        self.densities = [
            Density.of(part, least[j], min_count) for j, part in parts.items()
        ]

    def split(self, values, lows, highs, fixed):
        """Return numbers, (k, n), of the right sum, moved as little as can be seen.

        What is too much or too little is shared by how far numbers are from the least
        of their column and from each other: frequent ones nearly stay.

        Parameters
        ----------
        values : ndarray of shape (k, n_rows)
            Numbers of the members.
        lows, highs : ndarray of shape (k, 1)
            The least and the greatest number of each.
        fixed : ndarray of shape (k, n_rows), dtype bool
            What stays as it is.
        """
        pairs = zip(self.densities, values, strict=True)
        room = np.stack([np.exp(-density.log(part)) for density, part in pairs])
        room, free = room * (values - lows), ~fixed
        for _ in values:  # each time some may reach their least or greatest
            room = np.where(free, room, 0.0)
            whole = room.sum(0)
            share = room / np.where(whole > 0, whole, 1.0)
            moved = values + share * (self.amount - values.sum(0))
            values = np.where(free, moved.clip(lows, highs), values)
            free = free & (moved == values)
        return values

    def find_share(self, axes, column):
        """Find the share of the rows with this sum, as exactly as the columns tell."""
        parts = np.stack([column(j) for j in self.members])
        error = 4 * max(axes[j].eps for j in self.members) * np.abs(parts).sum(0)
        coarse = sum(axes[j].unit for j in self.members) / 2
        if coarse <= MAX_COARSE * parts.std(1).min():
            error = error + coarse
        self.share = float(np.mean(np.abs(parts.sum(0) - self.amount) <= error))


def find_totals(values, axes, column, min_count=1):
    """Return the totals of columns of numbers.

    If a column follows from others, and all weights are -1 or none, they add up to a
    constant.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Some rows of the columns; those with gaps are in no total.
    axes : dict of int to Axis
        Positions and axes of the columns.
    column : callable
        Returns all rows of a column, by its position.
    min_count : int, default=1
        Rows of which a number that is kept is at least a mean.

    Returns
    -------
    totals : list of Total
        No column is in two.
    """
    found, units = [], np.array(list(axes))
    for part in parts_of(values):
        for places, weights in dependent(part):
            parts = np.abs(weights) > NEARLY
            members = tuple(np.sort(units[places[parts]]).tolist())
            whole = np.allclose(weights[parts], -1, atol=NEARLY)
            taken = {j for total in found for j in total.members}
            if len(members) < MIN_MEMBERS or not whole or taken & set(members):
                continue
            total = Total(members, _amount(members, column))
            total.find_share(axes, column)
            if total.share >= MIN_SHARE:
                total.learn(axes, column, min_count)
                found.append(total)
    return found


def _amount(members, column):
    """Return the median sum of columns, without what rounding has added."""
    return float(f"{np.median(sum(map(column, members))):.12g}")
