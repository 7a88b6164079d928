"""Numbers that are products or quotients of others."""

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import comes_from, sources_first
from sklearn_tabsyn._relations._dependent import dependent, parts_of
from sklearn_tabsyn._relations._formulas import Formula, with_one_mixed
from sklearn_tabsyn._relations._links import short_number

# Rows that are looked at first, and before them, and how many at least must have all
# numbers.
N_FEW, N_FIRST, MIN_ROWS = 300, 4, 20
# Products first, then quotients, and then those by squares, as of height.
POWERS = (1, -1, -2)
# Of more columns powers are multiples of this up to the next, within the last.
HALF, MAX_POWER, NEARLY = 0.5, 3.0, 1e-3
# Columns beyond which no products of two are searched, for there are too many pairs.
MAX_COLUMNS = 300
# How coarse a product may be rounded, beside its spread, and so fine that what rounding
# has taken from the sources, in units more of the product, is still no chance.
MAX_COARSE, FINE, SLACK = 0.05, 1e-6, 4.0
# Of unrelated rows at most this share agrees.
MAX_CHANCE = 0.25


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
    """

    target: int
    sources: tuple
    powers: tuple
    constant: float = 1.0
    slack: float = 0.0

    def made(self, *sources):
        """Return products before they are rounded, NaN where there are none."""
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
            found = target / self.made(*rest)
            found = found ** (1 / power) if power > 0 else (1 / found) ** (-1 / power)
        return np.where(np.isfinite(found), found, np.nan)

    def slopes(self, *sources):
        """Return how fast products grow with each source."""
        made = self.made(*sources)
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
    coarse = [_coarseness(values[:, j], axes[unit]) for j, unit in enumerate(units)]
    coarse = dict(zip(units, coarse, strict=True))
    targets = {unit for unit in targets if coarse[unit] <= MAX_COARSE}
    few = values[even_rows(len(values), N_FEW)]
    ways = [_of_more(values, units, targets, coarse, axes)]
    if len(units) <= MAX_COLUMNS:
        ways.insert(0, _of_two(few, units, targets, coarse, axes))
    for product in chain.from_iterable(ways):
        target = product.target
        if target in found or any(
            comes_from(made, source, target) for source in product.sources
        ):
            continue
        product.slack = SLACK if coarse[target] <= FINE else 0.0
        if _is_always(product, axes, column):
            found[target], made[target] = product, set(product.sources)
    return sources_first(found.values())


def _of_two(few, units, targets, coarse, axes):
    """Yield products of two columns that hold in a few rows, with some constant.

    First those of targets that are rounded least, and rather products than quotients.
    """
    tried = [
        (coarse[target], order, place)
        for place, target in enumerate(units)
        for order in range(len(POWERS))
        if target in targets
    ]
    for _, order, place in sorted(tried):
        yield from _seeming(few, units, place, POWERS[order], axes)


def _of_more(values, units, targets, coarse, axes):
    """Yield products that logarithms of some rows, which are positive, add up to."""
    for part in parts_of(values):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(part)
            slack = [axes[unit].unit * 0.501 for unit in units] / part.min(0)
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


def _seeming(few, units, place, power, axes):
    """Yield products of two that hold in all of a few rows, with some constant.

    First only in those of the greatest targets, where no factor is zero.
    """
    axis, target = axes[units[place]], few[:, place]
    size = np.where(np.isnan(target), -1.0, np.abs(target))
    first = few[np.argsort(-size, kind="stable")[:N_FIRST]]
    trial = Product(units[place], (-1, -1), (1, power))
    pair = first[:, :, None], first[:, None, :]
    low, high = _scales(trial, first[:, place, None, None], pair, axis)
    seems = low <= high
    seems[place] = seems[:, place] = False
    for i, j in np.argwhere(seems):
        if i == j or (power > 0 and i > j):
            continue
        low, high = _scales(trial, target, (few[:, i], few[:, j]), axis)
        if low <= high:
            yield Product(units[place], (units[i], units[j]), (1, power))


def _scales(product, target, sources, axis):
    """Return between which constants a product holds in all rows; NaN if none.

    Rows without one of the numbers do not count.
    """
    made = replace(product, constant=1.0).made(*sources)
    part = axis.unit * 0.501 + 4 * axis.eps * np.abs(target)
    part = (1 + product.slack) * part
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ends = (target - part) / made, (target + part) / made
    low = np.fmax.reduce(np.minimum(*ends), 0)
    high = np.fmin.reduce(np.maximum(*ends), 0)
    one_sign = np.isfinite(low) & np.isfinite(high) & (np.sign(low) == np.sign(high))
    return np.where(one_sign, low, np.nan), high


def _coarseness(values, axis):
    """Return how coarse numbers are, beside their spread; inf if they are few."""
    values = values[~np.isnan(values)]
    with np.errstate(over="ignore"):
        spread = values.std() if len(values) else 0.0
    if axis.few or not 0 < spread < np.inf:
        return np.inf
    return float(axis.unit / spread)


def _is_always(product, axes, column):
    """Tell whether a product holds in all rows, and that is not by chance.

    Learns its constant, which is 1 or as short as all rows allow.
    """
    parts = [column(unit) for unit in (product.target, *product.sources)]
    there = ~np.isnan(parts).any(axis=0)
    target, *sources = (part[there] for part in parts)
    if len(target) < MIN_ROWS:
        return False
    axis = axes[product.target]
    low, high = _scales(product, target, sources, axis)
    if not low <= high:
        return False
    product.constant = 1.0 if low <= 1 <= high else short_number(low, high)
    if not product.holds(target, *sources, axis=axis).all():
        return False
    mixed = np.random.default_rng(0).permutation(len(target))
    chances = [
        product.holds(target, *others, axis=axis).mean()
        for others in with_one_mixed(sources, mixed)
    ]
    return max(chances) <= MAX_CHANCE
