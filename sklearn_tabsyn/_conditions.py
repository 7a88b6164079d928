"""What a user wants given: values, lists and ranges, checked against the table."""

from numbers import Real

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from sklearn_tabsyn._columns import as_objects

# Points that stand for a range of a number of many values.
N_POINTS = 4_096


def check_conditions(conditions, names):
    """Return pairs of the position of a conditioned column and what is asked of it.

    Raises
    ------
    TypeError
        If the conditions are not a dict.
    ValueError
        If they name a column that the table does not have.
    """
    if not isinstance(conditions, dict):
        raise TypeError(
            "conditions must be a dict of column to value, list or (low, high), or a "
            f"DataFrame of partly filled rows; got {type(conditions).__name__}."
        )
    check_names(conditions, names)
    return [(names.index(name), asked) for name, asked in conditions.items()]


def check_names(asked, names):
    """Refuse columns that the table does not have."""
    for name in asked:
        if list(asked).count(name) > 1:
            raise ValueError(f"conditions name the column {name!r} more than once.")
        if name not in names:
            more = " and more" if len(names) > 20 else ""
            raise ValueError(
                f"conditions name the column {name!r}, which is not in the table. Its "
                f"columns are {names[:20]}{more}."
            )


def allowed_values(encoder, unit, asked):
    """Return the canonical values that a condition allows, NaN for missing.

    Parameters
    ----------
    encoder : TableEncoder
        The fitted encoder of the table.
    unit : int
        Position of the column.
    asked : object
        A value, None for missing, a list of them, or a tuple (low, high).

    Returns
    -------
    values : ndarray of shape (n_values,), dtype float64
        One or more values; those of a range of a number of many values lie evenly in
        rank or, with a user's own encoder, evenly in its coordinate.
    share : float or None
        If they are equally likely in the column by itself, the share of it that they
        stand for.

    Raises
    ------
    ValueError
        If the column cannot have what is asked; names the nearest it can have.
    """
    if isinstance(asked, tuple):
        return _range(encoder, unit, asked)
    asked = list(asked) if is_list_like(asked) else [asked]
    if not asked:
        column = encoder.schema.columns[unit]
        raise ValueError(column.error("is conditioned on an empty list; give values."))
    values = possible_values(encoder, unit, _as_cells(asked))
    return np.unique(values), None


def all_values(encoder, unit):
    """Return canonical values that stand for a whole column, and a share.

    Missing is none of them; the rest is as :func:`allowed_values` returns it.
    """
    known = encoder.known_values(unit)
    if encoder.kinds_[unit] == "continuous":
        return encoder.points(unit, known[0], known[-1], N_POINTS // 4)
    return known[~np.isnan(known)], None


def possible_values(encoder, unit, cells):
    """Return the canonical values of cells that the column can have, or refuse."""
    column = encoder.schema.columns[unit]
    values = column.read(cells)
    missing = np.isnan(values)
    if missing.any() and not encoder.gaps_[unit]:
        text = "cannot be missing: it had no missing values in fit."
        raise ValueError(column.error(text))
    nearest = encoder.nearest(unit, values)
    # Numbers of 32 bits are not exactly what was asked for.
    same = missing | np.isclose(nearest, values, rtol=1e-6, atol=0)
    if column.kind == "number" and not same.all():
        place = int(np.argmin(same))
        known = encoder.nearest(unit, values[[place]])
        text = (
            f"cannot be {cells.tolist()[place]!r}; the nearest it can be is "
            f"{column.restore(known).tolist()[0]!r}."
        )
        raise ValueError(column.error(text))
    return np.where(missing, np.nan, nearest)


def _range(encoder, unit, asked):
    """Return the values of a column within (low, high), and their share."""
    column = encoder.schema.columns[unit]
    if len(asked) != 2:
        raise ValueError(
            column.error(f"needs a range (low, high); got {len(asked)} entries.")
        )
    known = encoder.known_values(unit)
    if column.kind == "category":
        places = _category_range(column, asked)
        return _checked(column, known[np.isin(known, places)], asked, known), None
    low, high = ends = [
        far if _is_open(end, far) else column.read(_as_cells([end]))[0]
        for end, far in zip(asked, (-np.inf, np.inf), strict=True)
    ]
    if not low <= high:
        text = f"needs a range of a lower and a higher value; got {asked!r}."
        raise ValueError(column.error(text))
    if encoder.kinds_[unit] == "continuous":
        lowest, highest = known[0], known[-1]
        if high < lowest or low > highest:
            _checked(column, known[:0], asked, known)
        values, share = encoder.points(
            unit, max(low, lowest), min(high, highest), N_POINTS
        )
    else:
        values, share = known, None
    inside = values[(values >= low) & (values <= high)]
    if not len(inside) and np.isfinite(ends).any():  # a range between two known values
        values = encoder.nearest(unit, np.array([e for e in ends if np.isfinite(e)]))
        inside = values[(values >= low) & (values <= high)]
    return _checked(column, inside, asked, known), share


def _is_open(end, far):
    """Tell whether an end of a range is none."""
    return end is None or (isinstance(end, Real) and end == far)


def _category_range(column, asked):
    """Return the places of the levels within a range."""
    ordered = getattr(column.dtype, "ordered", False)
    if ordered:
        cells = [
            column.levels[k] if e is None else e
            for k, e in zip((0, -1), asked, strict=True)
        ]
        low, high = column.read(_as_cells(cells))
        return np.arange(low, high + 1)
    numbers = all(isinstance(v, Real) for v in column.levels)
    if not numbers or not all(isinstance(e, Real | None) for e in asked):
        text = f"holds names, which have no range {asked!r}; give a list of values."
        raise ValueError(column.error(text))
    low, high = (
        e if e is not None else s for e, s in zip(asked, (-np.inf, np.inf), strict=True)
    )
    return [k for k, level in enumerate(column.levels) if low <= level <= high]


def _checked(column, values, asked, known):
    """Return the values, or say what else is possible if there are none."""
    if len(values):
        return values
    ends = column.restore(np.array([known[0], known[-1]])).tolist()
    text = f"has no value within {asked!r}; its values go from {ends[0]!r} to "
    raise ValueError(column.error(f"{text}{ends[1]!r}."))


def _as_cells(values):
    """Return a column of values as they are."""
    return pd.Series(as_objects(values), dtype=object)
