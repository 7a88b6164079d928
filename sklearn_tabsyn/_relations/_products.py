"""Numbers that are products or quotients of two others."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import comes_from, sources_first
from sklearn_tabsyn._relations._formulas import Formula
from sklearn_tabsyn._relations._links import short_number

# Rows that are looked at first, and before them, and how many at least must have all
# three numbers.
N_FEW, N_FIRST, MIN_ROWS = 300, 4, 20
# Products first, then quotients, and then those by squares, as of height.
POWERS = (1, -1, -2)
# Columns beyond which no products are searched, for there are too many pairs.
MAX_COLUMNS = 300
# How coarse a product may be rounded, beside its spread.
MAX_COARSE = 0.05
# Of unrelated rows at most this share agrees.
MAX_CHANCE = 0.25


@dataclass
class Product(Formula):
    """Column `target` is column `factor` times a power of column `other`.

    So is an amount of pieces and their price, or with a constant what there is per
    100,000 inhabitants.

    Parameters
    ----------
    target, factor, other : int
        Positions of the columns.
    power : {1, -1, -2}, default=1
        Whether the factor is multiplied by the other, or divided by it or its square.
    constant : float, default=1.0
        What all this is times.
    """

    target: int
    factor: int
    other: int
    power: int = 1
    constant: float = 1.0

    @property
    def sources(self):
        """Positions of the columns that it is made of."""
        return self.factor, self.other

    def made(self, factor, other):
        """Return products before they are rounded, NaN where there are none."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            made = factor * other if self.power > 0 else factor / other**-self.power
            made = made if self.constant == 1 else self.constant * made
        return np.where(np.isfinite(made), made, np.nan)

    def invert(self, place, target, sources):
        """Return what a source should be, given the target and the other source."""
        rest, scaled = sources[1 - place], target / self.constant
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            if self.power > 0:
                found = scaled / rest
            elif place == 0:
                found = scaled * rest**-self.power
            else:
                found = (rest / scaled) ** (-1 / self.power)
        return np.where(np.isfinite(found), found, np.nan)


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
        that are rounded least, and rather products than quotients.
    """
    few, units = values[even_rows(len(values), N_FEW)], list(axes)
    found, made = {}, dict(made)
    targets = targets if len(units) <= MAX_COLUMNS else ()
    coarse = [_coarseness(values[:, j], axes[unit]) for j, unit in enumerate(units)]
    tried = [
        (coarse[place], order, place)
        for place, target in enumerate(units)
        for order in range(len(POWERS))
        if target in targets and coarse[place] <= MAX_COARSE
    ]
    for _, order, place in sorted(tried):
        target = units[place]
        for product in _seeming(few, units, place, POWERS[order], axes):
            if target in found:
                break
            if any(comes_from(made, s, target) for s in product.sources):
                continue
            if _is_always(product, axes, column):
                found[target], made[target] = product, set(product.sources)
    return sources_first(found.values())


def _seeming(few, units, place, power, axes):
    """Yield products that hold in all of a few rows, with some constant.

    First only in those of the greatest targets, where no factor is zero.
    """
    axis, target = axes[units[place]], few[:, place]
    size = np.where(np.isnan(target), -1.0, np.abs(target))
    first = few[np.argsort(-size, kind="stable")[:N_FIRST]]
    trial = Product(units[place], -1, -1, power)
    pair = first[:, :, None], first[:, None, :]
    low, high = _scales(trial, first[:, place, None, None], *pair, axis)
    seems = low <= high
    seems[place] = seems[:, place] = False
    for i, j in np.argwhere(seems):
        if i == j or (power > 0 and i > j):
            continue
        low, high = _scales(trial, target, few[:, i], few[:, j], axis)
        if low <= high:
            yield Product(units[place], units[i], units[j], power)


def _scales(product, target, factor, other, axis):
    """Return between which constants a product holds in all rows; NaN if none.

    Rows without one of the numbers do not count.
    """
    made = replace(product, constant=1.0).made(factor, other)
    part = axis.unit * 0.501 + 4 * axis.eps * np.abs(target)
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
    target, factor, other = (part[there] for part in parts)
    if len(target) < MIN_ROWS:
        return False
    axis = axes[product.target]
    low, high = _scales(product, target, factor, other, axis)
    if not low <= high:
        return False
    product.constant = 1.0 if low <= 1 <= high else short_number(low, high)
    if not product.holds(target, factor, other, axis=axis).all():
        return False
    mixed = np.random.default_rng(0).permutation(len(target))
    chances = (
        product.holds(target, factor[mixed], other, axis=axis),
        product.holds(target, factor, other[mixed], axis=axis),
    )
    return max(map(np.mean, chances)) <= MAX_CHANCE
