"""What is rare in a table is taken out before its encoding is learned."""

import numpy as np

from sklearn_tabsyn._nearest import nearest_of
from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._steps import has_few_values

# Numbers of few values stay so if at least this share of them is frequent.
MIN_FREQUENT = 0.9

# The rows in which a value must be found if only protection is asked for.
MIN_ROWS = 5


def min_rows(protect_values):
    """Return in how many rows a value must be found to be kept."""
    if isinstance(protect_values, bool | np.bool_):
        return MIN_ROWS if protect_values else 1
    return int(protect_values)


def protect(schema, frame, min_count):
    """Narrow a schema to what is in enough rows, and a float frame with it.

    Rare names leave the schema, and their cells are hidden: no other name stands for
    them, and a column learns from its other rows alone. Rare numbers of few values
    become the nearest frequent one, which keeps the order of the rows and the share of
    high and low. Numbers of many values, and those of few of which many are rare, are
    left to :class:`NormalScoreTransformer`; here only the ends of their range become
    those of its means. Gaps of a few rows are hidden.

    Parameters
    ----------
    schema : TableSchema
        Is changed.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values; not changed.
    min_count : int
        Rows that make a value frequent.

    Returns
    -------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values of the narrowed schema, NaN where hidden.
    stand_in : DataFrame of shape (n_rows, n_columns)
        The same within the range of the schema, with some value where hidden.
    hidden : ndarray of shape (n_rows, n_columns), dtype bool
        Cells that must not be learned.

    Raises
    ------
    ValueError
        If nothing of a column is frequent.
    """
    gaps = frame.isna()
    few_gaps = (gaps.sum() < min_count) & ~gaps.all()
    frame, stand_in = frame.copy(), frame.copy()
    for j, column in enumerate(schema.columns):
        values = frame[j].to_numpy()
        if np.isnan(values).all():
            continue
        narrow = _narrow_names if column.kind == "category" else _narrow_numbers
        values, inside = narrow(column, values, min_count)
        frame[j] = values
        # The lowest, so that it is no single row's.
        stand_in[j] = np.where(np.isnan(values), np.nanmin(inside), inside)
    schema.narrow_container()
    hidden = frame.isna() & (~gaps | few_gaps)
    return frame, stand_in.where(hidden | ~gaps), hidden.to_numpy()


def _narrow_names(column, places, min_count):
    """Take rare levels out of a column; return the new places, twice."""
    counts = np.bincount(places[~np.isnan(places)].astype(int))
    kept = np.flatnonzero(counts >= min_count)
    if not len(kept):
        text = (
            f"has {len(counts)} distinct values, none of them in {min_count} rows or "
            "more, so protect_values leaves none. Drop it, or lower protect_values."
        )
        raise ValueError(column.error(text))
    column.narrow(kept)
    new = np.full(len(counts) + 1, np.nan)
    new[kept] = np.arange(len(kept))
    new = new[np.where(np.isnan(places), -1, places).astype(int)]
    return new, new


def _narrow_numbers(column, values, min_count):
    """Narrow the range of a column; return its values, and these within the range."""
    seen = ~np.isnan(values)
    if seen.sum() < min_count:
        text = (
            f"has values in {seen.sum()} rows, and not in {min_count} or more, so "
            "protect_values would leave none. Drop it, or lower protect_values."
        )
        raise ValueError(column.error(text))
    distinct, counts = np.unique(values[seen], return_counts=True)
    frequent = distinct[counts >= min_count]
    share = counts[counts >= min_count].sum() / seen.sum()
    if has_few_values(values[seen]) and share >= MIN_FREQUENT:
        values = nearest_of(frequent, values)
        low, high = frequent[[0, -1]]
    else:
        scores = NormalScoreTransformer(min_count=min_count).fit(values[:, None])
        low, high = column.inwards(*scores.values_[0][[0, -1]])
    inside = values.clip(low, high)
    start = column.narrow(low, high)
    return values - start, inside - start
