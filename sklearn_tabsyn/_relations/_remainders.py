"""What sums of numbers leave, where that is one of few amounts."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._nearest import nearest_of
from sklearn_tabsyn._relations._axes import NameAxis
from sklearn_tabsyn._relations._sums import WeightedSum

# Amounts at most, the share of the rows that must have one of them, and the rows, and
# their share, that must have each.
MAX_AMOUNTS, MIN_SHARE, MIN_ROWS, MIN_EACH = 16, 0.99, 3, 5e-4


@dataclass
class Remainder:
    """What a signed sum of columns lacks of column `target`, told as a further column.

    So is what taxis charge beside the fare, the tip and the tolls: one of a few fees.

    Parameters
    ----------
    unit : int
        Position of the code, behind all columns of the table.
    offset : Offset
        The sum.
    axes : list of Axis
        Axes of the target and the sources.
    """

    unit: int
    offset: object
    axes: list = field(repr=False)

    tells_gaps = False

    @property
    def members(self):
        """Columns that the code stands for."""
        return self.offset.target, *self.offset.sources

    @property
    def axis(self):
        """What each code is on the axis of the target."""
        return NameAxis(self.offset.amounts, self.offset.counts)

    @property
    def formula(self):
        """How the target is computed from the sources and the code."""
        sources, weights = self.offset.sources, self.offset.signs
        reaches = tuple(np.ptp([axis.low, axis.high]) for axis in self.axes[1:])
        return WeightedSum(
            self.offset.target,
            (*sources, self.unit),
            (*weights, 1.0),
            reaches=(*map(float, reaches), 0.0),
        )

    def codes(self, frame):
        """Return the codes of a frame of canonical values, NaN of unknown ones."""
        pairs = zip(self.axes, self.members, strict=True)
        target, *sources = (axis.read(frame[j].to_numpy()) for axis, j in pairs)
        rest = self.offset.difference(target, sources)
        amounts = self.offset.amounts
        near = nearest_of(amounts, np.where(np.isnan(rest), 0.0, rest))
        same = np.abs(near - rest) < self.offset.unit / 2
        return np.where(same, np.searchsorted(amounts, near), np.nan)


def few_amounts(rest, min_count=1):
    """Return the amounts that nearly all rests are, and how many are; none if many."""
    rest = rest[~np.isnan(rest)]
    amounts, counts = np.unique(rest, return_counts=True)
    often = np.argsort(-counts, kind="stable")[:MAX_AMOUNTS]
    least = max(MIN_ROWS, min_count, MIN_EACH * len(rest))
    often = np.sort(often[counts[often] >= least])
    if counts[often].sum() < MIN_SHARE * len(rest):
        often = often[:0]
    amounts = np.array([float(f"{amount:.12g}") for amount in amounts[often]])
    return amounts, counts[often]
