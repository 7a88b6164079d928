"""Frames of other libraries, such as polars, by way of narwhals."""

import numpy as np
import pandas as pd


def is_foreign(X):
    """Tell whether X is a frame of another library than pandas.

    Raises
    ------
    TypeError
        If it is a frame that has not been computed yet.
    """
    if isinstance(X, pd.DataFrame | pd.Series):
        return False
    if hasattr(X, "collect"):
        raise TypeError(
            f"A {type(X).__name__} holds no rows yet; call .collect() on it before fit."
        )
    return hasattr(X, "columns")


def column_names(X):
    """Return the names of the columns of any frame."""
    if isinstance(X, pd.DataFrame):
        return X.columns
    import narwhals as nw

    return pd.Index(nw.from_native(X, eager_only=True).columns)


def to_pandas(X):
    """Return a foreign frame as a pandas frame, and what restores it."""
    import narwhals as nw

    frame = nw.from_native(X, eager_only=True)
    columns = [_column_to_pandas(frame[name]) for name in frame.columns]
    table = pd.concat(columns, axis=1, keys=frame.columns)
    schema = [(name, frame[name].dtype) for name in frame.columns]
    return table, ("foreign", (frame.implementation, schema))


def from_pandas(table, detail):
    """Return a pandas frame as the foreign frame it came from."""
    implementation, schema = detail
    columns = [
        _column_from_pandas(table.iloc[:, j], name, dtype, implementation)
        for j, (name, dtype) in enumerate(schema)
    ]
    return columns[0].to_frame().with_columns(*columns[1:]).to_native()


def narrow_enums(detail, levels):
    """Return what restores a foreign frame, its enums of the levels of columns only."""
    import narwhals as nw

    def narrow(dtype, kept):
        if not isinstance(dtype, nw.Enum):
            return dtype
        return nw.Enum([level for level in dtype.categories if level in kept])

    implementation, schema = detail
    pairs = zip(schema, levels, strict=True)
    schema = [(name, narrow(dtype, kept)) for (name, dtype), kept in pairs]
    return implementation, schema


def _column_to_pandas(column):
    dtype = column.dtype
    if dtype.is_temporal() and hasattr(dtype, "time_unit"):
        if getattr(dtype, "time_zone", None):
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return pd.Series(column.to_numpy())
    if dtype.is_numeric() and not dtype.is_decimal():
        if not column.null_count():
            return pd.Series(column.to_numpy())
        # A nullable dtype keeps integers whole and nulls apart from NaN.
        return pd.Series(pd.array(column.to_list(), dtype=str(dtype)))
    cells = column.to_list()
    if str(dtype) == "Boolean":
        return pd.Series(pd.array(cells, dtype="boolean"))
    return pd.Series(cells, dtype=object)


def _column_from_pandas(column, name, dtype, implementation):
    import narwhals as nw

    if dtype.is_temporal() and hasattr(dtype, "time_unit"):
        zone = getattr(dtype, "time_zone", None)
        plain = nw.Datetime(dtype.time_unit) if zone else dtype
        made = nw.new_series(name, column.to_numpy(), plain, backend=implementation)
        if zone:
            made = made.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        return made
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        # A float column that had no null keeps its NaN apart from null.
        return nw.new_series(name, column.to_numpy(), dtype, backend=implementation)
    cells = column.astype(object)
    cells = cells.where(cells.notna(), None).tolist()
    return nw.new_series(name, cells, dtype, backend=implementation)
