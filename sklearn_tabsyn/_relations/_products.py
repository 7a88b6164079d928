"""Numbers that are products or quotients of two others."""

from dataclasses import dataclass

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import comes_from, sources_first

# Rows that are looked at first, and before them, and how many at least must have all
# three numbers.
N_FEW, N_FIRST, MIN_ROWS = 300, 4, 20
# Columns beyond which no products are searched, for there are too many pairs.
MAX_COLUMNS = 300
# How coarse a product may be rounded, beside its spread.
MAX_COARSE = 0.01
# Of unrelated rows at most this share agrees.
MAX_CHANCE = 0.25


@dataclass
class Product:
    """Column `target` is column `factor` times, or divided by, column `other`.

    So is an amount of pieces and their price.

    Parameters
    ----------
    target, factor, other : int
        Positions of the columns.
    divides : bool
        Whether the factor is divided by the other.
    """

    target: int
    factor: int
    other: int
    divides: bool

    @property
    def sources(self):
        """Positions of the columns that it is made of."""
        return self.factor, self.other

    def made(self, factor, other):
        """Return products before they are rounded, NaN where there are none."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            made = factor / other if self.divides else factor * other
        return np.where(np.isfinite(made), made, np.nan)

    def invert(self, unit, target, rest):
        """Return what a source should be, given the target and the other source."""
        if self.divides and unit == self.factor:
            return Product(0, 1, 2, False).made(target, rest)
        # Of t = a / b, b is a / t; of t = a * b, each is t divided by the other.
        pair = (rest, target) if self.divides else (target, rest)
        return Product(0, 1, 2, True).made(*pair)

    def holds(self, target, factor, other, axis):
        """Tell in which rows the target is as exactly the product as it can be."""
        made = self.made(factor, other)
        error = axis.unit * 0.501 + 4 * axis.eps * (np.abs(made) + np.abs(target))
        return np.abs(made - target) <= error


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
        At most one for each target, sources before their targets; rather products
        than quotients.
    """
    few, units = values[even_rows(len(values), N_FEW)], list(axes)
    found, made = {}, dict(made)
    targets = targets if len(units) <= MAX_COLUMNS else ()
    for divides in (False, True):
        for place, target in enumerate(units):
            if target not in targets or not _is_fine(values[:, place], axes[target]):
                continue
            for product in _seeming(few, units, place, divides, axes):
                if target in found:
                    break
                if any(comes_from(made, s, target) for s in product.sources):
                    continue
                if _is_always(product, axes, column):
                    found[target], made[target] = product, set(product.sources)
    return sources_first(found.values())


def _seeming(few, units, place, divides, axes):
    """Yield products that hold in all of a few rows.

    First only in those of the greatest targets, where no factor is zero.
    """
    axis, target = axes[units[place]], few[:, place]
    size = np.where(np.isnan(target), -1.0, np.abs(target))
    first = few[np.argsort(-size, kind="stable")[:N_FIRST]]
    trial = Product(units[place], -1, -1, divides)
    pair = first[:, :, None], first[:, None, :]
    holds = trial.holds(first[:, place, None, None], *pair, axis)
    holds = (holds | np.isnan(pair[0]) | np.isnan(pair[1])).all(0)
    holds[place] = holds[:, place] = False
    for i, j in np.argwhere(holds):
        if i == j or not (divides or i < j):
            continue
        there = ~np.isnan(target) & ~np.isnan(few[:, i]) & ~np.isnan(few[:, j])
        if trial.holds(target, few[:, i], few[:, j], axis)[there].all():
            yield Product(units[place], units[i], units[j], divides)


def _is_fine(values, axis):
    """Tell whether numbers are told finely enough to be known as products."""
    values = values[~np.isnan(values)]
    if axis.few or not len(values):
        return False
    spread = values.std()
    return bool(0 < spread < np.inf and axis.unit <= MAX_COARSE * spread)


def _is_always(product, axes, column):
    """Tell whether a product holds in all rows, and that is not by chance."""
    parts = [column(unit) for unit in (product.target, *product.sources)]
    there = ~np.isnan(parts).any(axis=0)
    target, factor, other = (part[there] for part in parts)
    axis = axes[product.target]
    if len(target) < MIN_ROWS or not product.holds(target, factor, other, axis).all():
        return False
    mixed = np.random.default_rng(0).permutation(len(target))
    chances = (
        product.holds(target, factor[mixed], other, axis),
        product.holds(target, factor, other[mixed], axis),
    )
    return max(map(np.mean, chances)) <= MAX_CHANCE
