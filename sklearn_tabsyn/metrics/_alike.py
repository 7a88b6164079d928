"""Several tables read alike: the columns of the first, as numbers and codes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_tabsyn._table import TableSchema, TargetSchema, check_table, open_frame


@dataclass
class AlikeColumn:
    """One column of several tables.

    Parameters
    ----------
    name : object
        Name of the column.
    values : list of ndarray
        For each table the cells: float64 with NaN where missing or, of categories,
        codes. Level i of the first table is code i.
    n_levels : int or None
        Number of levels of a category in the first table; None of numbers and dates.
    schema : ColumnSchema
        What the column of the first table is made of.
    is_target : bool
        Whether it was asked for as the target.
    """

    name: Any
    values: list
    n_levels: int | None
    schema: Any
    is_target: bool = False

    @property
    def is_category(self):
        """Whether the column holds codes of categories."""
        return self.n_levels is not None

    @property
    def n_codes(self):
        """Number of codes: the levels, missing, and all that the first table lacks."""
        return self.n_levels + 2

    def absent(self):
        """Return for each table where cells are missing."""
        if self.is_category:
            return [codes == self.n_levels for codes in self.values]
        return [np.isnan(cells) for cells in self.values]


def read_alike(*, categorical_features="from_dtype", target=None, **tables):
    """Return the columns that several tables share.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        As in :meth:`TableSchema.from_table`.
    target : str or int, default=None
        A column that is a target, so that few distinct integers are classes.
    **tables : array-like or DataFrame of shape (n_samples, n_features)
        Tables by the name that errors call them. The first decides what the columns
        are. Frames are matched by the names of their columns, arrays by position.

    Returns
    -------
    columns : list of AlikeColumn
        The columns, in the order of the first table.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers or has other columns than the first.
    """
    frames = match_frames(**tables)
    frame = next(iter(frames.values()))
    schema = TableSchema.from_table(frame, categorical_features)
    if target is not None:
        j = frame.columns.get_loc(find_column(frame, target, "target"))
        cells = frame.iloc[:, j].dropna()
        schema.columns[j] = TargetSchema.from_target(cells).column
    columns = [
        _read_column(column, {name: f.iloc[:, j] for name, f in frames.items()})
        for j, column in enumerate(schema.columns)
    ]
    if target is not None:
        columns[j].is_target = True
    return columns


def match_frames(**tables):
    """Return tables by name as pandas frames with the columns of the first, in order.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers or has other columns than the first.
    """
    first, *others = tables
    frame, is_array = named_frame(tables[first], first)
    frames = {first: frame}
    for name in others:
        frames[name] = _match(*named_frame(tables[name], name), frame, is_array, name)
    return frames


def named_frame(X, name):
    """Return a checked table as a pandas frame, and whether it was an array.

    The columns of an array are named x0, x1, and so on.
    """
    try:
        frame, (kind, _) = open_frame(check_table(BaseEstimator(), X, reset=True))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} is not a table that can be read: {error}") from error
    if kind != "numpy":
        return frame, False
    return frame.set_axis([f"x{j}" for j in frame.columns], axis=1), True


def find_column(frame, column, parameter):
    """Return the name of a column that is given by name or position."""
    names = list(frame.columns)
    if column in names:
        return column
    if isinstance(column, int | np.integer) and -len(names) <= column < len(names):
        return names[column]
    raise ValueError(
        f"{parameter} must name a column of the table; got {column!r}. Its "
        f"{len(names)} columns are {names[:20]}{' and more' * (len(names) > 20)}."
    )


def _match(frame, is_array, first, first_is_array, name):
    """Return a frame with the columns of the first, in their order."""
    if is_array or first_is_array:
        if frame.shape[1] == first.shape[1]:
            return frame.set_axis(first.columns, axis=1)
        raise ValueError(
            f"{name} must have the {first.shape[1]} columns of the first table; found "
            f"{frame.shape[1]}. Give the same columns, in the same order."
        )
    lacking = list(first.columns.difference(frame.columns, sort=False))
    excess = list(frame.columns.difference(first.columns, sort=False))
    if lacking or excess:
        raise ValueError(
            f"{name} must have the columns of the first table; it lacks "
            f"{lacking[:20]}, and only it has {excess[:20]}. "
            "Rename or drop columns until they agree."
        )
    return frame[list(first.columns)]


def _read_column(schema, series):
    """Return one column of all tables, given as series by the name of the table."""
    values = []
    for name, cells in series.items():
        try:
            values.append(schema.read_known(cells))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {cells.name!r} of {name} is {cells.dtype} and cannot be read "
                f"as the {schema.dtype} of the first table. Convert it to that dtype, "
                "and replace infinite numbers."
            ) from error
    first = next(iter(series.values()))
    if schema.kind != "category":
        return AlikeColumn(first.name, values, None, schema)
    n_levels = len(schema.levels)
    codes = [
        # Not among the levels is either missing or unseen.
        np.where(np.isnan(v), n_levels + 1 - c.isna(), v).astype(np.intp)
        for v, c in zip(values, series.values(), strict=True)
    ]
    return AlikeColumn(first.name, codes, n_levels, schema)
