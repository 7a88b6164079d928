"""Rows that a fitted synthesizer draws, beside the real ones."""

import numpy as np
import pandas as pd

from sklearn_tabsyn._table import TableSchema, TargetSchema
from sklearn_tabsyn.metrics._alike import named_frame


def draw_table(estimator, X, y=None, *, n_samples=None, random_state=0):
    """Return real and drawn rows, and what the estimator tells of the columns.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `sample(n_samples, random_state=...)`.
    X : array-like or DataFrame of shape (n_samples, n_features)
        The real table.
    y : array-like of shape (n_samples,), default=None
        The real target. If the estimator draws one too, it is a further column.
    n_samples : int, default=None
        Number of rows to draw; as many as `X` has if None.
    random_state : int, default=0
        Seed of the rows.

    Returns
    -------
    real, synthetic : DataFrame
        The tables.
    known : dict
        `categorical_features` as a mask and, if there is one, the name of the `target`.

    Raises
    ------
    TypeError
        If the estimator has no `sample`.
    """
    if not hasattr(estimator, "sample"):
        raise TypeError(
            "Rows are drawn by an estimator with sample(n_samples, random_state=...); "
            f"got {type(estimator).__name__}."
        )
    real, _ = named_frame(X, "X")
    drawn = estimator.sample(n_samples or len(real), random_state=random_state)
    drawn, drawn_y = drawn if isinstance(drawn, tuple) else (drawn, None)
    synthetic, _ = named_frame(drawn, "The sample")
    chosen = getattr(estimator, "categorical_features", "from_dtype")
    columns = TableSchema.from_table(real, chosen).columns
    known = {}
    if y is not None and drawn_y is not None:
        columns = [*columns, TargetSchema.from_target(y).column]
        known["target"] = target = _free_name(real)
        real, synthetic = _join(real, y, target), _join(synthetic, drawn_y, target)
    is_category = np.array([column.kind == "category" for column in columns])
    return real, synthetic, {**known, "categorical_features": is_category}


def _free_name(frame):
    name = "target"
    while name in frame.columns:
        name += "_"
    return name


def _join(frame, y, name):
    """Return a table with a target as a further column."""
    y = y if isinstance(y, pd.Series) else pd.Series(np.ravel(y))
    joined = frame.copy(deep=False)
    joined[name] = y.array
    return joined
