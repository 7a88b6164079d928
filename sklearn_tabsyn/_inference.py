"""Which schema suits a column."""

import datetime
import decimal

import numpy as np
import pandas as pd
from pandas.api import types

from sklearn_tabsyn._categories import CategoryColumn
from sklearn_tabsyn._columns import (
    FloatColumn,
    StepColumn,
    all_are,
    is_date,
    naive,
    scaled,
)
from sklearn_tabsyn._digits import EXACT, MAX_DECIMALS
from sklearn_tabsyn._text import TextDate, find_form

INTEGERS, FLOATS = (int, np.integer), (float, np.floating)
# Numpy's codes of Python's dates; those of pandas have a unit of their own.
MOMENTS = {
    datetime.date: "M8[D]",
    datetime.datetime: "M8[us]",
    datetime.timedelta: "m8[us]",
    pd.Timestamp: "M8",
    pd.Timedelta: "m8",
}


def learn_column(column, name, category=False):
    """Return the schema of a pandas column, of a category even if it holds numbers."""
    dtype = column.dtype
    missing = getattr(dtype, "na_value", np.nan)
    absent = column.isna().to_numpy()
    if dtype == object and absent.any():
        missing = column[absent].iloc[0]
    learn, how = CategoryColumn.learn, {}
    if dtype.kind == "c":
        raise ValueError(_complex(name))
    if category or isinstance(dtype, pd.CategoricalDtype) or types.is_bool_dtype(dtype):
        pass
    elif is_date(dtype):
        learn, how = StepColumn.learn, {"unit": naive(column).to_numpy().dtype.str[1:]}
    elif types.is_integer_dtype(dtype):
        learn, how = _integers_schema(column.dropna(), dtype)
    elif types.is_float_dtype(dtype):
        learn = FloatColumn.learn
    elif isinstance(dtype, pd.StringDtype):
        learn, how = _text_schema(column.dropna())
    elif dtype == object or isinstance(dtype, pd.ArrowDtype):
        learn, how = _objects_schema(column.dropna(), name)
    return learn(column, name, dtype, missing, **how)


def _integers_schema(cells, dtype):
    """Return what learns a column of integers."""
    if not len(cells) or max(-int(cells.min()), int(cells.max())) < EXACT:
        return FloatColumn.learn, {}
    return StepColumn.learn, {"unit": "u8" if dtype.kind == "u" else "i8"}


def _objects_schema(cells, name):
    """Return what learns a column of these objects."""
    kinds = set(map(type, cells))
    if any(issubclass(kind, complex | np.complexfloating) for kind in kinds):
        raise ValueError(_complex(name))
    if len(kinds) == 1 and kinds <= set(MOMENTS):
        return _moments_schema(cells, *kinds)
    if kinds == {str}:
        return _text_schema(cells)
    if not kinds or kinds & {bool, np.bool_}:
        return CategoryColumn.learn, {}
    if all_are(cells, INTEGERS):
        return _exact_schema(cells, int, 0)
    if kinds == {decimal.Decimal} and all(cell.is_finite() for cell in cells):
        exponents = [cell.as_tuple().exponent for cell in cells]
        return _exact_schema(cells, decimal.Decimal, max(0, -min(exponents)))
    if all_are(cells, (*FLOATS, *INTEGERS, decimal.Decimal)):
        return FloatColumn.learn, {"python": float}
    return CategoryColumn.learn, {}


def _text_schema(cells):
    """Return what learns a column of text, which may be dates or numbers."""
    form = find_form(cells)
    if form is None:
        return CategoryColumn.learn, {}
    if isinstance(form, TextDate):
        return StepColumn.learn, {"unit": form.unit, "python": form}
    return FloatColumn.learn, {"python": form, "decimals": form.decimals}


def _exact_schema(cells, python, decimals):
    """Return what learns Python's exact numbers of so many decimals."""
    integers = [scaled(cell, decimals) for cell in cells]
    low, high = min(integers), max(integers)
    how = {"python": python, "decimals": decimals}
    if -EXACT < low and high < EXACT and decimals <= MAX_DECIMALS:
        return FloatColumn.learn, how
    if -(2**63) <= low and high < 2**63:
        return StepColumn.learn, {**how, "unit": "i8"}
    if 0 <= low and high < 2**64:
        return StepColumn.learn, {**how, "unit": "u8"}
    return CategoryColumn.learn, {}  # beyond 64 bits they are rather names


def _moments_schema(cells, python):
    """Return what learns a column of Python's dates, times or durations."""
    zones = {getattr(cell, "tzinfo", None) for cell in cells}
    if len(zones) > 1:
        return CategoryColumn.learn, {}
    unit = MOMENTS[python]
    if len(unit) == 2:
        finest = max((cell.unit for cell in cells), key=["s", "ms", "us", "ns"].index)
        unit = f"{unit}[{finest}]"
    return StepColumn.learn, {"unit": unit, "python": python, "zone": zones.pop()}


def _complex(name):
    text = f"Complex data not supported: column {name!r} holds complex numbers."
    return f"{text} Split it into a real and an imaginary column."
