"""Numbers that are drawn near to others, brought into focus.

A network knows about where a number is. What it leaves of another one near to it, such
as a bill beside the one before, or a low price beside a high one, may be far narrower,
and is drawn blurred. Where drawn rows show that, the number is moved so that its
difference from the other one, or their ratio, is spread as in real rows: quantile by
quantile, among rows in which the other one is about as large. That keeps which of two
rows has the greater difference, so what this has to do with other columns stays.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csgraph
from scipy.stats import ks_2samp

from sklearn_tabsyn._columns import FloatColumn
from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._axes import Axis
from sklearn_tabsyn._relations._reconciling import can_be_moved

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
# Rows of a group, groups at most, and quantiles of each.
GROUP_ROWS, MAX_GROUPS, N_QUANTILES = 500, 16, 100
# Share of the rows from which a value is one of many rows, and stays, if these are so
# many times as many as of others.
TIE, MORE = 0.002, 10


@dataclass
class Near:
    """Column `target` lies near column `source` in many rows.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    ratio : bool
        Whether their ratio is meant, and not their difference.
    reach : float
        Up to which difference, or logarithm of a ratio, they count as near.
    ties : ndarray of shape (n_ties,), dtype float64
        Targets that stay, for each is that of many rows.
    edges : ndarray of shape (n_groups - 1,), dtype float64
        Sources at which groups of rows meet.
    drawn, real : list of ndarray of shape (n_knots,), dtype float64
        Quantiles of the rest in drawn and in real rows, of each group.
    """

    target: int
    source: int
    ratio: bool
    reach: float
    ties: np.ndarray = field(default_factory=lambda: np.empty(0))
    edges: np.ndarray = field(default_factory=lambda: np.empty(0))
    drawn: list = field(default_factory=list)
    real: list = field(default_factory=list)

    def rest(self, target, source):
        """Return what targets leave of sources, NaN where they are not near."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.ratio:
                rest = np.where((target > 0) & (source > 0), target / source, np.nan)
                rest = np.log(rest)
            else:
                rest = target - source
            return np.where(np.abs(rest) < self.reach, rest, np.nan)

    def learn(self, real, weights, drawn):
        """Learn the quantiles of pairs, (target, source), of real and of drawn rows."""
        rests = [self._told(*pair) for pair in (real, drawn)]
        there = [~np.isnan(rest) for rest in rests]
        n_groups = np.clip(min(map(np.sum, there)) // GROUP_ROWS, 1, MAX_GROUPS)
        shares = np.linspace(0, 1, n_groups + 1)[1:-1]
        self.edges = np.quantile(real[1][there[0]], shares)
        places = [self._groups(source) for _, source in (real, drawn)]
        weights = weights, np.ones(len(rests[1]))
        for group in range(n_groups):
            rows = [t & (p == group) for t, p in zip(there, places, strict=True)]
            enough = min(part.sum() for part in rows) >= GROUP_ROWS / 4
            ways = (self.real, self.drawn), rests, weights, rows
            for kept, rest, weight, some in zip(*ways, strict=True):
                inside = _quantiles(rest[some], weight[some]) if enough else []
                kept.append(np.r_[-self.reach, inside, self.reach])

    def moved(self, target, source):
        """Return the targets that leave of sources what they should, others NaN."""
        rest = self._told(target, source)
        groups, moved = self._groups(source), np.full(len(rest), np.nan)
        for group, (drawn, real) in enumerate(zip(self.drawn, self.real, strict=True)):
            rows = (groups == group) & ~np.isnan(rest)
            moved[rows] = np.interp(rest[rows], drawn, real)
        return source * np.exp(moved) if self.ratio else source + moved

    def _told(self, target, source):
        return np.where(np.isin(target, self.ties), np.nan, self.rest(target, source))

    def _groups(self, source):
        return np.searchsorted(self.edges, source)


@dataclass
class Focus:
    """All numbers of a table that are moved to where they should be beside others.

    Parameters
    ----------
    axes : dict of int to Axis
        Positions and axes of the columns.
    pairs : list of Near
        Sources before their targets.
    """

    axes: dict = field(default_factory=dict)
    pairs: list = field(default_factory=list)

    def sharpen(self, frame, free):
        """Return a frame of drawn canonical values with numbers moved.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Drawn values. Never changed.
        free : callable
            Tells in which rows a column, by its position, may be moved.
        """
        for near in self.pairs:
            axis = self.axes[near.target]
            moved = near.moved(*self.read_pair(near, frame, free))
            moved = axis.write(axis.nearest(moved))
            column = np.where(np.isnan(moved), frame[near.target], moved)
            frame = frame.copy(deep=False)
            frame[near.target] = column
        return frame

    def read_pair(self, near, frame, free):
        """Return targets, NaN where they are not free, and sources as they will be."""
        target = np.where(free(near.target), self.read(near.target, frame), np.nan)
        source = self.read(near.source, frame)
        return target, self.axes[near.source].nearest(source)

    def read(self, unit, frame):
        """Return a column on its axis."""
        return self.axes[unit].read(frame[unit].to_numpy())


def free_rows(marks, known, unit):
    """Tell in which rows a column is neither given nor made of another one.

    Parameters
    ----------
    marks : dict of int to ndarray of shape (n_rows,)
        Where a link or product counts, by its target; 0 or less elsewhere.
    known : ndarray of shape (n_rows, n_columns), dtype bool
        Which cells are given.
    unit : int
        Position of the column.
    """
    free = ~known[:, unit]
    return free & (marks[unit] <= 0) if unit in marks else free


@np.errstate(all="ignore")  # numbers may be too large to square
def find_near(columns, kinds, frame, held):
    """Return the pairs of numbers that are near to each other in many rows.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    kinds : list of {"continuous", "discrete", "nominal"}
        How they are encoded.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values of real rows.
    held : set of int
        Columns that others make, or hold.

    Returns
    -------
    axes : dict of int to Axis
        Positions and axes of the columns.
    ways : list of Near
        Pairs of columns, with how they are near, by their ratio, difference or both.
    """
    numbers = [j for j, column in enumerate(columns) if isinstance(column, FloatColumn)]
    units = [j for j in numbers if kinds[j] == "continuous" and j not in held]
    few = frame.iloc[even_rows(len(frame), N_FEW)]
    alike = few[units].rank().corr().to_numpy() >= MIN_CORRELATION
    pairs = [(units[i], units[j]) for i, j in np.argwhere(np.triu(alike, 1))]
    axes = {}
    for j in sorted({j for pair in pairs for j in pair}):
        axis = Axis(columns[j], frame[j].to_numpy(), discrete=False)
        if can_be_moved(axis.read(frame[j].to_numpy()), axis):
            axes[j] = axis
    read = {j: axis.read(few[j].to_numpy()) for j, axis in axes.items()}
    ways = []
    for pair in pairs:
        if not axes.keys() >= set(pair):
            continue
        spread = min(float(np.nanstd(read[unit])) for unit in pair)
        for near in (Near(*pair, True, REACH), Near(*pair, False, REACH * spread)):
            rest = near.rest(*(read[unit] for unit in pair))
            if _is_enough(rest):
                ways.append(near)
    return axes, ways


def learn_focus(axes, ways, real, weights, drawn):
    """Return what brings drawn rows into focus.

    Parameters
    ----------
    axes, ways : dict, list
        See `find_near`.
    real, drawn : tuple of (DataFrame, callable)
        Canonical values of real and of drawn rows, and what tells in which of them a
        column, by its position, is not made of others.
    weights : ndarray of shape (n_rows,)
        Weights of the real rows.

    Returns
    -------
    focus : Focus
    """
    focus = Focus(axes)
    off, sizes = {}, {}
    for near in ways:
        pair, size = (near.target, near.source), _off(near, focus, real, drawn)
        if size > sizes.get(pair, 0):
            off[pair], sizes[pair] = near, size
    (real, real_free), (drawn, drawn_free) = real, drawn
    for target, source in _sources_first(sizes):
        near = off[min(target, source), max(target, source)]
        values, counts = np.unique(focus.read(target, real), return_counts=True)
        ties = values[counts >= max(TIE * len(real), MORE * np.median(counts))]
        near = replace(near, target=target, source=source, ties=ties)
        tables = (real, real_free), (drawn, drawn_free)
        parts = [focus.read_pair(near, table, free) for table, free in tables]
        near.learn(parts[0], weights, parts[1])
        focus.pairs.append(near)
        # Others see it as it will be.
        drawn = Focus(axes, [near]).sharpen(drawn, drawn_free)
    return focus


def _off(near, focus, real, drawn):
    """Return by how much drawn rows are off, 0 if that may be chance."""
    rests = []
    for frame, free in (real, drawn):
        rest = near.rest(*focus.read_pair(near, frame, free))
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


def _quantiles(values, weights):
    """Return evenly spaced quantiles of weighted values."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weights[order]) - weights[order] / 2
    shares = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    return np.interp(shares * weights.sum(), mass, values[order])
