"""How alike two tables are, by all columns and pairs at once."""

from typing import NamedTuple

import pandas as pd

from sklearn_tabsyn.metrics._shape import gaps, shapes
from sklearn_tabsyn.metrics._trend import read_pairs, trends


class FidelityErrors(NamedTuple):
    """How far columns and pairs of columns are from the real ones.

    Parameters
    ----------
    shape : Series of shape (n_features,)
        The error of the distribution of each column, as by :func:`shape_errors`.
    trend : DataFrame of shape (n_features, n_features)
        The error of the dependence of each pair, as by :func:`trend_errors`.
    missingness : Series of shape (n_features,)
        The difference in the share missing of each column; its mean is
        :func:`missingness_error`.
    """

    shape: pd.Series
    trend: pd.DataFrame
    missingness: pd.Series


def fidelity_errors(
    real, synthetic, *, n_bins=10, bins="real", categorical_features="from_dtype"
):
    """Return for each column and each pair how far they are from the real ones.

    The same as :func:`shape_errors`, :func:`trend_errors` and the differences of which
    :func:`missingness_error` is the mean, but the tables are read only once.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    n_bins : int, default=10
        Number of bins of numbers and dates.
    bins : {"real", "each"}, default="real"
        Whose range the bins divide, as in :func:`trend_errors`.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.

    Returns
    -------
    errors : FidelityErrors
        A named tuple of the errors of `shape`, `trend` and `missingness`.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same or
        fewer than two, or a parameter is out of its range.

    See Also
    --------
    shape_error : How far the distributions of single columns are.
    trend_error : How far the dependence of pairs of columns is.
    missingness_error : How far the shares of missing cells are.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_tabsyn.metrics import fidelity_errors
    >>> real = pd.DataFrame({"age": [20, 20, 40, 40], "sex": ["f", "f", "m", "m"]})
    >>> synthetic = pd.DataFrame({"age": [20, 40, 20, 40], "sex": ["f", "f", "m", "m"]})
    >>> errors = fidelity_errors(real, synthetic)
    >>> float(errors.shape["age"])
    0.0
    >>> errors.trend
         age  sex
    age  NaN  0.5
    sex  0.5  NaN
    """
    columns = read_pairs(real, synthetic, n_bins, bins, categorical_features)
    trend = trends(columns, n_bins, bins)
    return FidelityErrors(shapes(columns), trend, gaps(columns))
