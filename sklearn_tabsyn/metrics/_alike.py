"""Several tables read alike: the columns of the first, as numbers and codes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype
from sklearn.base import BaseEstimator

from sklearn_tabsyn._columns import FloatColumn
from sklearn_tabsyn._digits import EXACT
from sklearn_tabsyn._inference import learn_column
from sklearn_tabsyn._table import (
    TargetSchema,
    check_table,
    chosen_categories,
    open_frame,
)
from sklearn_tabsyn._text import fitting_forms


@dataclass
class AlikeColumn:
    """One column of several tables.

    Parameters
    ----------
    name : object
        Name of the column.
    values : list of ndarray
        For each table the cells: float64 with NaN where missing or, of categories,
        unsigned codes. Level i of the first table is code i.
    n_levels : int or None
        Number of levels of a category in the first table; None of numbers and dates.
    learn : callable
        Returns what the column of the first table is made of.
    is_target : bool
        Whether it was asked for as the target.
    """

    name: Any
    values: list
    n_levels: int | None
    learn: Callable
    is_target: bool = False

    @property
    def schema(self):
        """What the column of the first table is made of, learned when first asked."""
        return self.learn()

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
    chosen = chosen_categories(categorical_features, list(frame.columns))
    if target is not None:
        target = frame.columns[place_of(frame.columns, target, "target")]
    # Iterated, for to get columns one by one takes longer.
    rows = zip(*(frame.items() for frame in frames.values()), chosen, strict=True)
    columns = []
    for *named, category in rows:
        series = {key: cells for key, (_, cells) in zip(frames, named, strict=True)}
        columns.append(_read_column(series, category, target))
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


def place_of(names, column, parameter):
    """Return the position of a column that is given by name or position."""
    names = list(names)
    if column in names:
        return names.index(column)
    if isinstance(column, int | np.integer) and -len(names) <= column < len(names):
        return column
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


def _read_column(series, category, target):
    """Return one column of all tables, given as series by the name of the table."""
    first = next(iter(series.values()))
    is_target = target is not None and first.name == target
    learn = cache(partial(_learn, first, category, is_target))
    if all(map(_is_text, series.values())):
        values = _read_written(series, learn)
        if values is not None:
            return AlikeColumn(first.name, values, None, learn)
        learn = cache(partial(_learn, first, True, is_target))
        return AlikeColumn(first.name, *_read_text(series.values()), learn, is_target)
    if not category and not is_target and _is_plain(first):
        # Its decimals and steps, which take longer to find, do not matter to read it.
        schema = FloatColumn(first.name, first.dtype, np.nan)
    else:
        schema = learn()
    values = _read_known(schema, series)
    if schema.kind != "category":
        return AlikeColumn(first.name, values, None, learn, is_target)
    n_levels = len(schema.levels)
    gaps = [cells.isna().to_numpy() for cells in series.values()]
    # Not among the levels is either missing or unseen.
    values = [
        np.where(np.isnan(v), n_levels + 1 - gone, v).astype(_code_dtype(n_levels))
        for v, gone in zip(values, gaps, strict=True)
    ]
    return AlikeColumn(first.name, values, n_levels, learn, is_target)


def _learn(cells, category, is_target):
    """Return the schema of a column of the first table."""
    if is_target:
        return TargetSchema.from_target(cells.dropna()).column
    return learn_column(cells, cells.name, category)


def _read_known(schema, series):
    """Return the cells of each table, read as those of the first."""
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
    return values


def _is_plain(cells):
    """Tell whether all cells are numbers that float64 holds as they are."""
    if not isinstance(cells.dtype, np.dtype) or cells.dtype.kind not in "iu":
        return cells.dtype in (np.float32, np.float64)
    numbers = cells.to_numpy()
    return max(-int(numbers.min()), int(numbers.max())) < EXACT


def _is_text(cells):
    """Tell whether all cells are text or missing."""
    if cells.dtype == object:
        return infer_dtype(cells, skipna=True) == "string"
    return isinstance(cells.dtype, pd.StringDtype)


def _read_written(series, learn):
    """Return the cells of text that is dates or numbers in all tables, or None."""
    first = next(iter(series.values()))
    if not fitting_forms(first.dropna()) or learn().kind == "category":
        return None
    try:
        return _read_known(learn(), series)
    except ValueError:  # other tables have other text
        return None


def _read_text(columns):
    """Return the codes of columns of text, and the number of levels of the first.

    The same as by a schema, but each cell is hashed only once.
    """
    parts = [pd.factorize(cells.values) for cells in columns]
    distinct = [list(cells) for _, cells in parts]
    levels = {level: place for place, level in enumerate(sorted(distinct[0]))}
    missing, unseen = len(levels), len(levels) + 1
    values = []
    for (places, _), cells in zip(parts, distinct, strict=True):
        # The place of a missing cell, -1, means the last.
        codes = [*(levels.get(cell, unseen) for cell in cells), missing]
        values.append(np.array(codes, _code_dtype(len(levels)))[places])
    return values, len(levels)


def _code_dtype(n_levels):
    """Return the smallest dtype of codes, which is the quickest to join and count."""
    return np.min_scalar_type(n_levels + 1)
