"""Numbers that are exactly those of another column: equal, shifted or scaled."""

from dataclasses import dataclass

import numpy as np

from sklearn_tabsyn._chains import comes_from, sources_first
from sklearn_tabsyn._evenly import even_rows

# Two columns are linked if they agree in at least this share of the rows, and in this
# many times as many as the same columns in unrelated rows.
MIN_SHARE, MIN_LIFT = 0.02, 4.0
# Of a shift or a scale, which are chosen among many, at least so many rows agree.
MIN_ROWS = 20
# A value with at least this share of a column agrees often without a reason.
COMMON = 0.01
# Rows that are looked at first, for relations in all and in some rows, and the share
# of the latter that must agree there.
N_FEW, N_SOME, SOME_SHARE = 300, 1_000, 0.013
# Pairs at most that are looked at closely.
MAX_CLOSE = 500
# A scale that rounding leaves less certain than this says little.
MAX_WIDTH = 0.01
KINDS = ["equal", "difference", "ratio"]


@dataclass
class Link:
    """Column `target` is made of column `source` in some or all rows.

    No smooth model of two numbers can say so, as when a bill is paid in full. The rows
    where it holds are marked by a level of their own, and decoded by a copy.

    Parameters
    ----------
    kind : {"equal", "difference", "ratio"}
        How it is made of it.
    target, source : int
        Positions of the two columns.
    constant : float, default=0.0
        What is added to the source, or times what it is.
    always : bool, default=False
        Whether in all rows where both have a value; none is marked then.
    common : ndarray of shape (n_values,), default=()
        Values of the target that are common anyway, such as zero; rows with them
        are not marked.
    """

    kind: str
    target: int
    source: int
    constant: float = 0.0
    always: bool = False
    common: np.ndarray = ()

    is_soft = False

    @property
    def sources(self):
        """Position of the source."""
        return (self.source,)

    def predict(self, source, axis):
        """Return what the target should be, with the decimals of its axis."""
        if self.kind == "ratio":
            source = source * self.constant
        return axis.round(source + self.constant * (self.kind == "difference"))

    def invert(self, target, axis):
        """Return what the source should be, with the decimals of its axis."""
        if self.kind == "ratio":
            target = target / self.constant
        return axis.round(target - self.constant * (self.kind == "difference"))

    def agrees(self, target, source, axes):
        """Tell in which rows the target is what it should be."""
        if self.kind == "equal":
            return target == source
        if self.kind == "ratio":
            found = self.predict(source, axes[self.target])
        else:
            found = source + self.constant
        eps = 4 * max(axes[self.target].eps, axes[self.source].eps)
        return np.abs(found - target) <= eps * (np.abs(target) + np.abs(source))

    def holds(self, target, source, axes):
        """Tell which rows are to be marked."""
        return self.agrees(target, source, axes) & ~np.isin(target, self.common)


def find_links(values, axes, continuous, column, min_count=1):
    """Return the links between columns of numbers, sources before their targets.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_candidates)
        Some rows of the columns, as read by their axes, NaN where missing.
    axes : dict of int to Axis
        Positions and axes of the columns.
    continuous : list of bool
        Which columns have many values; only these are linked in a part of the rows.
    column : callable
        Returns all rows of a column, by its position.
    min_count : int, default=1
        Rows in which a value must be found to be kept.

    Returns
    -------
    links : list of Link
        At most one for each target.
    """
    if len(axes) < 2:
        return []
    links, made = {}, {}
    for link in _always_candidates(values, axes):
        if link.target in links or comes_from(made, link.source, link.target):
            continue
        if _is_always(link, column(link.target), column(link.source), axes):
            links[link.target], made[link.target] = link, link.sources
    places = np.flatnonzero(continuous)
    units = np.array(list(axes))[places]
    some = values[:, places]
    common = {
        unit: _common(part, min_count) for unit, part in zip(units, some.T, strict=True)
    }
    some = some.copy()
    for unit, part in zip(units, some.T, strict=True):
        part[np.isin(part, common[unit])] = np.nan
    free = [unit not in links for unit in units]
    found = _equals(some, units, free, axes)
    found += _shifted_or_scaled(some, units, free, axes)

    def preference(pair):
        share, link = pair
        made = link.source in always  # rather of what is not made of another itself
        kind, places = KINDS.index(link.kind), (-link.target, -link.source)
        return kind, -round(share, 3), made, -share, places

    always = set(links)
    for _, link in sorted(found, key=preference):
        # A target is not a source of its own source, so no chain ends in itself.
        if link.target in links or comes_from(made, link.source, link.target):
            continue
        link.common = common[link.target]
        if link.kind == "equal":  # which of the two is the target may change
            link.common = np.union1d(link.common, common[link.source])
        links[link.target], made[link.target] = link, link.sources
    return sources_first(links.values())


def _common(column, min_count):
    """Return the values that make up much of a column."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    least = max(2, min_count, COMMON * len(column))
    return values[counts >= least]


def _equals(values, units, free, axes):
    """Return the pairs of columns that are equal in many rows, and how many."""
    found = []
    few = values[even_rows(len(values), 2 * N_SOME)]
    for i in np.flatnonzero(free):
        seems = (few[:, :i] == few[:, [i]]).mean(0) >= MIN_SHARE / 2
        for j in np.flatnonzero(seems):
            share = np.mean(values[:, j] == values[:, i])
            if share < MIN_SHARE:
                continue
            # The later column copies the earlier one.
            link = Link("equal", int(units[i]), int(units[j]))
            pair = values[:, i], values[:, j]
            chance = np.mean(pair[0] == np.roll(pair[1], 1))
            if share >= MIN_LIFT * chance and _stands_out(link, *pair, axes):
                found.append((float(share), link))
    return found


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
    with np.errstate(divide="ignore", invalid="ignore"):
        divisors = np.where(few == 0, np.nan, few)
        for i, target in enumerate(units):
            shift = few[:, [i]] - few[:, :i]
            low, high = np.fmin.reduce(shift, 0), np.fmax.reduce(shift, 0)
            for j in np.flatnonzero(high - low <= 2 * (noise[i] + noise[:i])):
                constant = _short(low[j], high[j], noise[i] + noise[j])
                kind = "difference" if constant else "equal"
                found.append((Link(kind, target, units[j], constant, True), i, j))
            part = half[i] if whole[i] else noise[i]
            scales = np.stack([few[:, [i]] - part, few[:, [i]] + part]) / divisors
            low = np.fmax.reduce(scales.min(0), 0)
            high = np.fmin.reduce(scales.max(0), 0)
            for j in np.flatnonzero((low <= high) & (np.sign(low) == np.sign(high))):
                if j == i:
                    continue
                constant = _short(low[j], high[j])
                found.append((Link("ratio", target, units[j], constant, True), i, j))
    # The earliest source, so that there are no chains; rather a later target.
    found.sort(key=lambda f: (KINDS.index(f[0].kind), f[1] < f[2], f[1], f[2]))
    return [link for link, _, _ in found]


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
        few = all(axes[j].known is not None for j in (link.target, link.source))
        if few and not np.allclose(constant * source, target, rtol=1e-9, atol=0):
            return False
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
    return _short(low, high)


def _short(low, high, slack=0.0):
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


def _shifted_or_scaled(values, units, free, axes):
    """Return pairs of columns that are a constant apart in many rows."""
    few = values[even_rows(len(values), N_SOME)]
    axes_here = [axes[unit] for unit in units]
    eps = np.array([axis.eps for axis in axes_here])
    half = np.array([axis.unit / 2 for axis in axes_here])
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.fmax.reduce(np.abs(few), 0)
        middle = _medians(np.abs(few))
        large = np.where(np.abs(few) >= middle, few, np.nan)
        large[large == 0] = np.nan
        close = []
        for i in range(len(units)):
            shift = few[:, [i]] - few[:, :i]
            width = 8 * np.maximum(eps[i] * size[i], eps[:i] * size[:i])
            heavy = _heavy(shift, width, SOME_SHARE)
            close += [(-heavy[j], "difference", i, j) for j in np.flatnonzero(heavy)]
            if not axes_here[i].has_zero:
                continue
            scale = few[:, [i]] / large[:, :i]
            width = np.maximum(half[i] / middle[i], half[:i] / middle[:i])
            width = 2 * width + 8 * np.maximum(eps[i], eps[:i])
            heavy = _heavy(np.log(np.abs(scale)), width, SOME_SHARE / 2)
            heavy[width > MAX_WIDTH] = 0
            close += [(-heavy[j], "ratio", i, j) for j in np.flatnonzero(heavy)]
        found = []
        for _, kind, i, j in sorted(close, key=lambda c: c[:1] + c[2:])[:MAX_CLOSE]:
            for t, s in ((i, j), (j, i)) if kind == "ratio" else ((i, j),):
                if not free[t]:
                    continue
                link = Link(kind, int(units[t]), int(units[s]))
                share = _fit_constant(link, values[:, t], values[:, s], axes)
                if share:
                    found.append((share, link))
    return found


def _medians(values):
    """Return the medians of columns with gaps, NaN of those without values."""
    ordered = np.sort(values, axis=0)
    places = np.maximum(np.sum(~np.isnan(values), axis=0) - 1, 0) // 2
    return ordered[places, np.arange(values.shape[1])]


def _heavy(values, width, share):
    """Return for each column the share of rows within some interval of a width.

    A power of two times `share` or, if it is less than `share`, 0.
    """
    ordered = np.sort(values, axis=0)
    n_rows, heavy = len(values), np.zeros(values.shape[1])
    n_wanted = max(4, round(share * n_rows))
    while n_wanted <= n_rows and values.shape[1]:
        reached = (ordered[n_wanted - 1 :] - ordered[: n_rows - n_wanted + 1]) <= width
        here = reached.any(0)
        if not here.any():
            break
        heavy[here] = n_wanted / n_rows
        n_wanted *= 2
    return heavy


def _fit_constant(link, target, source, axes):
    """Find the constant of a link; return the share of rows where it holds.

    0 if this is little, or may be chance, or constants nearby do nearly as well, as
    they do where two rounded numbers depend on each other smoothly.
    """
    axis, eps = axes[link.target], max(axes[link.target].eps, axes[link.source].eps)
    if link.kind == "difference":
        shift, width = target - source, 8 * eps * np.nanmax(np.abs(target))
        center = _densest(shift, width)
        link.constant = _short(center, center, width)
    else:
        scale = target / np.where(source == 0, np.nan, source)
        typical = np.nanmedian(np.abs(target))
        large = np.abs(source) >= np.nanmedian(np.abs(source))
        width = 2 * (axis.unit / 2 / typical) + 8 * eps
        if not width <= MAX_WIDTH:
            return 0.0
        center = _densest(np.where(large, scale, np.nan), width, relative=True)
        best = 0
        for digits in range(1, 16):
            trial = float(f"{center:.{digits}g}")
            count = _n_agreeing(link, trial, target, source, axes)
            if count > 1.02 * best:
                best, link.constant = count, trial
    if link.constant == (link.kind == "ratio"):
        return 0.0  # is equal
    count = _n_agreeing(link, link.constant, target, source, axes)
    share = count / len(target)
    if count < MIN_ROWS or share < MIN_SHARE:
        return 0.0
    unrelated = np.roll(source, len(source) // 2)
    chance = np.mean(link.agrees(target, unrelated, axes))
    stands_out = _stands_out(link, target, source, axes)
    return share if share >= MIN_LIFT * chance and stands_out else 0.0


def _stands_out(link, target, source, axes):
    """Tell whether a link holds in many more rows than with constants nearby.

    If not, two rounded numbers depend on each other smoothly.
    """
    axis = axes[link.target]
    if link.kind == "ratio":
        typical = np.nanmedian(np.abs(target))
        width = axis.unit / typical + 8 * max(axis.eps, axes[link.source].eps)
        nearby = link.constant * (1 + 2 * width * np.r_[-3:0, 1:4])
    else:
        step = max(axis.unit, axes[link.source].unit)
        nearby = link.constant + step * np.r_[-10:0, 1:11] if step else []
    kind = "difference" if link.kind == "equal" else link.kind
    near = Link(kind, link.target, link.source)
    counts = [_n_agreeing(near, c, target, source, axes) for c in nearby]
    beside = (max(counts) + np.mean(counts)) / 2 if counts else 0.0
    count = int(np.sum(link.agrees(target, source, axes)))
    return count >= max(MIN_LIFT * beside, beside + 8 * np.sqrt(beside) + 10)


def _n_agreeing(link, constant, target, source, axes):
    """Return in how many rows a link with another constant would hold."""
    other = Link(link.kind, link.target, link.source, constant)
    return int(np.sum(other.agrees(target, source, axes)))


def _densest(values, width, relative=False):
    """Return the middle of the interval of a width that holds most values."""
    ordered = np.sort(values[~np.isnan(values)])
    ends = ordered + width * (np.abs(ordered) if relative else 1)
    counts = np.searchsorted(ordered, ends, "right") - np.arange(len(ordered))
    start = int(np.argmax(counts))
    return float(np.median(ordered[start : start + counts[start]]))
