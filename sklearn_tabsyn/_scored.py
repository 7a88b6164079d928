"""Rows after the fit: what is new of them, and the units of their numbers."""

import numpy as np
import pandas as pd

from sklearn_tabsyn._normal_score import NormalScoreTransformer
from sklearn_tabsyn._slots import blank


def read_further(schema, encoder, table):
    """Return encoded rows to learn from, besides those of the fit.

    If values of a few rows are protected, what fit did not keep is not learned; it may
    be one of them. Else it is refused.
    """
    if encoder.min_count == 1:
        return encoder.encode(schema.read(table))
    frame, given = schema.read_known(table)
    hidden = frame.isna().to_numpy() & (given.to_numpy() | ~encoder.gaps_)
    rows = encoder.encode(frame.mask(hidden, pd.Series(encoder.filler_), axis=1))
    return blank(encoder.slots_, rows, hidden)


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
    _score_rests(encoder, frame, rows, slopes)
    extra = slopes.sum(1) - unseen.sum(1) * np.log(encoder.n_rows_ + 1)
    return blank(encoder.slots_, rows, unseen), extra


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


def _score_rests(encoder, frame, rows, slopes):
    """Leave numbers that follow from others and a rest to the density of the rest.

    Changes encoded rows and logarithms of slopes.
    """
    rests = encoder.relations_.rests(frame)
    if not rests.shape[1]:
        return
    rest_slopes = encoder.rest_scores_.log_slopes(rests)
    places = {
        slot.unit: slot.value
        for slot in encoder.slots_
        if slot.n_values and not slot.others
    }
    for j, offset in enumerate(encoder.relations_.offsets):
        here = ~np.isnan(rests[:, j])
        value = places[offset.target]
        rows.low[here, value] = rows.high[here, value] = np.nan
        sources = [encoder.relations_.read(k, frame) for k in offset.sources]
        rest_slopes[here, j] += offset.log_slope(sources)[here]
        slopes[here, offset.target] = rest_slopes[here, j]
