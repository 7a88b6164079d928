"""Numbers and dates on axes on which they can be compared, and what they can be."""

import math

import numpy as np
import pandas as pd

from sklearn_tabsyn._columns import FloatColumn, StepColumn
from sklearn_tabsyn._digits import EXACT, digits_beside, half_digit
from sklearn_tabsyn._nearest import nearest_of

NANOSECONDS = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
# Distinct values up to which a column has neighbours rather than distances.
MAX_FEW = 128
# Quotients of decimals are whole up to this share of them.
NEARLY = 1e-12


class Axis:
    """A column of numbers or dates, in units that it shares with others.

    Parameters
    ----------
    column : FloatColumn or StepColumn
        Schema of the column.
    values : ndarray of shape (n_rows,), dtype float64
        Canonical training values.
    discrete : bool
        Whether it can only have values that were there.
    scale, offset : float, default=1.0, 0.0
        From canonical values to the axis.
    tick : int, default=1
        What one unit of the axis is: 1, or nanoseconds of dates.
    """

    def __init__(self, column, values, discrete, scale=1.0, offset=0.0, tick=1):
        self.column = column
        self.scale, self.offset, self.tick = scale, offset, tick
        self.rounded = isinstance(column, StepColumn)
        self.unit, self.start, self.eps = scale, offset, 0.0
        if not self.rounded:
            floats = getattr(column.dtype, "kind", "O") == "f"
            size = min(getattr(column.dtype, "itemsize", 8), 8) if floats else 8
            self.float = np.dtype("f4" if column.single else f"f{size}")
            self.eps = float(np.finfo(self.float).eps)
            if column.digits is not None:
                self.eps = 0.5 * 10.0 ** (1 - column.digits)
            self.rounded = column.decimals is not None
            self.unit = 10.0**-column.decimals if self.rounded else 0.0
            self.start = 0.0
            if column.step > 1:
                self.unit, self.start = float(column.step), column.lowest
        ends = self.read(np.array([np.nanmin(values), np.nanmax(values)]))
        self.low, self.high = ends
        distinct = np.unique(self.read(values[~np.isnan(values)]))
        self.known = distinct if discrete else None
        self.few = len(distinct) <= MAX_FEW

    @property
    def rounding(self):
        """By how much rounding moves numbers at most, and a little for arithmetic."""
        return 0.501 * self.unit

    @property
    def has_zero(self):
        """Whether numbers of the column can be compared by their ratio."""
        return isinstance(self.column, FloatColumn)

    def allow(self, values):
        """Let the column have none but some canonical values."""
        self.known = self.read(values[~np.isnan(values)])

    def read(self, values):
        """Return canonical values on the axis."""
        if isinstance(self.column, FloatColumn):
            return self.column.natural(values)
        return self.column.natural(values) * self.scale + self.offset

    def write(self, values):
        """Return canonical values of those on the axis."""
        return (values - self.offset) / self.scale

    def round(self, values):
        """Return values with the decimals of the column."""
        if isinstance(self.column, FloatColumn):
            return self.column.natural(values)
        return self.read(self.write(values))

    def nearest(self, values):
        """Return the nearest values that the column can have; NaN stays NaN."""
        there = ~np.isnan(values)
        found, here = np.full(len(values), np.nan), values[there]
        if self.known is not None:
            found[there] = nearest_of(self.known, here)
        elif isinstance(self.column, FloatColumn):
            found[there] = self.column.read(self.column.restore(here))
        else:
            found[there] = self.round(here).clip(self.low, self.high)
        return found

    def noise(self, values):
        """Return how far numbers, (n,), may be from what they are meant to be.

        That is what their last digit or the arithmetic of floats leaves open; decimals
        are not meant.
        """
        if self.rounded or self.column.digits is None:
            return 4 * self.eps * np.abs(values)
        rounding = half_digit(values, self.column.digits)
        return rounding + 4 * np.finfo(self.float).eps * np.abs(values)

    def least(self, values):
        """Return the distance below which numbers as large as these are the same."""
        size = np.nanmax(np.abs(values), initial=0.0)
        return max(self.unit, 8 * self.eps * size, 1e-300)

    def amount(self, distance):
        """Return a distance on the axis, or a ratio, as users know it."""
        if self.has_zero:
            return float(distance)
        if self.column.unit[0] in "mM":
            return pd.Timedelta(round(distance) * self.tick, "ns")
        return float(distance) * self.tick * 10.0**-self.column.decimals

    def below(self, values, strict):
        """Return the highest possible values up to, or if `strict` below, others."""
        return self._beside(values, strict, -1)

    def above(self, values, strict):
        """Return the lowest possible values from, or if `strict` above, others."""
        return self._beside(values, strict, 1)

    def others(self, values):
        """Return neighbours that are possible, so that two by two are exchanged."""
        if self.known is not None:
            return _exchanged(self.known, values)
        if not self.unit:
            return values
        steps = np.round((values - self.start) / self.unit)
        sign = np.where(steps % 2 == 0, 1, -1)
        others = self.round(values + sign * self.unit)
        inside = (others >= self.low) & (others <= self.high)
        return np.where(inside, others, self.round(values - sign * self.unit))

    def _beside(self, values, strict, sign):
        """Return the nearest possible values on one side, within the range."""
        if self.known is not None:
            known = sign * self.known[::sign]
            side = "right" if strict else "left"
            place = np.searchsorted(known, sign * values, side).clip(max=len(known) - 1)
            return sign * known[place]
        if self.unit:
            steps = sign * (values - self.start) / self.unit
            nearly = NEARLY * (1 + np.abs(steps))
            steps = np.floor(steps + nearly) + 1 if strict else np.ceil(steps - nearly)
            beside = self.round(self.start + sign * steps * self.unit)
        elif self.column.digits is not None:
            beside = digits_beside(values, self.column.digits, strict, sign)
        else:
            beside = values.astype(self.float)
            short = (beside <= values) if sign > 0 else (beside >= values)
            short &= strict | (beside != values)
            end = self.float.type(sign * np.inf)
            beside = np.where(short, np.nextafter(beside, end), beside)
        return beside.astype(np.float64).clip(self.low, self.high)


class NameAxis:
    """A column of names, as places among the names of several columns.

    Parameters
    ----------
    places : ndarray of shape (n_levels,), dtype float64
        Place of each level.
    counts : ndarray of shape (n_levels,), dtype int64
        Rows that have it.
    """

    eps = unit = rounding = 0.0
    few = True

    def __init__(self, places, counts):
        self.places = places
        self.by_frequency = places[np.argsort(-counts, kind="stable")]

    def read(self, values):
        """Return the places of canonical values; NaN stays NaN."""
        there = ~np.isnan(values)
        found = np.full(len(values), np.nan)
        found[there] = self.places[values[there].astype(int)]
        return found

    def write(self, values):
        """Return canonical values of places; NaN of those of other columns."""
        at = _places_in(self.places, values)
        return np.where(self.places[at] == values, at, np.nan)

    def nearest(self, values):
        """Return the same places where the column has such a name, otherwise NaN."""
        return np.where(np.isin(values, self.places), values, np.nan)

    def round(self, values):
        """Return the same places."""
        return values

    def above(self, values, strict):
        """Return the next places, for names are in no other order."""
        return self._beside(values, 1)

    def below(self, values, strict):
        """Return the places before."""
        return self._beside(values, -1)

    def _beside(self, values, by):
        at = _places_in(self.places, values) + by
        return self.places[at.clip(0, len(self.places) - 1)]

    def others(self, values):
        """Return others about as frequent, so that two by two are exchanged."""
        return _exchanged(self.by_frequency, values)


def find_names(columns, frame):
    """Return the axis of each column of names, all on one."""
    axes, places = {}, {}
    for j, column in enumerate(columns):
        if column.kind == "category" and len(column.levels) and frame[j].notna().any():
            own = [places.setdefault(level, len(places)) for level in column.levels]
            levels = frame[j].dropna().to_numpy(dtype=np.int64)
            counts = np.bincount(levels, minlength=len(own))
            axes[j] = NameAxis(np.array(own, dtype=np.float64), counts)
    return axes


def _places_in(ordered, values):
    """Return the places of values among others; any place of those not among them."""
    sorter = np.argsort(ordered)
    at = np.searchsorted(ordered, values, sorter=sorter)
    return sorter[at.clip(max=len(ordered) - 1)]


def _exchanged(ordered, values):
    """Return neighbours of values among ordered ones, each other's two by two."""
    at = _places_in(ordered, values)
    return ordered[np.where((at ^ 1) < len(ordered), at ^ 1, at)]


def find_axes(columns, kinds, frame):
    """Return the axes of columns that can be compared, by family.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    kinds : list of {"continuous", "discrete", "nominal"}
        How they are encoded.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.

    Returns
    -------
    families : list of dict of int to Axis
        Numbers; dates; durations; and integers too large for floats.
    """
    numbers, steps = {}, {}
    for j, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind == "nominal" or frame[j].isna().all():
            continue
        if isinstance(column, FloatColumn):
            values = frame[j].to_numpy()
            numbers[j] = Axis(column, values, kind == "discrete")
        elif isinstance(column, StepColumn):
            family = column.unit[0].replace("u", "i"), column.decimals
            steps.setdefault(family, []).append(j)
    families = [numbers]
    for members in steps.values():
        members = {j: columns[j] for j in members}
        places = _common_places(members)
        families.append(
            {
                j: Axis(columns[j], frame[j].to_numpy(), kinds[j] == "discrete", *place)
                for j, place in places.items()
            }
        )
    return families


def _common_places(columns):
    """Return scale, offset and tick of columns of steps on one exact axis.

    Columns that would make its numbers too large for floats are left out.
    """
    spans = {}
    for j, column in columns.items():
        dates = column.unit[0] in "mM"
        unit = np.datetime_data(np.dtype(column.unit))[0] if dates else "ns"
        spans[j] = [n * NANOSECONDS[unit] for n in (column.lowest, column.step)]
    taken = []
    for j in sorted(spans, key=lambda j: -spans[j][1]):  # the coarsest first
        base, tick = _common_ticks([spans[k] for k in [*taken, j]])
        tops = (spans[k][0] + spans[k][1] * columns[k].n_steps for k in [*taken, j])
        if max(tops) - base < EXACT * tick:
            taken.append(j)
    base, tick = _common_ticks([spans[j] for j in taken])
    return {
        j: (float(spans[j][1] // tick), float((spans[j][0] - base) // tick), tick)
        for j in sorted(taken)
    }


def _common_ticks(spans):
    """Return the lowest of all columns, and a unit of which all steps are multiples."""
    base = min((low for low, _ in spans), default=0)
    return base, math.gcd(*(n for low, step in spans for n in (low - base, step)))
