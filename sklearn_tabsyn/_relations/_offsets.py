"""Numbers that are sums of others, and dates that come a little after others."""

from dataclasses import replace

import numpy as np
from scipy.stats import rankdata

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import (
    goes_round,
    sources_first,
    sources_of,
    turned,
    units_of,
)
from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._offset import Offset

# Rows on which offsets are searched, and sources of a column that are tried: those
# with the highest rank correlation, of at least this size.
N_FEW, MAX_TRIED, MIN_CORRELATION = 1_000, 10, 0.1
# Sources of a column that are begun with, and at most; nats that each must gain.
N_STARTS, MAX_SOURCES, MIN_STEP = 3, 4, 0.1
# Nats by which rows are told more exactly by an offset than by the number itself, on
# average, so that it is worth a column, and by which a target may be less well told
# than another.
MIN_GAIN, NEAR = 1.9, 1.0
# Share of the rows in which all columns of an offset must have a value, and which must
# be marked, and how many at least.
MIN_SHARE, MIN_ROWS = 0.1, 50
# Share of these rows in which a sum of numbers must leave no rest at all.
EXACT_SHARE = 0.9
# Or it tells, in this share of the rows, so many nats more of one by another.
MOST_SHARE, CLOSE_GAIN = 0.8, 3.0


def find_offsets(values, axes, continuous, links, column, formulas=(), min_count=1):
    """Return the offsets of columns of numbers, the most telling first.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_candidates)
        Some rows of the columns, as read by their axes, NaN where missing.
    axes : dict of int to Axis
        Positions and axes of the columns.
    continuous : list of bool
        Which columns have many values, and no maker yet; only these have an offset.
    links : list of Link
        What is known of the columns already. Rows where a link holds do not count.
    column : callable
        Returns all rows of a column, by its position.
    formulas : list of Formula, default=()
        By which columns are computed already.
    min_count : int, default=1
        Rows in which a value must be found to be kept.

    Returns
    -------
    offsets : list of Offset
        At most one for each target; no column is, in some steps, made of itself.
    links : list of Link
        The same, some the other way round so that they suit the offsets.
    """
    offsets, units = [], list(axes)
    if len(axes) < 2:
        return offsets, links
    few = values[even_rows(len(values), N_FEW)].copy()
    _hide_linked(few, links, axes)
    search = _Search(few, list(axes.values()), np.flatnonzero(continuous))
    equations = search.equations()
    for equation in equations:
        # A longer one is rather known by another of its columns than not at all; but
        # of what adds up to a constant in most rows more columns only lead away.
        longer = [more for more in equations if more.keys() > equation.keys()]
        longer = [] if search.is_mostly_exact(equation) else longer
        for place, terms in (
            way for e in [*longer, equation] for way in search.ways(e)
        ):
            sources = tuple(units[j] for j in terms)
            offset = Offset(units[place], sources, tuple(terms.values()))
            offset.unit = search.unit([place, *terms])
            offset.axes = [axes[j] for j in (offset.target, *sources)]
            least = {units[j]: search.least(j) for j in (place, *terms)}
            offset = _better(offset, column, least, min_count)
            known = _suited(offset, [*formulas, *offsets], links)
            how = formulas, axes, column, min_count
            if known is not None and _is_worth(offset, *how):
                offsets.append(offset)
                links = known
                break
    return offsets, sources_first(links)


def _better(offset, column, least, min_count):
    """Return an offset that has learned, or that of a ratio, if it says more."""
    offset.learn(column, least, min_count)
    numbers = [column(j) for j in (offset.target, *offset.sources)]
    positive = min(np.nanmin(part) for part in numbers) > 0
    if len(numbers) > 2 or offset.exact or not positive or not offset.axes[0].has_zero:
        return offset
    ratio = replace(offset, ratio=True, unit=0.0)
    ratio.learn(column, least, min_count)
    target, *sources = numbers
    if ratio.gain(target, sources) > offset.gain(target, sources):
        return ratio
    return offset


def _is_worth(offset, formulas, axes, column, min_count):
    """Tell whether enough rows are encoded by an offset, and it can be kept."""
    target, *parts = (column(j) for j in (offset.target, *offset.sources))
    few = len(offset.amounts) > 0
    rest = (offset.difference if few else offset.marked)(target, parts)
    share = np.mean(~np.isnan(rest))
    if share * len(target) < max(MIN_ROWS, min_count) or share < MIN_SHARE:
        return False
    exact = np.mean(rest == 0) >= EXACT_SHARE * share
    close = share >= MOST_SHARE and offset.gain(target, parts) >= CLOSE_GAIN
    close &= _is_alone(offset, formulas)
    return few or exact or close or not axes[offset.target].has_zero


def _is_alone(offset, formulas):
    """Tell whether an offset has one source, and nothing is computed of the two."""
    return len(offset.sources) == 1 and not units_of(formulas) & units_of([offset])


def _suited(offset, makers, links):
    """Return the links, some turned, if an offset goes together with all, or None."""
    always = [link for link in links if link.always]
    makers = [*always, *makers]
    made = sources_of(makers)
    taken = any(maker.target == offset.target for maker in makers)
    if taken or goes_round(made, offset.target, offset.sources):
        return None
    others, makers = [link for link in links if not link.always], [*makers, offset]
    if len(offset.amounts):  # it says more than links in some of the rows
        others = [
            link
            for link in others
            if link.target != offset.target and turned([link], makers) is not None
        ]
    others = turned(others, makers)
    return None if others is None else [*always, *others]


def _hide_linked(values, links, axes):
    """Hide targets where a link holds, which say nothing of other relations.

    Of several constants the first, so that some rows are left.
    """
    place = {unit: i for i, unit in enumerate(axes)}
    for link in links:
        if not link.always and link.target in place:
            pair = values[:, place[link.target]], values[:, place[link.source]]
            pair[0][link.marks(*pair, axes) == 1] = np.nan


def _ranks(values):
    """Return centred ranks of columns with norm 1; 0 where missing."""
    ranks = rankdata(values, axis=0, nan_policy="omit")
    there = ~np.isnan(ranks)
    means = np.where(there, ranks, 0).sum(0) / np.maximum(there.sum(0), 1)
    ranks = np.where(there, ranks - means, 0)
    return ranks / np.maximum(np.linalg.norm(ranks, axis=0), 1e-300)


class _Search:
    """A greedy search for sums of columns that are nearly constant.

    An equation is a dict of places of columns to 1 or -1, what they are times.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Some rows.
    axes : list of Axis
        Axes of the columns.
    numbers : ndarray of int
        Places of the columns that can have an offset.
    """

    def __init__(self, values, axes, numbers):
        self.values, self.axes, self.numbers = values, axes, numbers.tolist()
        self.ranks = _ranks(values)
        self.own = {
            i: Density.of(values[:, i], self.least(i)).log(values[:, i])
            for i in self.numbers
        }

    def unit(self, places):
        """Return the unit of sums of columns, 0 if one has none."""
        units = [self.axes[i].unit for i in places]
        whole = min(units)
        if not whole or any(round(u / whole, 6) % 1 for u in units):
            return 0.0
        return whole

    def least(self, place):
        """Return the distance below which values of a column are the same."""
        return self.axes[place].least(self.values[:, place])

    def equations(self):
        """Return all equations, the most telling first."""
        found = {}
        for place in self.numbers:
            for equation in self._grown(place):
                gain = max((gain for gain, *_ in self._targets(equation)), default=0)
                if gain:
                    found[tuple(sorted(equation))] = gain, equation
        ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        return [equation for _, (_, equation) in ordered]

    def is_mostly_exact(self, equation):
        """Tell whether an equation leaves the same in most rows."""
        rest = self._rest(equation)
        rest = rest[~np.isnan(rest)]
        least = min(self.least(place) for place in equation)
        same = np.abs(rest - np.median(rest)) < least / 2
        return bool(same.mean() >= EXACT_SHARE)

    def ways(self, equation):
        """Yield each target of an equation and what it is made of, the best first.

        Of those that are about as good rather one that all others raise.
        """
        signs, targets = list(equation.values()), self._targets(equation)
        best = max((gain for gain, _ in targets), default=0.0)

        def preference(pair):
            gain, target = pair
            raised = signs.count(equation[target]) == 1
            return gain >= best - NEAR, raised, gain, target

        for _, target in sorted(targets, key=preference, reverse=True):
            sign = -equation[target]
            yield target, {j: sign * c for j, c in equation.items() if j != target}

    def _targets(self, equation):
        """Return the gain and the place of columns that an equation tells much of."""
        rest = self._rest(equation)
        gains = [(self._gain(rest, j), j) for j in equation if j in self.own]
        return [(gain, j) for gain, j in gains if gain >= MIN_GAIN]

    def _rest(self, equation):
        """Return what the columns of an equation add up to."""
        return sum(sign * self.values[:, j] for j, sign in equation.items())

    def _grown(self, place):
        """Yield equations of a column with one column more each time."""
        for step in self._steps({place: 1.0}, self.values[:, place])[:N_STARTS]:
            gain = 0.0
            while step and step[0] >= gain + MIN_STEP:
                gain, _, equation, rest = step
                yield equation
                step = next(iter(self._steps(equation, rest)), None)

    def _steps(self, equation, rest):
        """Return (gain, place, equation, rest) with one column more, the best first."""
        place = next(iter(equation))
        if len(equation) > (MAX_SOURCES if self.axes[place].has_zero else 1):
            return []
        steps = []
        for j, sign in self._related(rest, equation):
            new = rest + sign * self.values[:, j]
            steps.append((self._gain(new, place), j, equation | {j: sign}, new))
        return sorted(steps, key=lambda step: (-step[0], step[1]))

    def _related(self, rest, equation):
        """Return the columns, with signs, that may make a rest smaller."""
        correlation = _ranks(rest[:, None])[:, 0] @ self.ranks
        correlation[list(equation)] = 0
        if not self.axes[next(iter(equation))].has_zero:  # a sum of dates is none
            correlation = correlation.clip(min=0)
        best = np.argsort(-np.abs(correlation), kind="stable")[:MAX_TRIED]
        return [
            (int(j), -float(np.sign(correlation[j])))
            for j in best
            if abs(correlation[j]) >= MIN_CORRELATION
        ]

    def _gain(self, rest, place):
        """Return by how many nats on average rows are told more exactly by a rest."""
        there = ~np.isnan(rest + self.own[place])
        if there.mean() < MIN_SHARE:
            return 0.0
        least = self.least(place)
        # Rounding makes zeros of what is the same.
        rest = np.where(np.abs(rest) < least / 2, 0.0, rest)
        more = Density.of(rest, least).log(rest) - self.own[place]
        return float(more[there].clip(min=0).mean())
