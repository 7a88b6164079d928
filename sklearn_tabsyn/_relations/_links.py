"""Numbers that are exactly those of another: equal, shifted, scaled or its rest."""

from dataclasses import dataclass

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import OneSource, comes_from, sources_first

# What holds in all rows would, of unrelated ones, hold in so many times fewer.
MIN_LIFT = 4.0
# Of a shift or a scale, which are chosen among many, at least so many rows agree.
MIN_ROWS = 20
# Rows that are looked at first.
N_FEW = 300
KINDS = ["equal", "difference", "ratio", "complement"]


@dataclass
class Link(OneSource):
    """Column `target` is made of column `source` in some or all rows.

    No smooth model of two numbers can say so, as when a bill is paid in full. The rows
    where it holds are marked by a level of their own, and decoded by a copy.

    Parameters
    ----------
    kind : {"equal", "difference", "ratio", "complement"}
        How it is made of it. A complement is what the source leaves of a constant.
    target, source : int
        Positions of the two columns.
    constant : float, default=0.0
        What is added to the source, or times what it is, or from what it is taken.
    always : bool, default=False
        Whether in all rows where both have a value; none is marked then.
    common : ndarray of shape (n_values,), default=()
        Values of the target in which the columns agree by chance, such as zero, or that
        are common anyway; rows with them are not marked.
    further : tuple of float, default=()
        Of a ratio, what the source is multiplied by in other rows, as by the rates of a
        tax. A row is marked by the number of the constant that holds in it.
    """

    kind: str
    target: int
    source: int
    constant: float = 0.0
    always: bool = False
    common: np.ndarray = ()
    further: tuple = ()

    is_soft = False

    @property
    def constants(self):
        """All constants, the most frequent one first."""
        return np.array([self.constant, *self.further])

    def predict(self, source, axis, mark=1):
        """Return what the target should be, with the decimals of its axis.

        `mark` is 1 for the first constant, or the number of another in each row.
        """
        return axis.round(self._made(source, self.constants[mark - 1]))

    def invert(self, target, axis, mark=1):
        """Return what the source should be, with the decimals of its axis."""
        if self.kind == "ratio":
            return axis.round(target / self.constants[mark - 1])
        if self.kind == "difference":
            return axis.round(target - self.constant)
        return axis.round(self._made(target, self.constant))

    def _made(self, source, constant):
        """Return what a source makes the target, before it is rounded."""
        if self.kind == "ratio":
            return source * constant
        if self.kind == "complement":
            return constant - source
        return source + constant * (self.kind == "difference")

    def agrees(self, target, source, axes):
        """Tell in which rows the target is what it should be."""
        return self.numbers(target, source, axes) > 0

    def numbers(self, target, source, axes):
        """Return the number of the constant that holds in each row, 0 if none does."""
        if self.kind == "equal":
            return (target == source).astype(int)
        eps = 4 * max(axes[self.target].eps, axes[self.source].eps)
        error = eps * (np.abs(target) + np.abs(source))
        numbers = np.zeros(len(target), dtype=int)
        for number in range(len(self.constants), 0, -1):
            if self.kind == "ratio":
                made = self.predict(source, axes[self.target], number)
            else:
                made = self._made(source, self.constant)
            numbers[np.abs(made - target) <= error] = number
        return numbers

    def marks(self, target, source, axes):
        """Return the mark of each row: the number of its constant, or 0."""
        numbers = self.numbers(target, source, axes)
        return np.where(np.isin(target, self.common), 0, numbers)

    def holds(self, target, source, axes):
        """Tell which rows are to be marked."""
        return self.marks(target, source, axes) > 0


def find_constant_links(values, axes, column):
    """Return the links between columns of numbers that hold in all rows.

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
    links : list of Link
        At most one for each target, sources before their targets.
    """
    links, made = {}, {}
    for link in _always_candidates(values, axes) if len(axes) > 1 else []:
        if link.target in links or comes_from(made, link.source, link.target):
            continue
        if _is_always(link, column(link.target), column(link.source), axes):
            links[link.target], made[link.target] = link, link.sources
    return sources_first(links.values())


def _always_candidates(values, axes):
    """Return links that hold in all of a few rows, the simplest first."""
    units = list(axes)
    few = values[even_rows(len(values), N_FEW)]
    eps = np.array([axis.eps for axis in axes.values()])
    size = np.fmax.reduce(np.abs(few), 0)
    noise = 2 * eps * size
    half = np.array([axis.unit / 2 for axis in axes.values()]) + noise
    whole = np.array([bool(axis.unit) for axis in axes.values()])
    found = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        divisors = np.where(few == 0, np.nan, few)
        for i, target in enumerate(units):
            shift, total = few[:, [i]] - few[:, :i], few[:, [i]] + few[:, :i]
            for j, constant in _constants(shift, noise[i] + noise[:i]):
                kind = "difference" if constant else "equal"
                found.append((Link(kind, target, units[j], constant, True), i, j))
            for j, constant in _constants(total, noise[i] + noise[:i]):
                if constant and axes[target].has_zero:
                    link = Link("complement", target, units[j], constant, True)
                    found.append((link, i, j))
            part = half[i] if whole[i] else noise[i]
            scales = np.stack([few[:, [i]] - part, few[:, [i]] + part]) / divisors
            low = np.fmax.reduce(scales.min(0), 0)
            high = np.fmin.reduce(scales.max(0), 0)
            for j in np.flatnonzero((low <= high) & (np.sign(low) == np.sign(high))):
                if j == i:
                    continue
                constant = short_number(low[j], high[j])
                found.append((Link("ratio", target, units[j], constant, True), i, j))
    # The earliest source, so that there are no chains; rather a later target.
    found.sort(key=lambda f: (KINDS.index(f[0].kind), f[1] < f[2], f[1], f[2]))
    return [link for link, _, _ in found]


def _constants(values, noise):
    """Yield the places of columns that are nearly constant, and these constants."""
    low, high = np.fmin.reduce(values, 0), np.fmax.reduce(values, 0)
    for j in np.flatnonzero(high - low <= 2 * noise):
        yield j, short_number(low[j], high[j], noise[j])


def _is_always(link, target, source, axes):
    """Tell whether a link holds in all rows, and that is not by chance.

    Its constant is made as short as all rows allow.
    """
    both = ~np.isnan(target) & ~np.isnan(source)
    target, source = target[both], source[both]
    if len(target) < MIN_ROWS:
        return False
    if link.kind == "ratio":
        constant = _common_scale(target, source, axes[link.target])
        if constant is None or constant == 1:
            return False
        link.constant = constant
        # Of few values, what is only made by rounding is better seen as a function.
        few = axes[link.target].few and axes[link.source].few
        if few and not np.allclose(constant * source, target, rtol=1e-9, atol=0):
            return False
    if link.kind == "complement" and axes[link.target].few and axes[link.source].few:
        return False  # two dummies are better seen as such
    if not link.agrees(target, source, axes).all():
        return False
    unrelated = np.random.default_rng(0).permutation(source)
    chance = link.agrees(target, unrelated, axes).mean()
    return chance * MIN_LIFT <= 1


def _common_scale(target, source, axis):
    """Return the shortest constant that makes all targets of the sources, or None."""
    here = source != 0
    target, source = target[here], source[here]
    part = axis.unit / 2 + 2 * axis.eps * np.abs(target)
    scales = np.stack([target - part, target + part]) / source
    low = scales.min(0).max(initial=-np.inf)
    high = scales.max(0).min(initial=np.inf)
    if not -np.inf < low <= high < np.inf or np.sign(low) != np.sign(high):
        return None
    return short_number(low, high)


def short_number(low, high, slack=0.0):
    """Return the number of fewest digits between two others."""
    low, high = low - slack, high + slack
    if low <= 0 <= high:
        return 0.0
    middle = (low + high) / 2
    for digits in range(1, 16):
        short = float(f"{middle:.{digits}g}")
        if low <= short <= high:
            return short
    return float(middle)
