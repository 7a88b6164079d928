"""A column of numbers or dates in and out: floats that stand for its cells."""

import datetime
import decimal
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from sklearn_tabsyn._digits import EXACT, digits_beside, round_digits, written_as
from sklearn_tabsyn._text import TextDate, TextNumber, complaint, read_text

# Keeps all digits of a Decimal, whatever the caller's context says.
DIGITS = decimal.Context(prec=1_000)
STAMPS = (pd.Timestamp, pd.Timedelta)


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
    python : type, TextDate or TextNumber, default=None
        What makes the cells of objects or text that are numbers or dates.
    """

    name: Any
    dtype: Any
    missing: Any
    python: Any = None

    kind = "number"
    levels = None

    @property
    def is_text(self):
        """Whether the cells are numbers or dates that are written as text."""
        return isinstance(self.python, TextDate | TextNumber)

    def error(self, text):
        """Return an error message that names the column."""
        return f"Column {self.name!r} {text}"

    def read_known(self, column):
        """Return canonical values, NaN where missing or of no known category."""
        return self.read(column)

    def from_natural(self, cells):
        """Return canonical values of natural ones."""
        return np.asarray(cells, dtype=np.float64)

    def settle(self, values):
        """Return the canonical values that drawn ones are restored as."""
        return values

    def _check_gaps(self, absent):
        """Refuse missing values where the dtype has none."""
        plain = isinstance(self.dtype, np.dtype) and self.dtype.kind in "iub"
        if plain and absent.any():
            text = "had no missing values in fit, and its dtype cannot hold any."
            raise ValueError(self.error(text))

    def _misfit(self, column):
        """Return the error for cells that are not as in fit."""
        if self.is_text:
            return ValueError(self.error(complaint(self.python, column)))
        text = (
            f"held {self.dtype} in fit, and now {column.dtype} that cannot be read as "
            "such. Convert it to the dtype of fit."
        )
        return ValueError(self.error(text))

    def _objects(self, cells, absent):
        """Return Python objects as a column of the training dtype."""
        pairs = zip(cells, absent, strict=True)
        cells = [self.missing if gone else self._made(cell) for cell, gone in pairs]
        cells = as_objects(cells) if self.dtype == object else cells
        return pd.Series(cells, dtype=self.dtype)


@dataclass
class FloatColumn(ColumnSchema):
    """Numbers that float64 holds as they are, rounded as in training.

    Parameters
    ----------
    decimals : int or None
        Decimals of all training values; None if they are not rounded.
    digits : int or None
        Significant digits of all of them, if these have no decimals in common.
    single : bool
        Whether they are those of float32, if they have no digits in common either.
    lowest, highest : float
        The training range; NaN if all are missing.
    step : int
        Greatest common divisor of the distances between integers, 0 if unknown.
    """

    decimals: int | None = None
    digits: int | None = None
    single: bool = False
    lowest: float = np.nan
    highest: float = np.nan
    step: int = 0

    @classmethod
    def learn(cls, column, name, dtype, missing, **how):
        """Return the schema of a column of numbers."""
        schema = cls(name, dtype, missing, **how)
        values = schema.read(column)
        values = values[~np.isnan(values)]
        exact = schema.python is int or schema.decimals == 0
        whole = exact or types.is_integer_dtype(dtype)
        if whole:
            schema.decimals = 0
        elif len(values) and schema.decimals is None:
            size = getattr(dtype, "itemsize", 8) if dtype.kind == "f" else 8
            written = written_as(values, np.dtype(f"f{min(size, 8)}"))
            schema.decimals, schema.digits, schema.single = written
        if len(values):
            ends = schema.natural(np.array([values.min(), values.max()]))
            schema.lowest, schema.highest = ends.tolist()
            if whole and schema.highest - schema.lowest < EXACT:
                schema.step = _common_step((values - schema.lowest).astype(np.uint64))
        return schema

    def read(self, column):
        """Return float64 numbers, NaN where missing."""
        dtype = column.dtype
        if dtype.kind not in "iufbO" and not self.is_text:
            raise self._misfit(column)
        try:
            if self.is_text:
                values = read_text(self.python, column, np.nan)
            elif dtype.kind == "O":
                cells = zip(column, column.isna(), strict=True)
                values = np.array([np.nan if gone else float(v) for v, gone in cells])
            else:
                values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self._misfit(column) from error
        if np.isinf(values).any():
            text = "contains infinity. Replace it, or mark it as missing."
            raise ValueError(self.error(text))
        return values

    def natural(self, values):
        """Return the numbers rounded as in training."""
        if self.digits is not None:
            return round_digits(values, self.digits)
        if self.single:
            return values.astype(np.float32).astype(np.float64)
        if self.decimals is None:
            return values
        # Larger numbers have no digits left to round, and scaling could overflow.
        small = np.abs(values) < EXACT / 10.0**self.decimals
        rounded = np.round(np.where(small, values, 0), self.decimals)
        return np.where(small, rounded, values)

    def settle(self, values):
        """Return values rounded as in training, within the training range."""
        values = self.natural(np.where(np.isnan(self.lowest), np.nan, values))
        if self.step > 1:
            steps = np.rint((values - self.lowest) / self.step)
            values = self.lowest + steps * self.step
        # Unlike np.clip this keeps the sign of a zero.
        values = np.where(values < self.lowest, self.lowest, values)
        return np.where(values > self.highest, self.highest, values)

    def restore(self, values):
        """Return a column of the training dtype."""
        values = self.settle(values)
        absent = np.isnan(values)
        if self.python is not None:
            return self._objects(values.tolist(), absent)
        self._check_gaps(absent)
        if isinstance(self.dtype, np.dtype | pd.SparseDtype):
            return pd.Series(values).astype(self.dtype)
        values = np.where(absent, 0, values)
        if types.is_integer_dtype(self.dtype):
            array = pd.arrays.IntegerArray(values.astype(np.int64), absent)
        else:
            array = pd.arrays.FloatingArray(values, absent)
        return pd.Series(array).astype(self.dtype)

    def inwards(self, low, high):
        """Return the range of canonical values that the column can have within one."""
        if self.digits is not None:
            low, high = (
                digits_beside(np.array([end]), self.digits, False, sign).item()
                for end, sign in ((low, 1), (high, -1))
            )
        size = max(abs(self.lowest), abs(self.highest))
        if self.decimals is None or size >= EXACT / 10.0**self.decimals:
            return low, high
        unit = max(self.step, 1) / 10.0**self.decimals
        ends = _inwards((low - self.lowest) / unit, (high - self.lowest) / unit)
        return tuple(self.natural(self.lowest + np.array(ends) * unit).tolist())

    def narrow(self, low, high):
        """Restore no value beyond two canonical ones; return the start of new ones."""
        self.lowest, self.highest = self.natural(np.array([low, high])).tolist()
        return 0.0

    def _made(self, value):
        if self.python is decimal.Decimal:
            return decimal.Decimal(f"{value:.{self.decimals}f}")
        return self.python(value)


@dataclass
class StepColumn(ColumnSchema):
    """Huge integers and dates: whole steps from the lowest, in exact arithmetic.

    Parameters
    ----------
    unit : str
        Numpy's code of the 64-bit integers or dates, such as "u8" or "M8[us]".
    zone : tzinfo or None
        Time zone of the dates of an object column.
    decimals : int
        Decimals of Decimal objects, which are integers of their last decimal.
    lowest : int or None
        The lowest training value; None if all are missing.
    step : int
        Greatest common divisor of the distances from it.
    n_steps : int
        Steps from the lowest to the highest training value.
    """

    unit: str = "i8"
    zone: Any = None
    decimals: int = 0
    lowest: int | None = None
    step: int = 1
    n_steps: int = 0

    @classmethod
    def learn(cls, column, name, dtype, missing, **how):
        """Return the schema of a column of integers, dates or durations."""
        schema = cls(name, dtype, missing, **how)
        integers = schema._integers(column)[~column.isna().to_numpy()]
        if len(integers):
            schema.lowest = int(integers.min())
            distances = schema._distances(integers)
            schema.step = _common_step(distances)
            schema.n_steps = int(distances.max()) // schema.step
        return schema

    def read(self, column):
        """Return the number of steps from the lowest value, NaN where missing."""
        absent = column.isna().to_numpy()
        try:
            integers = self._integers(column)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self._misfit(column) from error
        distances = self._distances(integers)
        # New data may go below the training range: minus the distance wraps back.
        below = integers < (self.lowest or 0)
        steps = np.where(below, -(-distances).astype(np.float64), distances) / self.step
        return np.where(absent, np.nan, steps)

    def natural(self, values):
        """Return whole steps."""
        return np.rint(values)

    def settle(self, values):
        """Return whole steps within the training range."""
        gone = np.full(len(values), self.lowest is None)
        return np.where(gone, np.nan, np.rint(values)).clip(0, self.n_steps)

    def restore(self, values):
        """Return a column of the training dtype."""
        values = self.settle(values)
        absent = np.isnan(values)
        steps = np.where(absent, 0, values)
        # The last step as a float may be too high: never go beyond it.
        end = steps >= float(self.n_steps)
        steps = np.where(end, 0, steps).astype(np.uint64)
        steps = np.where(end, np.uint64(self.n_steps), steps)
        # Wraps around at 2**64, as two's complement does.
        lowest = np.uint64((self.lowest or 0) % 2**64)
        integers = (steps * np.uint64(self.step) + lowest).view(self.unit)
        if self.python is not None:
            # Timestamps keep nanoseconds, which Python's own dates do not have.
            cells = integers if self.python in STAMPS else integers.tolist()
            return self._objects(cells, absent)
        if self.unit[0] in "mM":
            integers[absent] = "NaT"
            dates = pd.Series(integers)
            if isinstance(self.dtype, pd.DatetimeTZDtype):
                dates = dates.dt.tz_localize("UTC").dt.tz_convert(self.dtype.tz)
            return dates.astype(self.dtype)
        self._check_gaps(absent)
        if isinstance(self.dtype, np.dtype):
            return pd.Series(integers)
        return pd.Series(pd.arrays.IntegerArray(integers, absent)).astype(self.dtype)

    def inwards(self, low, high):
        """Return the range of canonical values that the column can have within one."""
        return _inwards(low, high)

    def narrow(self, low, high):
        """Restore no value beyond two canonical ones; return the start of new ones."""
        self.lowest += self.step * int(low)
        self.n_steps = int(high) - int(low)
        return low

    def _distances(self, integers):
        """Return the exact distances from the lowest, which may exceed int64."""
        return integers.view(np.uint64) - np.uint64((self.lowest or 0) % 2**64)

    def _integers(self, column):
        """Return the column as 64-bit integers, with any where it is missing."""
        if self.is_text:
            empty = np.zeros((), self.unit)[()]
            return read_text(self.python, column, empty).view(np.int64)
        kind, code = column.dtype.kind, self.unit[0]
        if kind not in (code, "O") and (kind in "mM" or code in "mM"):
            raise self._misfit(column)
        if is_date(column.dtype):
            return naive(column).to_numpy().astype(self.unit).view(np.int64)
        fill = self.lowest or 0
        if kind not in "OmM":
            gaps = {"na_value": fill} if column.hasnans else {}
            return column.to_numpy(dtype=self.unit, **gaps)
        cells = zip(column, column.isna(), strict=True)
        if code in "mM":
            cells = [None if gone else _moment(v) for v, gone in cells]
            return np.array(cells, dtype=self.unit).view(np.int64)
        cells = [fill if gone else scaled(v, self.decimals) for v, gone in cells]
        return np.array(cells, dtype=self.unit)

    def _made(self, cell):
        if self.python is decimal.Decimal:
            return decimal.Decimal(cell).scaleb(-self.decimals, DIGITS)
        cell = self.python(cell) if self.is_text or self.python in STAMPS else cell
        if self.zone is None:
            return cell
        return cell.replace(tzinfo=datetime.UTC).astimezone(self.zone)


def is_date(dtype):
    """Tell whether a dtype is one of pandas' own dates or durations."""
    return dtype.kind in "mM" and isinstance(dtype, np.dtype | pd.DatetimeTZDtype)


def naive(column):
    """Return a column of dates as it is in UTC, without its time zone."""
    if getattr(column.dtype, "tz", None) is None:
        return column
    return column.dt.tz_convert("UTC").dt.tz_localize(None)


def scaled(cell, decimals):
    """Return a number as an exact integer of its last decimal."""
    if isinstance(cell, int | np.integer) and not decimals:
        return int(cell)
    return round(decimal.Decimal(cell).scaleb(decimals, DIGITS))


def all_are(cells, kind):
    """Tell whether all cells are instances of a type."""
    return all(isinstance(cell, kind) for cell in cells)


def as_objects(cells):
    """Return an array of objects, which tuples do not make two-dimensional."""
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def _moment(cell):
    """Return a date, time or duration as numpy takes it, in UTC."""
    if getattr(cell, "tzinfo", None) is not None:
        cell = cell.astimezone(datetime.UTC).replace(tzinfo=None)
    return getattr(cell, "asm8", cell)


def _inwards(low, high):
    """Return the lowest and highest whole number in a range, or those around it."""
    low, high = np.ceil(low - 1e-6), np.floor(high + 1e-6)
    return min(low, high), max(low, high)


def _common_step(distances):
    """Return the greatest common divisor, or 1 if all distances are 0."""
    return int(np.gcd.reduce(distances)) or 1
