"""Numbers that are smooth functions of two others."""

from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np
from numpy.polynomial import polynomial

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import goes_round, sources_first
from sklearn_tabsyn._relations._formulas import Formula, with_one_mixed
from sklearn_tabsyn._relations._products import coarseness

# Total degree of a surface, and of those that it is looked for by. Flat ones are sums.
DEGREE, LOOKED, FLAT = 4, 2, 1
# Rows that are looked at, in parts, for a mistaken row spoils one; and how many at
# least must have all numbers.
N_FEW, N_PARTS, MIN_ROWS = 300, 3, 100
# Columns beyond which there are too many pairs, and distinct values that a source has.
MAX_COLUMNS, MIN_DISTINCT = 100, 12
# Share of its spread by which half of a target may miss a surface of low degree, and
# pairs of sources that are tried for each then.
MAX_MISSED, N_TRIED = 0.05, 4
# How coarse a target may be rounded, beside its spread; by how many of its units it may
# miss a surface, being of rounded numbers; and by what share of its spread if that is
# more.
MAX_COARSE, UNITS, EXACT = 0.02, 1.13, 1e-4
# Share of the rows where that must be so, of those that are looked at, and at most of
# unrelated rows, or by a flat surface.
MIN_SHARE, MIN_OF_FEW, MAX_CHANCE, MAX_FLAT = 0.99, 0.95, 0.25, 0.9
# Shares of the rows, as if mistaken, without which a surface is laid once more.
LEFT_OUT = 0.03, 0.01
# Steps of Newton.
N_STEPS = 12


@dataclass
class Scale:
    """Reads numbers, or their logarithms, so that they lie between -1 and 1.

    Parameters
    ----------
    middle, half : float
        The middle between the ends, and how far these are from there.
    log : bool
        Whether logarithms are meant.
    """

    middle: float
    half: float
    log: bool

    @classmethod
    def of(cls, values, log):
        """Return the scale of values, of which some may be NaN."""
        values = np.log(values[values > 0]) if log else values
        low, high = np.nanmin(values) / 2, np.nanmax(values) / 2
        return cls(float(low + high), float(high - low) or 1.0, log)

    def inside(self, values):
        """Return values as they are read, NaN of what has no logarithm."""
        if self.log:
            values = np.log(np.where(values > 0, values, np.nan))
        return (values - self.middle) / self.half

    def outside(self, inside):
        """Return the values that are read so."""
        values = self.middle + self.half * inside
        return np.exp(values) if self.log else values

    def slope(self, values):
        """Return how fast what is read grows with values."""
        return 1 / (self.half * (values if self.log else np.ones_like(values)))


@dataclass
class Surface(Formula):
    """Column `target` is a polynomial of two others, or of their logarithms.

    So are a dew point, of a temperature and a humidity, and a latitude, of coordinates
    of another kind.

    Parameters
    ----------
    target : int
        Position of the column.
    sources : tuple of int
        Positions of the two columns it is made of.
    scales : tuple of Scale
        How each is read.
    weights : ndarray of shape (n_powers, n_powers), dtype float64
        What each product of their powers is times.
    within : float, default=0.0
        How far the target may be off.
    share : float, default=1.0
        Share of the rows where it is right; new rows all are.
    """

    target: int
    sources: tuple
    scales: tuple
    weights: np.ndarray
    within: float = 0.0
    share: float = field(default=1.0, compare=False)

    # Of three that are measured alike none is better computed than drawn.
    tied = True

    def made(self, *sources):
        """Return heights before they are rounded, NaN where there are none."""
        return polynomial.polyval2d(*self.inside(sources), self.weights)

    def slopes(self, *sources):
        """Return how fast heights grow with each source."""
        inside = self.inside(sources)
        pairs = zip(self.scales, sources, strict=True)
        return [
            self._slope(place, inside) * scale.slope(source)
            for place, (scale, source) in enumerate(pairs)
        ]

    def invert(self, place, target, sources):
        """Return what a source should be, given the target and the other source."""
        inside = self.inside(sources)
        with np.errstate(divide="ignore", invalid="ignore"):
            for _ in range(N_STEPS):
                off = target - polynomial.polyval2d(*inside, self.weights)
                step = off / self._slope(place, inside)
                inside[place] = np.clip(inside[place] + step, -1.0, 1.0)
        return self.scales[place].outside(inside[place])

    def error(self, made, target, axis):
        """Return how far a target may be from what is made."""
        return self.within + super().error(made, target, axis)

    def inside(self, sources):
        """Return the sources as their scales read them."""
        pairs = zip(self.scales, sources, strict=True)
        return [scale.inside(source) for scale, source in pairs]

    def _slope(self, place, inside):
        slopes = polynomial.polyder(self.weights, axis=place)
        return polynomial.polyval2d(*inside, slopes)


@np.errstate(all="ignore")  # columns of one value, and of numbers too large to square
def find_surfaces(values, axes, column, targets, made):
    """Return the columns of numbers that are smooth functions of two others.

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
    surfaces : list of Surface
        At most one for each target, sources before their targets; first of the targets
        that are rounded least.
    """
    units = list(axes)
    if len(units) > MAX_COLUMNS or len(values) < MIN_ROWS:
        return []
    coarse = np.array([coarseness(values[:, j], axes[u]) for j, u in enumerate(units)])
    order = [
        place
        for place in np.argsort(coarse, kind="stable")
        if units[place] in targets and coarse[place] <= MAX_COARSE
    ]
    if not order:
        return []
    missed = _missed(values[even_rows(len(values), N_FEW)])
    found, made = {}, dict(made)
    for place in order:
        unit = units[place]
        for pair in _likely_pairs(missed[..., place], coarse):
            sources = tuple(units[i] for i in pair)
            if goes_round(made, unit, sources):
                continue
            way = unit, sources, axes[unit]
            surface = _trial(*way, *values[:, [place, *pair]].T)
            if surface is not None and _is_nearly_always(surface, axes[unit], column):
                found[unit], made[unit] = surface, set(sources)
                break
    return sources_first(found.values())


def _missed(few):
    """Return by how much of their spread targets miss low surfaces of two sources.

    As (n, n, n) of the sources and the target; inf where that cannot be told. It is the
    median of the rows, and the least of some parts of them.
    """
    n_columns = few.shape[1]
    missed = np.full((n_columns,) * 3, np.inf)
    various = [j for j in range(n_columns) if _n_distinct(few[:, j]) >= MIN_DISTINCT]
    for part in np.array_split(few, N_PARTS):
        spread = np.array([_spread(values) for values in part.T])
        for i, j in combinations(various, 2):
            rows = np.isfinite(part[:, [i, j]]).all(1)
            if rows.sum() < len(part) / 2:
                continue
            sources = [part[rows, place] for place in (i, j)]
            base = _base([Scale.of(s, False).inside(s) for s in sources], LOOKED)
            off = _off(base, part[rows]) / spread
            off[[i, j]] = np.inf
            missed[i, j] = np.fmin(missed[i, j], off)
    return missed


def _off(base, targets):
    """Return the medians by which targets, (n, k), miss sums of a base, (n, m)."""
    off = np.full(targets.shape[1], np.inf)
    gaps = ~np.isfinite(targets)
    for pattern in np.unique(gaps, axis=1).T:
        if pattern.mean() > 0.5:
            continue
        alike = (gaps == pattern[:, None]).all(0)
        ends, _ = np.linalg.qr(base[~pattern])
        left = targets[np.ix_(~pattern, alike)]
        off[alike] = np.median(np.abs(left - ends @ (ends.T @ left)), 0)
    return off


def _likely_pairs(missed, coarse):
    """Return pairs of sources that a target hardly misses, rather coarse ones.

    What is rounded more is rather where the other comes from, being never as exact.
    """
    order = np.argsort(missed, axis=None)[:N_TRIED]
    pairs = [divmod(int(k), len(missed)) for k in order if missed.flat[k] <= MAX_MISSED]
    return sorted(pairs, key=lambda pair: -min(coarse[list(pair)]))


def _trial(unit, sources, axis, target, *values):
    """Return the surface of that form to which most rows hold, None if few do."""
    best, few = None, even_rows(len(target), N_FEW)
    within = max(UNITS * axis.unit, EXACT * _spread(target)) - axis.rounding
    forms = [(False, True) if _is_positive(part) else (False,) for part in values]
    for logs in product(*forms):
        scales = [Scale.of(part, log) for part, log in zip(values, logs, strict=True)]
        surface = Surface(unit, sources, tuple(scales), np.zeros((1, 1)), within)
        some = target[few], *(part[few] for part in values)
        if _laid(surface, axis, *some).share < MIN_OF_FEW:
            continue
        surface = _laid(surface, axis, target, *values)
        if best is None or surface.share > best.share:
            best = surface
    return best


def _laid(surface, axis, target, *sources, degree=DEGREE):
    """Return the surface nearest to rows, without those that miss it by most."""
    inside = surface.inside(sources)
    there = np.isfinite([target, *inside]).all(0)
    if there.sum() < MIN_ROWS:
        return replace(surface, share=0.0)
    base, heights = _base([part[there] for part in inside], degree), target[there]
    kept = np.ones(len(heights), dtype=bool)
    for share in (*LEFT_OUT, 0.0):
        weights = np.linalg.lstsq(base[kept], heights[kept])[0]
        off = np.abs(base @ weights - heights)
        kept = off <= np.quantile(off, 1 - share)
    table = np.zeros((degree + 1, degree + 1))
    table[_terms(degree)] = weights
    surface = replace(surface, weights=table)
    return replace(surface, share=_share(surface, axis, target, *sources))


def _is_nearly_always(surface, axis, column):
    """Tell whether a surface holds in all rows but for a few, and learn in how many.

    It must be curved, and need both of its sources.
    """
    parts = [column(unit) for unit in (surface.target, *surface.sources)]
    target, *sources = parts
    surface.share = _share(surface, axis, *parts)
    if surface.share < MIN_SHARE:
        return False
    if _laid(surface, axis, *parts, degree=FLAT).share > MAX_FLAT:
        return False
    mixed = np.random.default_rng(0).permutation(len(target))
    ways = with_one_mixed(sources, mixed)
    chances = [_share(surface, axis, target, *others) for others in ways]
    return max(chances) <= MAX_CHANCE


def _share(surface, axis, target, *sources):
    """Return the share of the rows, of those without a gap, that hold to a surface."""
    there = ~np.isnan([target, *sources]).any(0)
    if there.sum() < MIN_ROWS:
        return 0.0
    parts = [part[there] for part in (target, *sources)]
    return float(surface.holds(*parts, axis=axis).mean())


def _base(inside, degree):
    """Return the products of powers of two numbers, (n_rows, n_terms)."""
    return polynomial.polyvander2d(*inside, [degree, degree])[:, _terms(degree).ravel()]


def _terms(degree):
    """Tell which pairs of powers, (degree + 1, degree + 1), are of a total degree."""
    powers = np.arange(degree + 1)
    return powers[:, None] + powers <= degree


def _spread(values):
    """Return the standard deviation of values without the outermost."""
    values = values[np.isfinite(values)]
    if len(values) < 3:
        return 0.0
    low, high = np.quantile(values, [LEFT_OUT[0], 1 - LEFT_OUT[0]])
    return float(values[(values >= low) & (values <= high)].std())


def _n_distinct(values):
    return len(np.unique(values[~np.isnan(values)]))


def _is_positive(values):
    """Tell whether nearly all values have a logarithm."""
    return (values[~np.isnan(values)] > 0).mean() >= MIN_SHARE
