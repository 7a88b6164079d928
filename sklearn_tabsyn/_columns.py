"""One column in and out: numbers as floats, categories as places in their levels."""

import datetime
import decimal
import difflib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

# Floats with more decimals than this are taken as unrounded.
MAX_DECIMALS = 12


@dataclass
class ColumnSchema:
    """What a column is made of, and how to read and restore it.

    Parameters
    ----------
    name : object
        Name of the column.
    dtype : dtype
        The pandas dtype of the column.
    missing : object
        What stands for a missing value.
    """

    name: Any
    dtype: Any
    missing: Any

    kind = "number"
    # Whether natural values of two such columns can be compared.
    is_natural = True

    def error(self, text):
        """Return an error message that names the column."""
        return f"Column {self.name!r} {text}"


@dataclass
class FloatColumn(ColumnSchema):
    """Floating-point numbers, rounded as in training.

    Parameters
    ----------
    decimals : int or None
        Decimals of all training values; None if they are not rounded.
    lowest, highest : float
        The training range.
    python : type or None
        What the cells of an object column are made by: float, int or Decimal.
    """

    decimals: int | None = None
    lowest: float = -np.inf
    highest: float = np.inf
    python: type | None = None

    @classmethod
    def learn(cls, column, name, dtype, missing):
        """Return the schema of a column of floats, or of numbers in objects."""
        python = decimals = None
        if dtype == object:
            cells = column.dropna()
            python = next(
                (t for t in (decimal.Decimal, int) if all_are(cells, t)), float
            )
        schema = cls(name, dtype, missing, python=python)
        values = schema.read(column)
        values = values[~np.isnan(values)]
        if len(values):
            single = np.float32 if str(dtype).lower() == "float32" else np.float64
            decimals = _decimals(values, single)
            schema.lowest, schema.highest = float(values.min()), float(values.max())
        schema.decimals = decimals
        return schema

    def read(self, column):
        """Return float64 numbers, NaN where missing."""
        if column.dtype == object:
            absent = column.isna().to_numpy()
            cells = zip(column, absent, strict=True)
            values = np.array([np.nan if gone else float(v) for v, gone in cells])
        else:
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(values).any():
            raise ValueError(
                self.error(
                    "contains infinity. Replace infinite values, or mark them as "
                    "missing."
                )
            )
        return values

    def natural(self, values):
        """Return the numbers, rounded, as floats."""
        if self.decimals is not None:
            values = np.round(values, self.decimals)
        return values.clip(self.lowest, self.highest)

    def from_natural(self, cells):
        """Return canonical values of natural ones."""
        return np.asarray(cells, dtype=np.float64)

    def restore(self, values):
        """Return a column of the training dtype."""
        values = self.natural(values)
        if self.python is None:
            if isinstance(self.dtype, np.dtype):
                return pd.Series(values.astype(self.dtype))
            return _series(_with_missing(values, self.missing), self.dtype)
        if self.python is decimal.Decimal and self.decimals is not None:
            cells = [decimal.Decimal(f"{v:.{self.decimals}f}") for v in values.tolist()]
        elif self.python is int:
            cells = [v if v != v else int(v) for v in values.tolist()]
        else:
            cells = [self.python(v) for v in values.tolist()]
        return _series(_fill_missing(cells, np.isnan(values), self.missing), self.dtype)


@dataclass
class StepColumn(ColumnSchema):
    """Integers and dates: whole steps from the lowest, in exact arithmetic.

    Parameters
    ----------
    lowest : int
        The lowest training value.
    step : int
        Greatest common divisor of the distances from it.
    n_steps : int
        Steps from the lowest to the highest training value.
    unit : str
        Numpy's code of the integers or dates, such as "u8" or "M8[us]".
    """

    lowest: int = 0
    step: int = 1
    n_steps: int = 0
    unit: str = "i8"

    @classmethod
    def learn(cls, column, name, dtype, missing):
        """Return the schema of a column of integers, dates or durations."""
        schema = cls(name, dtype, missing, unit=_integer_unit(column))
        integers, absent = schema._integers(column)
        integers = integers[~absent]
        if len(integers):
            schema.lowest = int(integers.min())
            distances = np.unique(schema._distances(integers))
            schema.step = int(np.gcd.reduce(distances)) or 1
            schema.n_steps = int(distances[-1]) // schema.step
        return schema

    def read(self, column):
        """Return the number of steps from the lowest value, NaN where missing."""
        integers, absent = self._integers(column)
        below = (integers < self.lowest) & ~absent
        steps = self._distances(integers) / np.float64(self.step)
        if below.any():  # new data may go below the training range
            gap = integers[below].astype(np.float64) - float(self.lowest)
            steps[below] = gap / self.step
        steps[absent] = np.nan
        return steps

    def natural(self, values):
        """Return the integers as floats; steps for dates and for huge integers."""
        origin, step = self._natural_scale()
        return origin + np.rint(values) * step

    def from_natural(self, cells):
        """Return canonical values of natural ones."""
        origin, step = self._natural_scale()
        return (np.asarray(cells, dtype=np.float64) - origin) / step

    def restore(self, values):
        """Return a column of the training dtype."""
        absent = np.isnan(values)
        steps = np.rint(np.where(absent, 0, values)).clip(0)
        # Beyond the last step as a float, the cast itself could overflow.
        end = steps >= float(self.n_steps)
        steps = np.where(end, 0, steps).astype(np.uint64)
        steps = np.where(end, np.uint64(self.n_steps), steps)
        lowest = np.uint64(self.lowest % 2**64)
        integers = steps * np.uint64(self.step) + lowest
        return self._cells(integers, absent)

    @property
    def is_natural(self):
        """Whether natural values are the numbers themselves, not steps."""
        highest = self.lowest + self.step * self.n_steps
        exact = max(abs(self.lowest), abs(highest)) < 2**53
        return exact and self.unit[0] not in "mM"

    def _natural_scale(self):
        return (self.lowest, self.step) if self.is_natural else (0, 1)

    def _distances(self, integers):
        """Return the exact distance from the lowest, which may exceed int64."""
        lowest = np.uint64(self.lowest % 2**64)
        return integers.view(np.uint64) - lowest

    def _integers(self, column):
        """Return the column as 64-bit integers and where it is missing."""
        absent = column.isna().to_numpy()
        if self.unit[0] in "mM":
            if column.dtype == object:
                column = column.where(~absent, None)
            dates = _naive(column).to_numpy().astype(self.unit)
            return dates.view(np.int64), absent
        if absent.any():
            column = column.astype(object).where(~absent, self.lowest)
        return np.asarray(column.to_numpy(dtype=self.unit)), absent

    def _cells(self, integers, absent):
        if self.unit[0] in "mM":
            dates = integers.view(self.unit)
            dates[absent] = "NaT"
            if self.dtype != object:
                return _localized(pd.Series(dates), self.dtype)
            cells = dates.astype(object).tolist()
            return _series(_fill_missing(cells, absent, self.missing), self.dtype)
        integers = integers.view(self.unit)
        if isinstance(self.dtype, np.dtype) and self.dtype != object:
            return pd.Series(integers.astype(self.dtype))
        cells = _fill_missing(integers.tolist(), absent, self.missing)
        return _series(cells, self.dtype)


@dataclass
class CategoryColumn(ColumnSchema):
    """Text and other names: the place in the list of levels.

    Parameters
    ----------
    levels : list
        The distinct training values, sorted where they can be.
    mixed : bool
        Whether the levels are of several types, so that 1 and True stay apart.
    """

    levels: list = field(default_factory=list)
    mixed: bool = False

    kind = "category"

    @classmethod
    def learn(cls, column, name, dtype, missing):
        """Return the schema of a column of categories."""
        cells = column.dropna().astype(object)
        kinds = set(map(type, cells))
        schema = cls(name, dtype, missing, mixed=len(kinds) > 1)
        try:
            levels = dict(zip(map(schema._key, cells), cells, strict=True)).values()
        except TypeError:
            kind = next(type(v).__name__ for v in cells if not _hashable(v))
            raise TypeError(
                schema.error(
                    f"holds a {kind}; the argument must be a string or a number. Put "
                    "one value in each cell, or drop the column."
                )
            ) from None
        if isinstance(dtype, pd.CategoricalDtype):
            order = {schema._key(level): i for i, level in enumerate(dtype.categories)}
            schema.levels = sorted(levels, key=lambda level: order[schema._key(level)])
            return schema
        try:
            schema.levels = sorted(levels)
        except TypeError:  # types without a common order: as they came
            schema.levels = list(levels)
        return schema

    def read(self, column):
        """Return the place of each value in the levels, NaN where missing."""
        absent = column.isna().to_numpy()
        cells = column.astype(object).to_numpy()
        codes = self.from_natural(np.where(absent, None, cells))
        codes[absent] = np.nan
        return codes

    def natural(self, values):
        """Return the levels as objects, NaN where missing."""
        return np.array(self._cells(values, np.nan), dtype=object)

    def from_natural(self, cells):
        """Return canonical values of natural ones."""
        places = {self._key(level): i for i, level in enumerate(self.levels)}
        keys = [self._key(cell) for cell in cells]
        codes = np.array([places.get(key, -1) for key in keys], dtype=np.float64)
        absent = pd.isna(np.asarray(cells, dtype=object))
        codes[absent] = np.nan
        if (codes < 0).any():
            raise ValueError(
                self._unknown([cells[i] for i in np.flatnonzero(codes < 0)])
            )
        return codes

    def restore(self, values):
        """Return a column of the training dtype."""
        return _series(self._cells(values, self.missing), self.dtype)

    def _cells(self, values, missing):
        places = np.where(np.isnan(values), len(self.levels), values).astype(int)
        levels = [*self.levels, missing]
        return [levels[place] for place in places]

    def _key(self, level):
        return (type(level), level) if self.mixed else level

    def _unknown(self, cells):
        unknown = list(dict.fromkeys(map(repr, cells)))[:3]
        known = list(map(repr, self.levels))
        near = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0) or known[:3]
        return self.error(
            f"holds values that were not seen in fit: {', '.join(unknown)}. The "
            f"nearest known ones are {', '.join(near)}."
        )


def _integer_unit(column):
    """Return numpy's code of the 64-bit integers or dates of a column."""
    dtype = column.dtype
    if dtype == object:
        kind = type(column.dropna().iloc[0])
        return {datetime.date: "M8[D]", datetime.datetime: "M8[us]"}.get(kind, "m8[us]")
    if is_date(dtype):
        return _naive(column).to_numpy().dtype.str[1:]
    return "u8" if types.is_unsigned_integer_dtype(dtype) else "i8"


def is_date(dtype):
    """Tell whether a dtype is one of dates or durations."""
    return types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)


def _naive(column):
    """Return a column of dates as it is in UTC, without its time zone."""
    if getattr(column.dtype, "tz", None) is None:
        return column
    return column.dt.tz_convert("UTC").dt.tz_localize(None)


def _localized(dates, dtype):
    """Return naive dates as a column of the training dtype."""
    if getattr(dtype, "tz", None) is not None:
        dates = dates.dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
    return dates.astype(dtype)


def _decimals(values, single):
    """Return the fewest decimals that keep all values, or None."""
    some = values[:100]
    for decimals in range(MAX_DECIMALS + 1):
        for part in (some, values):  # most candidates fail within a few values
            with np.errstate(over="ignore"):  # rounding multiplies first
                rounded = np.round(part, decimals).astype(single)
            if (rounded != part.astype(single)).any():
                break
        else:
            return decimals
    return None


def _with_missing(values, missing):
    return _fill_missing(values.tolist(), np.isnan(values), missing)


def _fill_missing(cells, absent, missing):
    return [missing if gone else v for v, gone in zip(cells, absent, strict=True)]


def _series(cells, dtype):
    """Return a column of cells; objects stay as they are."""
    if dtype == object:
        column = np.empty(len(cells), dtype=object)
        column[:] = cells
        return pd.Series(column, dtype=object)
    return pd.Series(cells, dtype=dtype)


def all_are(cells, kind):
    """Tell whether all cells are instances of a type."""
    return all(isinstance(cell, kind) for cell in cells)


def _hashable(cell):
    try:
        hash(cell)
    except TypeError:
        return False
    return True
