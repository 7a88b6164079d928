"""Rows to be scored: what is new of them, and the units of their numbers."""

import numpy as np

from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._normal_score import NormalScoreTransformer


def read_scored(schema, encoder, table):
    """Return encoded rows, and what their log-density has beside that of the code.

    What fit never saw is left to all other columns, and is as likely as one row more
    than there were.

    Parameters
    ----------
    schema : TableSchema
        Reads the table.
    encoder : TableEncoder
        The fitted encoder.
    table : array-like or DataFrame of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    rows : Rows
        The encoded rows.
    extra : ndarray of shape (n_rows,), dtype float64
        In nats.
    """
    frame, given = schema.read_known(table)
    unseen = _find_unseen(encoder, frame, given)
    rows = encoder.encode_given(frame.to_numpy(), ~unseen)
    slopes = np.where(unseen, 0.0, _log_slopes(encoder, frame))
    extra = slopes.sum(1) - unseen.sum(1) * np.log(encoder.n_rows_ + 1)
    return _without(encoder, rows, unseen), extra


def _find_unseen(encoder, frame, given):
    """Return what is given but was no value of the column in fit, (n, n_columns).

    Missing is a value of columns that had gaps. Numbers of many values can have any.
    """
    unseen = np.empty(frame.shape, dtype=bool)
    for unit, kind in enumerate(encoder.kinds_):
        values, there = frame.iloc[:, unit].to_numpy(), given.iloc[:, unit].to_numpy()
        unseen[:, unit] = np.isnan(values) & (there | ~encoder.gaps_[unit])
        if kind == "discrete":
            unseen[:, unit] |= there & (encoder.nearest(unit, values) != values)
    return unseen


def _log_slopes(encoder, frame):
    """Return by how much the encoding stretches continuous values, (n, n_columns).

    As logarithms; 0 for what is not encoded by normal scores.
    """
    slopes = np.zeros(frame.shape)
    view = encoder.view(frame)
    for _, step, columns, _ in encoder.blocks():
        if isinstance(step, NormalScoreTransformer):
            slopes[:, columns] = step.log_slopes(view.iloc[:, columns])
    return slopes


def _without(encoder, rows, gone):
    """Return encoded rows without some cells, (n, n_columns), of the table."""
    low, high, levels = (part.copy() for part in rows)
    for slot in encoder.slots_:
        own = gone[:, slot.unit]
        values = slice(slot.value, slot.value + slot.n_values)
        low[own, values] = high[own, values] = np.nan
        levels[own, slot.level : slot.level + slot.n_codebooks] = -1
    return Rows(low, high, levels)
