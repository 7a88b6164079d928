"""Values of two columns that are found together, where many others never are."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._nearest import nearest_places
from sklearn_tabsyn._relations._wishes import MAX_CELLS

# Pairs of values of two columns that rows can fill, and how many of them are found at
# least: which of fewer are possible, the network knows.
MAX_PAIRS, MIN_FOUND = 200_000, 200
# Share of the rows whose values are found together in no other row, of all combinations
# together: so many new rows are moved although they could be real.
MAX_SINGLE = 0.01
# Share of the rows with a value of their own, as names of persons are: what else they
# are found with would be copied.
MAX_ALONE = 0.05
# Share of the rows that would have values which are never found together, if columns
# had nothing to do with each other, and how many times that of single pairs.
MIN_SHARE, MIN_LIFT = 0.005, 20
# Rows on which columns are compared first, and how much less is asked of them.
N_FEW, SLACK = 2_000, 20
# Each time one value of a row is moved. One that leaves others wrong costs more than
# any move.
N_MOVES, DEARER = 4, 2.0


@dataclass
class Levels:
    """The values of a column.

    Parameters
    ----------
    unit : int
        Position of the column.
    keys : ndarray of shape (n_keys,), dtype float64
        Its sorted canonical values, NaN last.
    ranks : ndarray of shape (n_keys,), dtype float64
        Share of the rows below the middle of those with a value.
    ordered : bool
        Whether they are numbers.
    held : bool
        Whether another relation decides them, so that they are never moved.
    """

    unit: int
    keys: np.ndarray
    ranks: np.ndarray
    ordered: bool
    held: bool

    @classmethod
    def of(cls, unit, values, ordered, held):
        """Return the levels of a column and the place of each of its values."""
        parts = {"return_inverse": True, "return_counts": True}
        keys, places, counts = np.unique(values, **parts)
        ranks = (counts.cumsum() - counts / 2) / len(values)
        return cls(unit, keys, ranks, ordered, held), places

    def places(self, values):
        """Return the places of values among the keys, of numbers the nearest."""
        there = self.keys[~np.isnan(self.keys)]
        last = len(self.keys) - 1
        return np.where(np.isnan(values), last, nearest_places(there, values))

    def distances(self, places):
        """Return how far all values are from some, (n_places, n_keys).

        Names and missing values are as far from others as the ends are.
        """
        missing = np.isnan(self.keys)
        apart = np.abs(self.ranks - self.ranks[places][:, None])
        other = (missing != missing[places][:, None]) | (not self.ordered)
        return np.where(other, 1.0, apart)


@dataclass
class Combination:
    """Two columns of few values, of which many are never found together.

    No smooth model of a temperature and of how warm it feels, both rounded, or of a day
    and a month, knows all of these.

    Parameters
    ----------
    first, second : int
        Places of the columns among the levels.
    possible : ndarray of shape (n_first, n_second), dtype bool
        Which values are found together.
    """

    first: int
    second: int
    possible: np.ndarray

    def is_found(self, places):
        """Tell which rows have values that are found together."""
        return self.possible[places[self.first], places[self.second]]

    def partners(self, place, places):
        """Return which values of one of its columns suit rows, (n_rows, n_values)."""
        if place == self.first:
            return self.possible[:, places[self.second]].T
        return self.possible[places[self.first]]


@dataclass
class Combinations:
    """All combinations of a table.

    Parameters
    ----------
    levels : list of Levels
        The columns that are in some of them.
    pairs : list of Combination
        The combinations.
    """

    levels: list = field(default_factory=list)
    pairs: list = field(default_factory=list)

    def suit(self, cells):
        """Move drawn values that are never found together to the nearest that are."""
        if not self.pairs:
            return
        places = np.stack([part.places(cells[part.unit]) for part in self.levels])
        rows = np.flatnonzero(~np.all([p.is_found(places) for p in self.pairs], 0))
        n_cells = len(rows) * max(len(part.keys) for part in self.levels)
        for some in np.array_split(rows, 1 + n_cells // MAX_CELLS):
            here = places[:, some]
            known = [cells.known[part.unit][some] for part in self.levels]
            for part, old, new in zip(
                self.levels, here, self._moved(here, known, cells.gaps), strict=True
            ):
                changed = old != new
                cells[part.unit][some[changed]] = part.keys[new[changed]]

    def _moved(self, places, known, gaps):
        """Return places of which all are found together, moved as little as can be."""
        places = places.copy()
        fixed = np.stack(
            [k | part.held for k, part in zip(known, self.levels, strict=True)]
        )
        for _ in range(N_MOVES):
            wrong = ~np.stack([pair.is_found(places) for pair in self.pairs])
            if not wrong.any():
                break
            costs, aims = np.full(places.shape, np.inf), places.copy()
            for k in range(len(places)):
                mine = [k in (pair.first, pair.second) for pair in self.pairs]
                rows = wrong[mine].any(0) & ~fixed[k]
                here = (part[:, rows] for part in (places, fixed, wrong))
                aims[k, rows], costs[k, rows] = self._nearest(k, *here, gaps)
            best, rows = costs.argmin(0), np.flatnonzero(np.isfinite(costs.min(0)))
            places[best[rows], rows] = aims[best[rows], rows]
            fixed[best[rows], rows] = True  # others follow it
        return places

    def _nearest(self, k, places, fixed, wrong, gaps):
        """Return for one column the nearest places that suit rows, and their costs.

        They suit all of the row or, if none does, what is wrong now and what is fixed.
        """
        part, drawn = self.levels[k], places[k]
        suits = np.tile(gaps | ~np.isnan(part.keys), (len(drawn), 1))
        must, cost = suits.copy(), np.zeros(len(drawn))
        for pair, is_wrong in zip(self.pairs, wrong, strict=True):
            if k not in (pair.first, pair.second):
                cost += DEARER * is_wrong
                continue
            partners = pair.partners(k, places)
            other = pair.second if k == pair.first else pair.first
            suits &= partners
            must &= partners | ~(is_wrong | fixed[other])[:, None]
        alone = suits.any(1)
        suits = np.where(alone[:, None], suits, must)
        far = np.where(suits, part.distances(drawn), np.inf)
        # Of names the one that has the place, by its share, of the drawn one.
        below = (suits * np.diff(part.ranks, append=1.0)).cumsum(1)
        picked = (below <= part.ranks[drawn][:, None] * below[:, [-1]]).sum(1)
        picked = picked.clip(max=len(part.keys) - 1)
        aims = far.argmin(1) if part.ordered else picked
        return aims, far[np.arange(len(drawn)), aims] + cost + DEARER * ~alone


def find_combinations(frame, some, candidates, ordered, held, min_count=1):
    """Return the combinations of columns of few values.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search.
    candidates : list of int
        Positions of the columns.
    ordered, held : set of int
        Those that are numbers, and those that other relations decide.
    min_count : int, default=1
        Rows in which two values must be found together.
    """
    columns = {j: _places(frame[j].to_numpy()[some]) for j in candidates}
    shared = [j for j in columns if _share_alone(columns[j], min_count) <= MAX_ALONE]
    few, found = even_rows(len(some), N_FEW), []
    for a, b in combinations(shared, 2):
        if (columns[a].max() + 1) * (columns[b].max() + 1) > MAX_PAIRS:
            continue
        _, single, never = _shares(columns[a][few], columns[b][few], min_count)
        if single > SLACK * MAX_SINGLE or SLACK * never < MIN_SHARE:
            continue
        n_found, single, never = _shares(columns[a], columns[b], min_count)
        if n_found >= MIN_FOUND and never >= max(MIN_SHARE, MIN_LIFT * single):
            found.append((single / never, a, b, single))
    levels, pairs, total = {}, [], 0.0
    for _, a, b, single in sorted(found):
        for j in (a, b):
            if j not in levels:
                told = j in ordered, j in held
                levels[j] = Levels.of(j, frame[j].to_numpy(), *told)
        counts = _counts(levels[a][1], levels[b][1])
        pair = Combination(a, b, counts >= min_count)
        if total + single <= MAX_SINGLE and not _follows(pair, pairs):
            pairs.append(pair)
            total += single
    used = sorted({j for pair in pairs for j in (pair.first, pair.second)})
    for pair in pairs:
        pair.first, pair.second = used.index(pair.first), used.index(pair.second)
    return Combinations([levels[j][0] for j in used], pairs)


def _places(values):
    """Return the places of values among all of a column, missing ones last."""
    return np.unique(values, return_inverse=True)[1]


def _share_alone(column, min_count):
    """Return the share of rows with a value of no, or too few, other rows."""
    counts = np.bincount(column)
    return counts[counts <= max(1, min_count - 1)].sum() / len(column)


def _counts(first, second):
    """Return in how many rows two columns have each pair of values."""
    n_first, n_second = first.max() + 1, second.max() + 1
    counts = np.bincount(first * n_second + second, minlength=n_first * n_second)
    return counts.reshape(n_first, n_second)


def _shares(first, second, min_count):
    """Return how many pairs are found, and the shares of rows with single and no ones.

    The last would have none if the columns had nothing to do with each other.
    """
    counts = _counts(first, second)
    n_rows, sums = len(first), [counts.sum(1)[:, None], counts.sum(0)]
    limit = max(1, min_count - 1)
    rare = (counts <= limit) & (sums[0] > limit) & (sums[1] > limit)
    never = (sums[0] * sums[1])[counts == 0].sum()
    return np.sum(counts > 0), counts[rare].sum() / n_rows, never / n_rows**2


def _follows(pair, pairs):
    """Tell whether what a pair rules out follows from two others."""
    beside = [{}, {}]
    for other in pairs:
        for place, mine in zip((pair.first, pair.second), beside, strict=True):
            if place == other.first:
                mine[other.second] = other.possible.astype(np.float32)
            elif place == other.second:
                mine[other.first] = other.possible.T.astype(np.float32)
    return any(
        not (beside[0][middle] @ beside[1][middle].T)[~pair.possible].any()
        for middle in beside[0].keys() & beside[1].keys()
    )
