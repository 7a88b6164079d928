"""Numbers and dates that are never greater than others."""

from dataclasses import dataclass

import numpy as np

from sklearn_tabsyn._evenly import even_rows

# Rows that are looked at first.
N_FEW = 300
# An order is one if so many, and such a share, of unrelated rows would violate it.
MIN_VIOLATED, MIN_VIOLATED_SHARE = 20, 0.01
# Distinct values from which numbers have an order that is worth a rule.
MIN_DISTINCT = 10
# Pairs at most that are looked at closely.
MAX_CLOSE = 1_000
# A smallest quarter of the differences, of at least and at most so many, is looked at.
MIN_GAPS, MAX_SMALLEST = 80, 300


@dataclass(frozen=True)
class Order:
    """Column `low` is never greater than column `high`, or always less if `strict`."""

    low: int
    high: int
    strict: bool

    @classmethod
    def of(cls, low, high, column):
        """Return the order, or None if not all rows of two columns follow it."""
        gap = column(high) - column(low)
        return None if (gap < 0).any() else cls(low, high, not (gap == 0).any())

    def violated(self, values):
        """Tell in which rows of columns it does not hold."""
        low, high = values[self.low], values[self.high]
        return (low >= high) if self.strict else (low > high)


def find_orders(values, axes, column):
    """Return the orders between columns of numbers.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_candidates)
        Some rows of the columns, as read by their axes, NaN where missing.
    axes : dict of int to Axis
        Positions and axes of the columns.
    column : callable
        Returns all rows of a column, by its position.

    Returns
    -------
    orders : list of Order
        Also those that follow from others.
    """
    orders, units = [], list(axes)
    columns = [
        _Numbers.of(part, axes[j]) for j, part in zip(units, values.T, strict=True)
    ]
    mixed = np.random.default_rng(0).permutation(len(values))
    for low, high in _possible_pairs(values):
        if (columns[high].values < columns[low].values).any():
            continue
        unrelated = columns[high].values[mixed] - columns[low].values
        n_compared, n_violated = np.sum(~np.isnan(unrelated)), np.sum(unrelated < 0)
        if n_violated < max(MIN_VIOLATED, MIN_VIOLATED_SHARE * n_compared):
            continue
        if not _has_edge(columns[low], columns[high]):
            continue
        order = Order.of(units[low], units[high], column)
        if order is not None:
            orders.append(order)
    return _with_implied(orders, column)


def _with_implied(orders, column):
    """Return orders and those that follow; what lies between may be missing."""
    found = {(order.low, order.high): order for order in orders}
    tried = set(found)
    while True:
        new = {(a, d) for a, b in found for c, d in found if b == c} - tried
        if not new:
            return [found[pair] for pair in sorted(found)]
        tried |= new
        implied = {pair: Order.of(*pair, column) for pair in new}
        found |= {pair: order for pair, order in implied.items() if order is not None}


def reduced(orders):
    """Return the orders that do not follow from two others."""
    pairs = {(order.low, order.high) for order in orders}
    above = {}
    for low, high in pairs:
        above.setdefault(low, set()).add(high)
    return [
        order
        for order in orders
        if not any((middle, order.high) in pairs for middle in above[order.low])
    ]


@dataclass
class _Numbers:
    """Some rows of a column, its axis, and which values are too frequent to tell."""

    values: np.ndarray
    axis: object
    plain: np.ndarray
    n_distinct: int

    @classmethod
    def of(cls, values, axis):
        parts = {"return_inverse": True, "return_counts": True}
        distinct, codes, counts = np.unique(values, **parts)
        # Two columns may well share these.
        limit = counts.max() if axis.few else 0.01 * len(values)
        plain = (counts < max(2, limit))[codes]
        return cls(values, axis, plain, int(np.sum(~np.isnan(distinct))))


def _possible_pairs(values):
    """Return the pairs of columns that are in order in all of a few rows.

    Those first of which unrelated rows are so least often.
    """
    few = values[even_rows(len(values), N_FEW)]
    unrelated = np.random.default_rng(0).permutation(few)
    pairs = []
    for i in range(few.shape[1]):
        possible = ~(few[:, [i]] > few).any(0)
        possible[i] = False
        share = (few[:, [i]] > unrelated).mean(0)
        pairs += [(-share[j], i, int(j)) for j in np.flatnonzero(possible)]
    return [(i, j) for _, i, j in sorted(pairs)[:MAX_CLOSE]]


def _has_edge(low, high):
    """Tell whether differences that are never negative are cut off at zero.

    They are if small ones are about as frequent as somewhat larger ones. If they are
    rarer, the columns only happen not to cross. What is asked of the differences is
    asked of their ratio to the numbers too, for small numbers have small differences.
    """
    if min(low.n_distinct, high.n_distinct) < MIN_DISTINCT:
        return False
    both = low.plain & high.plain & ~np.isnan(low.values) & ~np.isnan(high.values)
    gap = (high.values - low.values)[both]
    if len(gap) < MIN_GAPS:
        return False
    unit = max(low.axis.unit, high.axis.unit)
    size = np.ones(len(gap))
    if low.axis.has_zero:
        size = (np.abs(low.values) + np.abs(high.values))[both]
    large = size >= np.median(size)
    if unit:
        steps = np.rint(gap[large] / unit)
        start = steps.min()
        first, second = (np.sum(steps == start + n) for n in (0, 1))
        if start <= 1 and first >= MIN_VIOLATED:
            return bool(first >= second / 2)
    elif np.sum(gap == 0) >= MIN_VIOLATED:
        return True  # numbers of no unit that touch so often, and never cross
    gap = gap + unit / 2
    return _is_cut(gap) and _is_cut(gap / np.where(size == 0, 1, size))


def _is_cut(gap):
    """Tell whether small differences are about as frequent as somewhat larger ones."""
    gap = np.sort(gap[gap > 0])
    if len(gap) < MIN_GAPS:
        return False
    gap = gap[: min(MAX_SMALLEST, len(gap) // 4)]
    # Hill's estimator of the power by which their number grows: 1 if they are evenly
    # spread, and much more in the tail of a smooth distribution. Of few it is rough.
    limit = 1.7 if len(gap) == MAX_SMALLEST else 1.4 if len(gap) >= 100 else 1.3
    return bool(limit * np.mean(np.log(gap[-1] / gap[:-1])) >= 1)


def put_in_order(orders, axes, cells, held, computed=()):
    """Exchange or move numbers of rows that violate orders.

    Two numbers are exchanged if both columns can have the other's, or one is mirrored
    at the other if this is computed. What still violates an order then is moved to the
    nearest number that does not.

    Parameters
    ----------
    orders : list of Order
        What has to hold where both columns have a value.
    axes : dict of int to Axis
        Positions and axes of the columns.
    cells : Drawn
        The rows; what is known of them stays.
    held : dict of int to ndarray of shape (n_rows,), dtype bool
        What else stays.
    computed : set of int
        Columns that are computed of others, and stay.
    """
    units = _lowest_first(orders)
    values = {unit: axes[unit].read(cells[unit]) for unit in units}
    fixed = {
        unit: cells.known[unit] | held.get(unit, False) | (unit in computed)
        for unit in units
    }
    for unit in units:
        free = ~cells.known[unit]
        values[unit][free] = axes[unit].nearest(values[unit][free])
    rows = np.any([order.violated(values) for order in orders], axis=0)
    if not rows.any():
        return
    values = {unit: part[rows] for unit, part in values.items()}
    fixed = {unit: part[rows] for unit, part in fixed.items()}
    for order in orders * 2:
        _exchange(order, axes, values, fixed)
        _mirror(order, axes, values, fixed, computed)
    _move(orders, units, axes, values, fixed)
    for unit in units:
        moved = np.flatnonzero(rows)[~fixed[unit]]
        cells[unit][moved] = axes[unit].write(values[unit][~fixed[unit]])


def _lowest_first(orders):
    """Return all columns, each after those that are never greater."""
    lower = {}
    for order in orders:
        lower.setdefault(order.low, set())
        lower.setdefault(order.high, set()).add(order.low)
    units = []
    while lower:
        ready = sorted(unit for unit, below in lower.items() if not below - set(units))
        units += ready
        lower = {unit: below for unit, below in lower.items() if unit not in ready}
    return units


def _exchange(order, axes, values, fixed):
    """Exchange two numbers where this is possible and puts them in order."""
    low, high = values[order.low], values[order.high]
    rows = (low > high) & ~fixed[order.low] & ~fixed[order.high]
    rows &= axes[order.low].nearest(high) == high
    rows &= axes[order.high].nearest(low) == low
    low[rows], high[rows] = high[rows], low[rows]


def _mirror(order, axes, values, fixed, computed):
    """Mirror numbers at one that is computed where they are on its wrong side."""
    for unit, other in (order.low, order.high), (order.high, order.low):
        if other not in computed:
            continue
        rows = (values[order.low] > values[order.high]) & ~fixed[unit]
        mirrored = axes[unit].nearest(2 * values[other] - values[unit])
        values[unit][rows] = mirrored[rows]


def _move(orders, units, axes, values, fixed):
    """Move numbers to the nearest ones that violate no order."""
    tops = {}
    for unit in reversed(units):
        top = np.full(len(values[unit]), axes[unit].high)
        for order in orders:
            if order.low == unit:
                high = values[order.high]
                limit = np.where(fixed[order.high], high, tops[order.high])
                limit = axes[unit].below(limit, order.strict)
                top = np.where(np.isnan(high), top, np.minimum(top, limit))
        tops[unit] = top
    for unit in units:
        bottom = np.full(len(values[unit]), axes[unit].low)
        for order in orders:
            if order.high == unit:
                low = values[order.low]
                limit = axes[unit].above(low, order.strict)
                bottom = np.where(np.isnan(low), bottom, np.maximum(bottom, limit))
        moved = np.minimum(np.maximum(values[unit], bottom), tops[unit])
        values[unit] = np.where(fixed[unit], values[unit], moved)
