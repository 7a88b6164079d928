"""Where two tables differ most: single columns, and pairs of columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklearn_tabsyn.inspection._joint import JointDisplay
from sklearn_tabsyn.inspection._marginals import MarginalsDisplay
from sklearn_tabsyn.inspection._trends import TrendDisplay
from sklearn_tabsyn.metrics._shape import shapes
from sklearn_tabsyn.metrics._trend import trends

N_COLUMNS, N_PAIRS, N_LEVELS = 6, 3, 9


@dataclass
class Differences:
    """What differs between two tables, the worst first.

    Parameters
    ----------
    shape_errors : Series of shape (n_features,)
        The error of each column.
    trend_errors : Series of shape (n_pairs,)
        The error of each pair of columns.
    marginals : MarginalsDisplay
        The worst columns.
    trends : TrendDisplay or None
        All pairs; None of a single column.
    joints : list of JointDisplay
        The worst pairs.
    """

    shape_errors: pd.Series
    trend_errors: pd.Series
    marginals: Any
    trends: Any
    joints: list


def find_differences(columns):
    """Return what differs between two tables, read alike."""
    errors = trends(columns)
    places = _worst_pairs(errors.to_numpy())
    pairs = pd.MultiIndex.from_arrays([errors.index[side] for side in places])
    return Differences(
        shapes(columns).sort_values(ascending=False, kind="stable"),
        pd.Series(errors.to_numpy()[places], pairs, name="trend_error"),
        MarginalsDisplay._from_alike(columns, None, N_COLUMNS, worst_first=True),
        TrendDisplay(errors) if len(columns) > 1 else None,
        [
            JointDisplay._from_alike([columns[i], columns[j]], N_LEVELS)
            for i, j in _varied(np.transpose(places).tolist())[:N_PAIRS]
        ],
    )


def _worst_pairs(errors):
    """Return the places of all pairs, the largest error first."""
    places = np.triu_indices(len(errors), 1)
    order = np.argsort(-errors[places], kind="stable")
    return tuple(side[order] for side in places)


def _varied(pairs):
    """Return pairs without a common column first, or one bad column fills them all."""
    seen, first, later = set(), [], []
    for pair in pairs:
        if seen & set(pair):
            later.append(pair)
        else:
            first.append(pair)
            seen |= set(pair)
    return first + later
