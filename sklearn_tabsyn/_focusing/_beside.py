"""How a number is spread beside another column, in real rows and in drawn ones.

Drawn numbers are moved quantile by quantile, among rows in which the other column is
about the same. That keeps which of two rows has the greater number, so what it has to
do with other columns stays.
"""

from dataclasses import dataclass, field

import numpy as np

# Rows of a group, groups at most, quantiles of each, and rows of a quantile.
GROUP_ROWS, MAX_GROUPS, N_QUANTILES, KNOT_ROWS = 500, 16, 100, 5
# Rows of the smallest group that tell how it is spread.
FEW_ROWS = 125
# Share of the rows from which a value is one of many rows, and stays, if these are so
# many times as many as of others.
TIE, MORE = 0.002, 10


@dataclass
class Beside:
    """Column `target` is spread in a way of its own beside each value of `source`.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    ties : ndarray of shape (n_ties,), dtype float64
        Targets that stay, for each is that of many rows.
    edges : ndarray of shape (n_groups - 1,), dtype float64
        Sources at which groups of rows meet.
    drawn, real : list of ndarray of shape (n_knots,), dtype float64
        Quantiles of the rest in drawn and in real rows, of each group; none of a group
        of few rows.
    """

    target: int
    source: int
    ties: np.ndarray = field(default_factory=lambda: np.empty(0), kw_only=True)
    edges: np.ndarray = field(default_factory=lambda: np.empty(0), kw_only=True)
    drawn: list = field(default_factory=list, kw_only=True)
    real: list = field(default_factory=list, kw_only=True)

    def learn(self, real, weights, drawn):
        """Learn the quantiles of pairs, (target, source), of real and of drawn rows."""
        self.ties = ties_of(real[0])
        rests = [self._told(*pair) for pair in (real, drawn)]
        there = [~np.isnan(rest) for rest in rests]
        self.edges = self.cut(real[1][there[0]], min(map(np.sum, there)))
        tables = zip(rests, (real[1], drawn[1]), (weights, None), strict=True)
        for group in zip(*(self._grouped(*table) for table in tables), strict=True):
            n_rows = min(len(rest) for rest, _ in group)
            for kept, part in zip((self.real, self.drawn), group, strict=True):
                kept.append(self._knots(*part, n_rows))

    def _grouped(self, rests, sources, weights):
        """Yield the rests of each group, and their weights."""
        weights = np.ones(len(rests)) if weights is None else weights
        groups = np.where(np.isnan(rests), -1, self._groups(sources))
        for group in range(len(self.edges) + 1):
            yield rests[groups == group], weights[groups == group]

    def _knots(self, rests, weights, n_rows):
        """Return quantiles between the ends, none if rows are few."""
        if n_rows < FEW_ROWS:
            return np.empty(0)
        low, high = self.ends(rests)
        n_inside = min(N_QUANTILES, n_rows // KNOT_ROWS)
        return np.r_[low, _quantiles(rests, weights, n_inside), high]

    def moved(self, target, source):
        """Return the targets that leave of sources what they should, others NaN."""
        rest = self._told(target, source)
        groups, moved = self._groups(source), np.full(len(rest), np.nan)
        for group, (drawn, real) in enumerate(zip(self.drawn, self.real, strict=True)):
            if len(drawn):
                rows = (groups == group) & ~np.isnan(rest)
                moved[rows] = np.interp(rest[rows], drawn, real)
        return self.placed(moved, source)

    def _told(self, target, source):
        return np.where(np.isin(target, self.ties), np.nan, self.rest(target, source))

    def _groups(self, source):
        return np.searchsorted(self.edges, source)


@dataclass
class Near(Beside):
    """Column `target` lies near column `source` in many rows.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    ratio : bool
        Whether their ratio is meant, and not their difference.
    reach : float
        Up to which difference, or logarithm of a ratio, they count as near.
    """

    ratio: bool
    reach: float

    def rest(self, target, source):
        """Return what targets leave of sources, NaN where they are not near."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.ratio:
                rest = np.where((target > 0) & (source > 0), target / source, np.nan)
                rest = np.log(rest)
            else:
                rest = target - source
            return np.where(np.abs(rest) < self.reach, rest, np.nan)

    def placed(self, rest, source):
        """Return the targets that leave a rest of sources."""
        return source * np.exp(rest) if self.ratio else source + rest

    def cut(self, sources, n_rows):
        """Return where groups of sources meet that are about as large."""
        n_groups = np.clip(n_rows // GROUP_ROWS, 1, MAX_GROUPS)
        return np.quantile(sources, np.linspace(0, 1, n_groups + 1)[1:-1])

    def ends(self, rests):
        """Return up to where rests can be."""
        return -self.reach, self.reach


@dataclass
class Within(Beside):
    """Column `target` is spread otherwise beside each level of column `source`."""

    def rest(self, target, source):
        """Return the targets, NaN where there is no level."""
        return np.where(np.isnan(source), np.nan, target)

    def placed(self, rest, source):
        """Return the targets."""
        return rest

    def cut(self, sources, n_rows):
        """Return the middles between all levels."""
        levels = np.unique(sources)
        return (levels[1:] + levels[:-1]) / 2

    def ends(self, rests):
        """Return the least and the greatest rest."""
        return rests.min(), rests.max()


def ties_of(values):
    """Return the values, NaN left out, that are those of many rows."""
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if not len(found):
        return found
    return found[counts >= max(TIE * len(values), MORE * np.median(counts))]


def _quantiles(values, weights, n_quantiles):
    """Return evenly spaced quantiles of weighted values."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weights[order]) - weights[order] / 2
    shares = (np.arange(n_quantiles) + 0.5) / n_quantiles
    return np.interp(shares * weights.sum(), mass, values[order])
