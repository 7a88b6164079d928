"""How alike two tables are, pair of columns by pair."""

import itertools

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar

from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._shape import total_variation


def trend_errors(
    real, synthetic, *, n_bins=10, bins="real", categorical_features="from_dtype"
):
    """Return for each pair of columns how far its dependence is from the real one.

    Of two numbers or dates that is half the absolute difference of Pearson's
    correlation, over rows that have both. Of all other pairs it is the total variation
    distance of the joint table of shares, with numbers cut into bins of equal width;
    missing cells have a bin of their own.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    n_bins : int, default=10
        Number of bins of numbers and dates.
    bins : {"real", "each"}, default="real"
        Whose range the bins divide. With "real" they are the same for both tables, and
        the outer ones are open. With "each" every table is cut by its own range, and
        its largest value is a bin of its own: one extreme value moves all bins, so use
        it only to compare with published figures.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.

    Returns
    -------
    errors : DataFrame of shape (n_features, n_features)
        Symmetric, from 0, the same dependence, to 1; NaN on the diagonal, for a column
        makes no pair with itself. A correlation that is not defined, as that of a
        constant, counts as 0.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same or
        fewer than two, or a parameter is out of its range.

    See Also
    --------
    trend_error : The mean over the pairs.
    fidelity_errors : All errors of columns and pairs at once.

    References
    ----------
    With "real" the same as 1 - CorrelationSimilarity and 1 - ContingencySimilarity of
    SDMetrics, with "each" as in its QualityReport.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_tabsyn.metrics import trend_errors
    >>> real = pd.DataFrame({"age": [20, 20, 40, 40], "sex": ["f", "f", "m", "m"]})
    >>> synthetic = pd.DataFrame({"age": [20, 40, 20, 40], "sex": ["f", "f", "m", "m"]})
    >>> trend_errors(real, synthetic)
         age  sex
    age  NaN  0.5
    sex  0.5  NaN
    """
    columns = read_pairs(real, synthetic, n_bins, bins, categorical_features)
    return trends(columns, n_bins, bins)


def trend_error(
    real, synthetic, *, n_bins=10, bins="real", categorical_features="from_dtype"
):
    """Return how far the dependence of pairs of columns is from the real one.

    The mean of :func:`trend_errors` over all pairs.

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
    error : float
        From 0, the same dependence, to 1. Less is better.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same or
        fewer than two, or a parameter is out of its range.

    See Also
    --------
    trend_errors : The error of each pair.

    Examples
    --------
    >>> from sklearn_tabsyn.metrics import trend_error
    >>> trend_error([[1, 1], [2, 2], [3, 3]], [[1, 3], [2, 2], [3, 1]])
    1.0
    """
    how = {"n_bins": n_bins, "bins": bins, "categorical_features": categorical_features}
    errors = trend_errors(real, synthetic, **how).to_numpy()
    return float(errors[np.triu_indices(len(errors), 1)].mean())


def read_pairs(real, synthetic, n_bins, bins, categorical_features):
    """Return the columns of two tables, and refuse what has no trends."""
    check_scalar(n_bins, "n_bins", int, min_val=1)
    if bins not in ("real", "each"):
        raise ValueError(f"bins must be 'real' or 'each'; got {bins!r}.")
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    if len(columns) < 2:
        raise ValueError(
            "Trends are of pairs, so the tables must have at least 2 columns; found 1. "
            "Use shape_error for a single column."
        )
    return columns


def trends(columns, n_bins=10, bins="real"):
    """Return the error of the trend of each pair of columns that were read alike."""
    names = pd.Index([column.name for column in columns], tupleize_cols=False)
    errors = _pair_errors(columns, n_bins, bins)
    return pd.DataFrame(errors, index=names, columns=names)


def _pair_errors(columns, n_bins, bins):
    """Return the symmetric matrix of errors, NaN on its diagonal."""
    errors = np.full((len(columns), len(columns)), np.nan)
    numbers = [j for j, column in enumerate(columns) if not column.is_category]
    correlations = [_correlate([columns[j].values[i] for j in numbers]) for i in (0, 1)]
    errors[np.ix_(numbers, numbers)] = np.abs(np.subtract(*correlations)) / 2
    np.fill_diagonal(errors, np.nan)
    cut = [_codes(column, n_bins, bins) for column in columns]
    for i, j in itertools.combinations(range(len(columns)), 2):
        if columns[i].is_category or columns[j].is_category:
            errors[i, j] = errors[j, i] = _joint_error(*cut[i], *cut[j])
    return errors


def _correlate(numbers):
    """Return the correlations over rows that have both, 0 where not defined."""
    if not numbers:
        return np.empty((0, 0))
    if all(np.ptp(cells) > 0 for cells in numbers):
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.atleast_2d(np.corrcoef(numbers)))
    # Gaps and constants, which pandas knows even if their mean is not exact.
    return pd.DataFrame(dict(enumerate(numbers))).corr().fillna(0).to_numpy()


def _joint_error(codes, n_codes, others, n_others):
    """Return the total variation distance of the joint table of two columns."""
    size = np.min_scalar_type(n_codes * n_others)
    joint = (
        np.multiply(a, n_others, dtype=size) + b
        for a, b in zip(codes, others, strict=True)
    )
    return total_variation(*joint, n_codes * n_others)


def _codes(column, n_bins, bins):
    """Return the codes of a column in both tables, and their number."""
    if column.is_category:
        return column.values, column.n_codes
    codes = []
    for cells in column.values:
        cuts = _cuts(column.values[0] if bins == "real" else cells, n_bins)
        cuts = cuts[1:-1] if bins == "real" else cuts[1:]
        # For few cuts quicker than to search them.
        places = np.zeros(len(cells), np.min_scalar_type(n_bins + 1))
        for cut in cuts:
            places += cells >= cut
        places[np.isnan(cells)] = n_bins + 1
        codes.append(places)
    return codes, n_bins + 2


def _cuts(cells, n_bins):
    """Return the ends of bins of equal width."""
    present = cells[~np.isnan(cells)]
    low, high = (present.min(), present.max()) if len(present) else (0.0, 0.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, n_bins + 1)
