"""Which schema suits a column."""

import datetime
import decimal
from numbers import Real

import numpy as np
import pandas as pd
from pandas.api import types

from sklearn_tabsyn._columns import (
    CategoryColumn,
    FloatColumn,
    StepColumn,
    all_are,
    is_date,
)


def learn_column(column, name, category=False):
    """Return the schema of a pandas column."""
    dtype = column.dtype
    schema = FloatColumn
    if category or isinstance(dtype, pd.CategoricalDtype) or types.is_bool_dtype(dtype):
        schema = CategoryColumn
    elif types.is_complex_dtype(dtype):
        raise ValueError(
            f"Complex data not supported: column {name!r} holds complex numbers. Split "
            "it into a real and an imaginary column."
        )
    elif is_date(dtype) or types.is_integer_dtype(dtype):
        schema = StepColumn
    elif dtype == object:
        schema = _object_schema(column.dropna(), name)
    elif not types.is_float_dtype(dtype):
        schema = CategoryColumn
    absent = column.isna()
    missing = dtype.na_value if hasattr(dtype, "na_value") else np.nan
    if dtype == object and absent.any():
        missing = column[absent].iloc[0]
    return schema.learn(column, name, dtype, missing)


def _object_schema(cells, name):
    """Return the schema class that suits the cells of an object column."""
    if not len(cells) or _any_are(cells, bool):
        return CategoryColumn
    if _any_are(cells, complex) and not _any_are(cells, str):
        raise ValueError(
            f"Complex data not supported: column {name!r} holds complex numbers. Split "
            "it into a real and an imaginary column."
        )
    if all_are(cells, Real | decimal.Decimal):
        return FloatColumn
    for kind in (datetime.datetime, datetime.date, datetime.timedelta):
        zones = {getattr(cell, "tzinfo", None) for cell in cells}
        if zones == {None} and {type(cell) for cell in cells} == {kind}:
            return StepColumn
    return CategoryColumn


def _any_are(cells, kind):
    return any(isinstance(cell, kind) for cell in cells)
