"""Numbers that are weighted sums of others."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_tabsyn._relations._chains import goes_round, sources_first
from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._dependent import dependent, parts_for_each
from sklearn_tabsyn._relations._formulas import MIN_SHARE, Formula
from sklearn_tabsyn._relations._links import short_number

# Rows in which a source must have another value than most often.
MIN_ROWS = 20
# Share of the spread of a sum that a source must move, and how many times what rounding
# moves.
MIN_MOVED, MORE = 1e-4, 3.0
# Share of the rows whose sum must be rounded to the target, and not to one beside it.
MIN_EXACT = 0.95
# How far from each other weights are the same, and by how many nats the numbers of two
# columns may be closer together and still be as well computed.
NEARLY, NEAR = 1e-3, 1.0
# How many times as many values a column has that is computed of others at least, if
# numbers of values tell which.
MORE_VALUES = 1.5
# Digits that weights may have, and how many columns of a sum are tried as its target.
MAX_DIGITS, MAX_TRIED = 8, 8


@dataclass
class WeightedSum(Formula):
    """Column `target` is a sum of `sources`, each times a weight, and of a constant.

    So is a total of points, a mean of marks, or a temperature on another scale.

    Parameters
    ----------
    target : int
        Position of the column.
    sources : tuple of int
        Positions of the columns it is made of.
    weights : tuple of float
        What each is times.
    constant : float, default=0.0
        What is added.
    reaches : tuple of float, default=()
        How far each moves the sum.
    share : float, default=1.0
        Share of the rows where it is right; new rows all are.
    """

    target: int
    sources: tuple
    weights: tuple
    constant: float = 0.0
    reaches: tuple = ()
    share: float = 1.0

    @property
    def movable(self):
        """Places of the sources, that which moves the sum farthest first."""
        return np.argsort(-np.array(self.reaches), kind="stable")

    def made(self, *sources):
        """Return sums before they are rounded."""
        pairs = zip(self.weights, sources, strict=True)
        return sum(weight * source for weight, source in pairs) + self.constant

    def slopes(self, *sources):
        """Return how fast sums grow with each source."""
        return self.weights

    def holds(self, target, *sources, axis):
        """Tell in which rows a target is as exactly the sum as it can be."""
        pairs = zip(self.weights, sources, strict=True)
        noise = sum(abs(weight) * axis.noise(part) for weight, part in pairs)
        error = axis.rounding + axis.noise(target) + noise
        return np.abs(self.made(*sources) - target) <= error

    def invert(self, place, target, sources):
        """Return what a source should be, given the target and the other sources."""
        return sources[place] + (target - self.made(*sources)) / self.weights[place]


def find_sums(values, axes, column, made):
    """Return the columns of numbers that are weighted sums of others.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Some rows of the columns, as read by their axes.
    axes : dict of int to Axis
        Positions and axes of the columns, which are not made of others yet.
    column : callable
        Returns all rows of a column, by its position.
    made : dict of int to set of int
        Sources of columns that are made of others already.

    Returns
    -------
    sums : list of WeightedSum
        At most one for each target, sources before their targets.
    """
    units, found, made = list(axes), {}, dict(made)
    slack = np.array([axis.rounding for axis in axes.values()])
    for part in parts_for_each(values):
        for places, weights in dependent(part, slack):
            for way in _ways(part, places, weights, slack):
                target, *sources = (units[place] for place in way)
                if target in found or goes_round(made, target, sources):
                    continue
                weighted = _with_short_weights(values, part, way, axes)
                if weighted is not None and _is_nearly_always(weighted, column, axes):
                    found[target], made[target] = weighted, set(sources)
                    break
    return sources_first(found.values())


def _ways(few, places, weights, slack):
    """Yield the places of a target and its sources, the likeliest first.

    Numbers that are often the same, such as round ones, or of fewer values, such as
    prices beside their differences, are rather sources, for what is computed is not.
    Then rather a target that all its sources raise, one that varies
    much, and a later one.
    """
    moved = np.abs(weights) * few[:, places].std(0)
    rounding = np.abs(weights) * slack[places]
    kept = moved > max(MIN_MOVED * moved.max(), MORE * rounding.max())
    places, weights, moved = places[kept], weights[kept], moved[kept]
    if len(places) < 2 or np.ptp(weights) <= NEARLY:  # they add up to a constant
        return
    signs = np.sign(weights)
    least = np.maximum(slack[places], 1e-9 * np.ptp(few, 0)[places])
    raised = [(signs != sign).sum() == len(signs) - 1 for sign in signs]
    size = np.round(moved / moved.max(), 3)
    spread = [
        np.log(abs(weight)) - np.mean(Density.of(part, least).log(part))
        for weight, part, least in zip(weights, few[:, places].T, least, strict=True)
    ]
    various = np.array([len(np.unique(part)) for part in few[:, places].T])
    narrow = np.array(spread) < max(spread) - NEAR
    narrow |= MORE_VALUES * various < various.max()
    order = np.lexsort((-places, -size, ~np.array(raised, dtype=bool), narrow))
    for target in order[:MAX_TRIED]:
        yield [places[target], *np.sort(np.delete(places, target))]


def _with_short_weights(values, few, way, axes):
    """Return a sum whose weights have as few digits as rounding allows, or None."""
    axis, units = list(axes.values())[way[0]], [list(axes)[j] for j in way]
    few, rows = few[:, way], values[:, way]
    rows = rows[np.isfinite(rows).all(1)]
    weights, middle = _fitted(few[:, 0], few[:, 1:])
    left = np.abs(rows[:, 0] - rows[:, 1:] @ weights - middle)
    rows = rows[left <= np.quantile(left, MIN_SHARE)]
    target, sources = rows[:, 0], rows[:, 1:]
    weights, _ = _fitted(target, sources)
    size = np.abs(target).max() + (np.abs(sources) @ np.abs(weights)).max()
    slack = axis.rounding + 4 * axis.eps * size
    reaches = np.abs(weights) * sources.std(0)
    if reaches.min() <= MORE * np.ptp(target - sources @ weights) / 2:
        return None  # what one moves could be what rounding does
    for short in _shortened(weights):
        rest = target - sources @ short
        low, high = rest.max() - slack, rest.min() + slack
        if low <= high:
            how = units[0], tuple(units[1:]), tuple(short.tolist())
            ways = [WeightedSum(*how, constant) for constant in _constants(low, high)]
            exact = [_share_exact(way, axis, target, *sources.T) for way in ways]
            return replace(ways[np.argmax(exact)], reaches=tuple(reaches.tolist()))
    return None


def _constants(low, high):
    """Return the shortest number between two others, and the one near their middle.

    These decide to which of two numbers sums halfway between them are rounded.
    """
    inward = (high - low) / 4
    return short_number(low, high), short_number(low + inward, high - inward)


def _share_exact(weighted, axis, target, *sources):
    """Return the share of rows whose sum is rounded to the target, and not beside."""
    if not axis.unit:
        return 1.0
    off = np.abs(axis.round(weighted.made(*sources)) - target)
    return float((off <= axis.rounding).mean())


def _fitted(target, sources):
    """Return weights of sources, and a constant, by least squares."""
    means = sources.mean(0)
    weights = np.linalg.lstsq(sources - means, target - target.mean())[0]
    return weights, target.mean() - means @ weights


def _shortened(weights):
    """Yield weights with more and more digits, or one divided by such."""
    for digits in range(1, MAX_DIGITS + 1):
        yield _rounded(weights, digits)
        yield 1 / _rounded(1 / weights, digits)


def _rounded(numbers, digits):
    return np.array([float(f"{number:.{digits}g}") for number in numbers])


def _is_nearly_always(weighted, column, axes):
    """Tell whether a sum is right in all rows but for a few, and learn in how many.

    Of each source some rows must have another value than most have.
    """
    parts = [column(unit) for unit in (weighted.target, *weighted.sources)]
    parts = [part[~np.isnan(parts).any(axis=0)] for part in parts]
    for source in parts[1:]:
        _, counts = np.unique(source, return_counts=True)
        if len(source) - counts.max() < MIN_ROWS:
            return False
    holds = weighted.holds(*parts, axis=axes[weighted.target])
    weighted.share = float(holds.mean())
    if weighted.share < MIN_SHARE:
        return False
    return _share_exact(weighted, axes[weighted.target], *parts) >= MIN_EXACT
