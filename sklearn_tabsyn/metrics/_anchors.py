"""What a metric gives for tables that are known to be bad or good."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.metrics._alike import named_frame
from sklearn_tabsyn.metrics._catalogue import find_metric


class Anchors(NamedTuple):
    """Two values of a metric between which a synthesizer should come.

    Parameters
    ----------
    independent : float
        What independent columns get, each with its own distribution.
    real : float
        What real rows get.
    """

    independent: float
    real: float


def anchors(metric, real, *, random_state=None, **params):
    """Return what independent columns and what real rows get by a metric.

    How good a value is depends on the table and its size. A synthesizer that learned
    only single columns gets about what independent columns get, a perfect one about
    what real rows get.

    Parts of the real table play the real and the synthetic table. For the errors of
    shape, trend and missingness these are two bootstrap samples of all rows, which
    differ as much as two tables of this size. For all others they are disjoint random
    halves, or thirds if held-out rows are needed, since there repeated rows would pass
    for copies. The independent columns are those of the same synthetic part, each
    shuffled by itself.

    Parameters
    ----------
    metric : str or callable
        One of "shape", "trend", "missingness", "detection", "utility",
        "alpha_precision", "beta_recall", "dcr" and "membership", or a function, also
        your own, of a real and a synthetic table.
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table.
    random_state : int, RandomState instance or None, default=None
        Seed of the parts, and of the metric if it takes one.
    **params : dict
        Further parameters of the metric.

    Returns
    -------
    anchors : Anchors
        A named tuple of the values of `independent` columns and of `real` rows.

    Raises
    ------
    ValueError
        If the metric is unknown, the table has too few rows for the parts, or the
        metric refuses it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import anchors
    >>> X = np.random.default_rng(0).normal(size=(1000, 1)) * [1, 1]
    >>> independent, real = anchors("trend", X, random_state=0)
    >>> independent > 0.4 and real < 0.01
    True
    """
    metric = find_metric(metric)
    frame, _ = named_frame(real, "real")
    if len(frame) < metric.n_tables:
        raise ValueError(
            f"Anchors of this metric need at least {metric.n_tables} rows of real; "
            f"found {len(frame)}. Give more rows."
        )
    seed = seed_sequence(random_state)
    random = np.random.default_rng(seed)
    if "random_state" in metric.parameters:
        params["random_state"] = int(seed.generate_state(1)[0])
    first, rows, *rest = _parts(frame, metric, random)
    return Anchors(
        metric.function(first, _shuffled(rows, random), *rest, **params),
        metric.function(first, rows, *rest, **params),
    )


def _parts(frame, metric, random):
    """Return tables of real rows that play those of the metric."""
    if metric.resampled:
        places = random.integers(len(frame), size=(metric.n_tables, len(frame)))
    else:
        places = np.array_split(random.permutation(len(frame)), metric.n_tables)
    return [frame.iloc[rows] for rows in places]


def _shuffled(frame, random):
    """Return a table with each column in an order of its own."""
    columns = [
        frame.iloc[random.permutation(len(frame)), j].reset_index(drop=True)
        for j in range(frame.shape[1])
    ]
    return pd.concat(columns, axis=1)
