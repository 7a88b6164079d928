"""Numbers that are products or quotients of others in some rows."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import mode

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import goes_round, sources_first
from sklearn_tabsyn._relations._formulas import with_one_mixed
from sklearn_tabsyn._relations._partial_links import frequent_values
from sklearn_tabsyn._relations._products import MAX_COARSE, Product, coarseness

# A product holds in at least this share of the rows, and in so many times as many as
# with a source of other rows, and in so many at least; its targets have so many values,
# none of which is that of a larger share of the rows.
MIN_SHARE, MIN_LIFT, MIN_ROWS, MIN_VALUES, COMMON = 0.3, 4.0, 50, 20, 0.05
# Rows that are looked at first, and among which those of each target are, and columns
# beyond which there are too many pairs.
N_FEW, N_SOME, MAX_COLUMNS = 40, 200, 100
# What makes a finite number of the logarithm of nothing.
TINY = 1e-9
# Neighbours of a target, of which few rows have one where a product holds exactly.
BESIDE = -3, -2, -1, 1, 2, 3
# Powers of the second source, with constants: what is counted in percent.
WAYS = [(1, 1.0), (1, 0.01), (-1, 1.0), (-1, 100.0)]


@dataclass
class PartialProduct(Product):
    """Column `target` is a product or quotient in some rows, which are marked.

    So is an amount where nothing was taken off. Parameters are those of `Product`.
    """

    always = is_soft = False

    @property
    def constants(self):
        """The only constant."""
        return np.array([self.constant])

    def agrees(self, target, *sources, axes):
        """Tell in which rows it holds."""
        return self.holds(target, *sources, axis=axes[self.target])

    def marks(self, target, *sources, axes):
        """Return 1 for each row where it holds, 0 for others."""
        return self.agrees(target, *sources, axes=axes).astype(int)


def find_partial_products(values, axes, column, targets, made):
    """Return the products and quotients of two columns that hold in some rows.

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
    products : list of PartialProduct
        At most one for each target, first those that tell most; sources before their
        targets.
    """
    found, made = {}, dict(made)
    ways = _ways(values, axes, targets) if len(axes) <= MAX_COLUMNS else []
    for _, product in sorted(ways, key=lambda way: -way[0]):
        target, sources = product.target, product.sources
        if target in found or goes_round(made, target, sources):
            continue
        parts = [column(j) for j in (target, *sources)]
        product.share = _share(product, *parts, axis=axes[target])
        if product.share:
            found[target], made[target] = product, set(sources)
    return sources_first(found.values())


def _ways(values, axes, targets):
    """Yield products that hold in some rows, with what they tell of their targets.

    That is in nats, of which others could be a column that is rounded more.
    """
    pairs, units = _Pairs(values), list(axes)
    for place, (unit, axis) in enumerate(axes.items()):
        coarse = coarseness(values[:, place], axis)
        if unit not in targets or coarse > MAX_COARSE:
            continue
        for sources, power, constant in pairs.like(place, values[:, place], axis):
            parts = [values[:, j] for j in (place, *sources)]
            sources = tuple(units[j] for j in sources)
            product = PartialProduct(unit, sources, (1, power), constant)
            share = _share(product, *parts, axis=axis)
            if share:
                yield share * -np.log(coarse + TINY), product


class _Pairs:
    """Products and quotients of all pairs of columns, in some rows.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Some rows of the columns.
    """

    def __init__(self, values):
        self.few = few = values[even_rows(len(values), N_SOME)]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            self.made = {
                1: few[:, :, None] * few[:, None, :],
                -1: few[:, :, None] / few[:, None, :],
            }

    def like(self, place, column, axis):
        """Yield what is a column in many of a few rows: places, power and constant."""
        target = self.few[:, place]
        rows = np.flatnonzero(_is_telling(target, column))[:N_FEW]
        target = target[rows, None, None]
        error = axis.rounding + 2 * axis.noise(target)
        for power, constant in WAYS if len(rows) else ():
            made = self.made[power][rows]
            with np.errstate(over="ignore", invalid="ignore"):
                made = made if constant == 1 else made * constant
                share = (np.abs(made - target) <= error).mean(0)
            share[place] = share[:, place] = 0.0
            for i, j in np.argwhere(share >= MIN_SHARE / 2):
                if i != j and (power < 0 or i < j):
                    yield (i, j), power, constant


def _share(product, target, *sources, axis):
    """Return the share of rows where a product holds, 0 if that may be chance."""
    there = ~np.isnan([target, *sources]).any(axis=0)
    target, *sources = (part[there] for part in (target, *sources))
    holds = product.holds(target, *sources, axis=axis)
    telling = _is_telling(target, target)
    n_values = len(np.unique(target[telling & holds]))
    if n_values < MIN_VALUES or holds[telling].mean() < MIN_SHARE:
        return 0.0
    mixed = np.random.default_rng(0).permutation(len(target))
    ways = with_one_mixed(sources, mixed)
    steps = _steps_beside(product, target, sources, axis)
    for source, others in zip(sources, ways, strict=True):
        # Where a source is what it is most often, another would rather be the same.
        rows = telling & (source != mode(source).mode)
        if rows.sum() < MIN_ROWS or holds[rows].mean() < MIN_SHARE:
            return 0.0
        chance = product.holds(target, *others, axis=axis)[rows].mean()
        beside = max(np.mean(steps[rows] == step) for step in BESIDE)
        if MIN_LIFT * max(chance, beside) > holds[rows].mean():
            return 0.0
    return float(holds.mean())


def _steps_beside(product, target, sources, axis):
    """Return how many neighbours a target is off; much that only is near is so by one.

    A neighbour is as far as rounding can lead from both.
    """
    made = product.made(*sources)
    error = product.error(made, target, axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.round((made - target) / (2 * error))


def _is_telling(numbers, column):
    """Tell which numbers are there, and are not those of many rows of a column."""
    common = frequent_values(column, np.floor(COMMON * len(column)) + 1)
    return ~np.isnan(numbers) & ~np.isin(numbers, common)
