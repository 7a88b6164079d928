"""How alike two tables are, column by column."""

import numpy as np
import pandas as pd

from sklearn_tabsyn.metrics._alike import read_alike


def shape_errors(real, synthetic, *, categorical_features="from_dtype"):
    """Return for each column how far its distribution is from the real one.

    Of numbers and dates that is the Kolmogorov-Smirnov distance, the largest gap
    between the cumulative distributions of the values that are there. Of categories it
    is the total variation distance, half the sum of all differences in share; a missing
    cell counts as a category.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.

    Returns
    -------
    errors : Series of shape (n_features,)
        From 0, the same distribution, to 1, nothing in common. Of a number without any
        values in one table 1, in both 0.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, or the columns are not the same.

    See Also
    --------
    shape_error : The mean over the columns.
    missingness_error : How far the shares of missing cells are.

    References
    ----------
    The same as 1 - KSComplement and 1 - TVComplement of SDMetrics, which drops missing
    categories first.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_tabsyn.metrics import shape_errors
    >>> real = pd.DataFrame({"age": [20, 30, 40, 50], "sex": ["f", "m", "f", "m"]})
    >>> synthetic = pd.DataFrame({"age": [20, 30, 40, 40], "sex": ["f", "m", "f", "f"]})
    >>> shape_errors(real, synthetic)
    age    0.25
    sex    0.25
    Name: shape_error, dtype: float64
    """
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    return shapes(columns)


def shape_error(real, synthetic, *, categorical_features="from_dtype"):
    """Return how far the distributions of single columns are from the real ones.

    The mean of :func:`shape_errors`. Columns drawn independently of each other have a
    perfect shape, so look at :func:`trend_error` as well.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.

    Returns
    -------
    error : float
        From 0, the same distributions, to 1. Less is better.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, or the columns are not the same.

    See Also
    --------
    shape_errors : The error of each column.
    trend_error : How far pairs of columns are from the real ones.
    fidelity_errors : All errors of columns and pairs at once.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_tabsyn.metrics import shape_error
    >>> real = pd.DataFrame({"age": [20, 30, 40, 50], "sex": ["f", "m", "f", "m"]})
    >>> shape_error(real, real[:3])
    0.208...
    """
    how = {"categorical_features": categorical_features}
    return float(shape_errors(real, synthetic, **how).mean())


def missingness_error(real, synthetic, *, categorical_features="from_dtype"):
    """Return how far the shares of missing cells are from the real ones.

    The mean over the columns of the absolute difference of the share missing.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.

    Returns
    -------
    error : float
        From 0, as many missing in each column, to 1. Less is better.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, or the columns are not the same.

    See Also
    --------
    shape_error : How far the distributions of the values are.

    Examples
    --------
    >>> from sklearn_tabsyn.metrics import missingness_error
    >>> missingness_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, None], [3.0, 4.0]])
    0.25
    """
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    return float(gaps(columns).mean())


def shapes(columns):
    """Return the error of the shape of each column that was read alike."""
    return _by_name(columns, map(_shape_error, columns), "shape_error")


def gaps(columns):
    """Return the difference in the share missing of each column that was read alike."""
    shares = [[absent.mean() for absent in column.absent()] for column in columns]
    errors = (abs(real - synthetic) for real, synthetic in shares)
    return _by_name(columns, errors, "missingness_error")


def total_variation(real, synthetic, n_codes):
    """Return half the sum of the differences in share of codes below n_codes."""
    if n_codes > 4 * (len(real) + len(synthetic)):
        # Mostly empty cells: count only those that occur.
        used, codes = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
        real, synthetic, n_codes = *np.split(codes, [len(real)]), len(used)
    tables = (real, synthetic)
    shares = [np.bincount(codes, minlength=n_codes) / len(codes) for codes in tables]
    return np.abs(shares[0] - shares[1]).sum() / 2


def _by_name(columns, errors, name):
    """Return the errors of columns as a series."""
    index = pd.Index([column.name for column in columns], tupleize_cols=False)
    return pd.Series(errors, index, float, name)


def _shape_error(column):
    if column.is_category:
        return total_variation(*column.values, column.n_codes)
    return _kolmogorov_smirnov(*(cells[~np.isnan(cells)] for cells in column.values))


def _kolmogorov_smirnov(real, synthetic):
    if not len(real) or not len(synthetic):
        return float(len(real) != len(synthetic))
    tables = np.sort(real), np.sort(synthetic)
    values = np.unique(np.concatenate(tables))
    below = [np.searchsorted(cells, values, "right") / len(cells) for cells in tables]
    return np.abs(below[0] - below[1]).max()
