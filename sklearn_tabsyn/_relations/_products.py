"""Numbers that are products or quotients of others."""

from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import goes_round, sources_first
from sklearn_tabsyn._relations._dependent import dependent, parts_for_each
from sklearn_tabsyn._relations._formulas import MIN_SHARE, Formula, with_one_mixed
from sklearn_tabsyn._relations._links import short_number

# Rows that are looked at first, and before them, and how many at least must have all
# numbers.
N_FEW, N_FIRST, MIN_ROWS = 300, 4, 20
# Products first, then quotients, and then those by squares, as of height.
POWERS = (1, -1, -2)
# Of more columns powers are multiples of this up to the next, within the last.
HALF, MAX_POWER, NEARLY = 0.5, 3.0, 1e-3
# Of a unit, what is taken off a product that is rounded down, but for one that is even.
JUST_HALF = 0.499
# Columns beyond which no products of two are searched, for there are too many pairs.
MAX_COLUMNS = 300
# How coarse a product may be rounded, beside its spread, and so fine that what rounding
# has taken from the sources, in units more of the product, is still no chance.
MAX_COARSE, FINE, SLACK = 0.25, 1e-6, 4.0
# Share of the rows that are looked at first in which a product must be right, for a few
# may be mistaken. Of unrelated rows at most such a share agrees.
MIN_OF_FEW, MAX_CHANCE = 0.95, 0.25


@dataclass
class Product(Formula):
    """Column `target` is a product of powers of `sources`.

    So is an amount of pieces and their price, a volume, or with a constant what there
    is per 100,000 inhabitants.

    Parameters
    ----------
    target : int
        Position of the column.
    sources : tuple of int
        Positions of the columns it is made of.
    powers : tuple of float
        The power of each; of those that it is divided by negative ones.
    constant : float, default=1.0
        What all this is times.
    slack : float, default=0.0
        How many times farther than rounding the target alone may lead it may be off.
    below : float, default=0.0
        What is taken off before it is rounded, half a unit if that is done down.
    share : float, default=1.0
        Share of the rows where it is right; new rows all are.
    """

    target: int
    sources: tuple
    powers: tuple
    constant: float = 1.0
    slack: float = 0.0
    below: float = 0.0
    share: float = field(default=1.0, compare=False)

    def made(self, *sources):
        """Return products before they are rounded, NaN where there are none."""
        return self._product(*sources) - self.below

    def _product(self, *sources):
        made = self.constant
        pairs = sorted(
            zip(self.powers, sources, strict=True), key=lambda pair: -pair[0]
        )
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            for power, source in pairs:
                part = source if abs(power) == 1 else source ** abs(power)
                made = made * part if power > 0 else made / part
        return np.where(np.isfinite(made), made, np.nan)

    def invert(self, place, target, sources):
        """Return what a source should be, given the target and the other sources."""
        rest = [np.ones(1) if i == place else part for i, part in enumerate(sources)]
        power = self.powers[place]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = (target + self.below) / self._product(*rest)
            found = found ** (1 / power) if power > 0 else (1 / found) ** (-1 / power)
        return np.where(np.isfinite(found), found, np.nan)

    def slopes(self, *sources):
        """Return how fast products grow with each source."""
        made = self._product(*sources)
        pairs = zip(self.powers, sources, strict=True)
        return [power * made / source for power, source in pairs]

    def error(self, made, target, axis):
        """Return how far a target may be from what is made."""
        return (1 + self.slack) * super().error(made, target, axis)


def find_products(values, axes, column, targets, made):
    """Return the products and quotients of columns of numbers.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Some rows of the columns, as read by their axes, NaN where missing.
    axes : dict of int to Axis
        Positions and axes of the columns.
    column : callable
        Returns all rows of a column, by its position.
    targets : set of int
        Columns that are not made of others yet.
    made : dict of int to set of int
        Sources of those that are.

    Returns
    -------
    products : list of Product
        At most one for each target, sources before their targets; first of the targets
        that are rounded least, and rather of two than of more.
    """
    units = list(axes)
    found, made = {}, dict(made)
    coarse = [coarseness(values[:, j], axes[unit]) for j, unit in enumerate(units)]
    coarse = dict(zip(units, coarse, strict=True))
    targets = {unit for unit in targets if coarse[unit] <= MAX_COARSE}
    few = values[even_rows(len(values), N_FEW)]
    ways = [_of_more(values, units, targets, coarse, axes)]
    if len(units) <= MAX_COLUMNS:
        ways.insert(0, _of_two(few, units, targets, coarse, axes))
    right = []
    for product in chain.from_iterable(ways):
        product.slack = SLACK if coarse[product.target] <= FINE else 0.0
        if _is_nearly_always(product, axes, column):
            right.append(product)
    # Rather those that always hold.
    for product in sorted(right, key=lambda product: product.share < 1):
        target, sources = product.target, product.sources
        if target not in found and not goes_round(made, target, sources):
            found[target], made[target] = product, set(sources)
    return sources_first(found.values())


def _of_two(few, units, targets, coarse, axes):
    """Yield products of two columns that hold in a few rows, with some constant.

    First those of targets that are rounded least, and rather products than quotients.
    """
    tried = [
        (coarse[target], down, order, place)
        for place, target in enumerate(units)
        for order in range(len(POWERS))
        for down in (False, True)
        if target in targets and not (down and coarse[target] <= FINE)
    ]
    for _, down, order, place in sorted(tried):
        yield from _seeming(few, units, place, POWERS[order], axes, down)


def _of_more(values, units, targets, coarse, axes):
    """Yield products that logarithms of some rows, which are positive, add up to."""
    for part in parts_for_each(values):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(part)
            slack = [axes[unit].rounding for unit in units] / part.min(0)
        for places, weights in dependent(logs, slack):
            moved = np.abs(weights) * logs[:, places].std(0)
            kept = moved > NEARLY * moved.max()
            places, weights = places[kept], weights[kept]
            members = [units[place] for place in places]
            yield from _with_each_target(members, weights, targets, coarse)


def _with_each_target(members, weights, targets, coarse):
    """Yield products of columns whose weighted logarithms add up to a constant.

    First those of targets that are rounded least.
    """
    for i in sorted(range(len(members)), key=lambda i: (coarse[members[i]], -i)):
        powers = -np.delete(weights, i) / weights[i]
        halves = np.round(powers / HALF) * HALF
        simple = np.abs(powers - halves).max(initial=0) <= NEARLY
        simple &= np.abs(halves).max(initial=0) <= MAX_POWER
        if members[i] in targets and simple and len(powers) > 1:
            sources = tuple(np.delete(members, i).tolist())
            yield Product(members[i], sources, tuple(halves.tolist()))


def _seeming(few, units, place, power, axes, down):
    """Yield products of two that hold in all of a few rows, with some constant.

    First only in those of the greatest targets, where no factor is zero.
    """
    axis, target = axes[units[place]], few[:, place]
    size = np.where(np.isnan(target), -1.0, np.abs(target))
    first = few[np.argsort(-size, kind="stable")[:N_FIRST]]
    below = JUST_HALF * axis.unit if down else 0.0
    trial = Product(units[place], (-1, -1), (1, power), below=below)
    pair = first[:, :, None], first[:, None, :]
    ends = _scales(trial, first[:, place, None, None], pair, axis)
    low, high = np.fmax.reduce(ends[0], 0), np.fmin.reduce(ends[1], 0)
    seems = (low <= high) & _one_sign(low, high)
    seems[place] = seems[:, place] = False
    for i, j in np.argwhere(seems):
        if i == j or (power > 0 and i > j):
            continue
        ends = _scales(trial, target, (few[:, i], few[:, j]), axis)
        if _most_shared(*ends)[2] >= MIN_OF_FEW:
            yield replace(trial, sources=(units[i], units[j]))


def _scales(product, target, sources, axis):
    """Return between which constants a product holds, for each row; NaN if for none."""
    made = replace(product, constant=1.0, below=0.0).made(*sources)
    part = axis.rounding + 4 * axis.eps * np.abs(target)
    part = (1 + product.slack) * part
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        middle = target + product.below
        ends = (middle - part) / made, (middle + part) / made
    return np.minimum(*ends), np.maximum(*ends)


def _most_shared(low, high):
    """Return between which constants a product holds in most rows, and their share.

    Rows without one of the numbers do not count.
    """
    there = ~np.isnan(low) & ~np.isnan(high)
    low, high = np.sort(low[there]), np.sort(high[there])
    if not len(low):
        return np.nan, np.nan, 0.0
    held = np.arange(1, len(low) + 1) - np.searchsorted(high, low)
    best = held.argmax()
    low, share = low[best], held[best] / len(low)
    high = high[np.searchsorted(high, low)]
    return low, high, float(share * _one_sign(low, high))


def _one_sign(low, high):
    """Tell which constants are finite and cannot be zero."""
    return np.isfinite(low) & np.isfinite(high) & (np.sign(low) == np.sign(high))


def coarseness(values, axis):
    """Return how coarse numbers are, beside their spread."""
    values = values[~np.isnan(values)]
    with np.errstate(over="ignore"):
        spread = values.std() if len(values) else 0.0
    if not 0 < spread < np.inf:
        return np.inf
    return float(axis.unit / spread)


def _is_nearly_always(product, axes, column):
    """Tell whether a product holds in all rows but for a few, and that is no chance.

    Learns its constant, which is 1 or as short as most rows allow, and in how many.
    """
    parts = [column(unit) for unit in (product.target, *product.sources)]
    there = ~np.isnan(parts).any(axis=0)
    target, *sources = (part[there] for part in parts)
    if len(target) < MIN_ROWS:
        return False
    axis = axes[product.target]
    low, high, share = _most_shared(*_scales(product, target, sources, axis))
    if share < MIN_SHARE:
        return False
    product.constant = 1.0 if low <= 1 <= high else short_number(low, high)
    product.share = float(product.holds(target, *sources, axis=axis).mean())
    if product.share < MIN_SHARE:
        return False
    mixed = np.random.default_rng(0).permutation(len(target))
    # All of them too: else a constant is a quotient of two equal columns.
    ways = [*with_one_mixed(sources, mixed), [source[mixed] for source in sources]]
    chances = [product.holds(target, *others, axis=axis).mean() for others in ways]
    return max(chances) <= MAX_CHANCE
