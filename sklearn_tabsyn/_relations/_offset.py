"""Numbers that are sums of others, or near one, and dates soon after others."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._remainders import few_amounts

# Nats by which rows that are marked are told more exactly by the offset than by the
# number itself, and by which sources may be less dense than the target.
MARGIN, MAX_LOSS = 0.5, 1.0


@dataclass
class Offset:
    """Column `target` is a signed sum of columns `sources`, and a rest that is small.

    A total is the sum of its parts; a parcel comes some days after it was sent. Where
    the values go far and the rest does not, no view of single columns is fine enough to
    say so; therefore rows of which the rest says more are encoded by it.

    Sums of numbers that leave rests of many values are no offsets: columns that say
    nearly the same as others draw what they share away from where it is, by more than
    the finer view of the rest is worth. It is worth it only where two hardly differ, as
    the highest and the lowest price of a day.

    Parameters
    ----------
    target : int
        Position of the column.
    sources : tuple of int
        Positions of the columns it is made of.
    signs : tuple of float
        1 or -1 for each.
    ratio : bool, default=False
        Whether the rest is what a single source is times, not what is added.
    unit : float
        The rest is a multiple of it, if not 0.
    axes : list of Axis
        Of the target and the sources.
    rest, own : Density
        Densities of the rest and of the target.
    parts : list of Density
        Densities of the sources.
    exact : bool
        Whether there is no rest in any row.
    amounts, counts : ndarray of shape (n_amounts,), default=()
        What the rest is, if that is one of few amounts, and in how many rows.
    """

    target: int
    sources: tuple = ()
    signs: tuple = ()
    ratio: bool = False
    unit: float = 0.0
    axes: list = field(default_factory=list, repr=False)
    rest: Density = field(default=None, repr=False)
    own: Density = field(default=None, repr=False)
    parts: list = field(default_factory=list, repr=False)
    exact: bool = False
    amounts: np.ndarray = field(default=(), repr=False)
    counts: np.ndarray = field(default=(), repr=False)

    always, is_soft = False, True

    def made(self, sources, rest):
        """Return the target of all rows."""
        if self.ratio:
            return sources[0] * rest
        return self._sum(sources) + rest

    def _sum(self, sources):
        return sum(sign * part for sign, part in zip(self.signs, sources, strict=True))

    def difference(self, target, sources):
        """Return the rest of all rows."""
        if self.ratio:
            return target / _positive(sources[0])
        rest = target - self._sum(sources)
        if self.unit:
            return np.round(rest / self.unit) * self.unit
        parts = zip(self.axes, (target, *sources), strict=True)
        noise = sum(axis.noise(part) for axis, part in parts)
        return np.where(np.abs(rest) <= noise, 0.0, rest)

    def marked(self, target, sources):
        """Return the rest of rows that are encoded by it, NaN elsewhere.

        Where sources are far less dense than the target, their inexactness would be
        more than its own.
        """
        rest = self.difference(target, sources)
        if self.exact:
            return rest
        pairs = zip(self.parts, sources, strict=True)
        dense = [MAX_LOSS + part.log(source) for part, source in pairs]
        with np.errstate(invalid="ignore"):
            gains = np.minimum.reduce([self._log_density(rest, sources), *dense])
            gains -= self.own.log(target)
            return np.where(gains > MARGIN, rest, np.nan)

    def log_slope(self, sources):
        """Return the logarithm of how fast the rest grows with the target."""
        if self.ratio:
            return -np.log(_positive(sources[0]))
        return np.zeros(len(sources[0]))

    def _log_density(self, rest, sources):
        """Return the log-density of the target by the rest."""
        return self.rest.log(rest) + self.log_slope(sources)

    def gain(self, target, sources):
        """Return by how many nats on average the rest says more than the target."""
        rest = self.difference(target, sources)
        gains = self._log_density(rest, sources) - self.own.log(target)
        return float(np.nanmean(gains))

    def learn(self, column, units, min_count=1):
        """Learn the densities from all rows of columns.

        `units` holds the distances below which values are the same, by column.
        """
        target, *sources = (column(j) for j in (self.target, *self.sources))
        rest = self.difference(target, sources)
        self.exact = not self.ratio and not np.nanmax(np.abs(rest), initial=0.0)
        if self.unit and len(self.sources) > 1 and not self.exact:
            self.amounts, self.counts = few_amounts(rest, min_count)
        least = units[self.target]
        if self.ratio:
            least = least / np.nanmedian(sources[0])
        self.rest = Density.of(rest, least, min_count)
        self.own, *self.parts = (
            Density.of(part, units[j], min_count)
            for j, part in zip(
                (self.target, *self.sources), (target, *sources), strict=True
            )
        )


def _positive(values):
    """Return values, NaN of those that are not positive."""
    return np.where(values > 0, values, np.nan)
