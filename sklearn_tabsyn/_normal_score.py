"""Normal scores of ranks: an exactly invertible Gaussian view of a column."""

from numbers import Integral, Real

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _check_n_features,
    check_array,
    check_is_fitted,
    validate_data,
)

from sklearn_tabsyn._groups import cells_of, group_values


class NormalScoreTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Map each column to the normal scores of its ranks, and back.

    The rank of a value is its place in the training distribution, between 0
    and 1. Of `n` training values, a value found once with `b` values below it
    sits at the rank `(b + 0.5) / n`. A value tied `c` times owns the interval
    `[b / n, (b + c) / n]`, and every rank inside it decodes to exactly this
    value. So a column that holds many zeros gives back exact zeros.

    Parameters
    ----------
    heavy_tie : float, default=0.01
        Share of a column's non-missing values, in [0, 1], from which a tie
        counts as heavy: :meth:`intervals` keeps heavy ties at their middle and
        spreads lighter ones. At 1 % an interval is narrow enough for a smooth
        density, while a value that is more common deserves a place of its own.
    max_knots : int, default=100_000
        Number of distinct values, at least 2, up to which a column is kept
        whole. Of a longer one the heavy ties and about this many values evenly
        spaced in rank remain, and all others are interpolated between them.
        The default takes 2.4 MB a column.
    min_count : int, default=1
        Rows, at least 1, in which a value must be found to be kept. Rarer values are
        interpolated between the means of groups of neighbours of as many rows, and so
        are none beyond the first and last mean. The default keeps all.

    Attributes
    ----------
    values_ : list of ndarray of shape (n_values,), dtype float64
        The sorted distinct values of each column; empty if all are missing.
    low_ : list of ndarray of shape (n_values,), dtype float64
        The lowest rank that belongs to each value.
    high_ : list of ndarray of shape (n_values,), dtype float64
        The highest rank that belongs to each value; equal to `low_` for values
        that are not tied.
    edges_ : list of ndarray of shape (n_cells + 1,), dtype float64
        The ranks between groups and ties of each column; empty for `min_count=1`.
    n_samples_seen_ : ndarray of shape (n_features,), dtype int64
        The number of non-missing training values of each column.
    n_features_in_ : int
        Number of features seen in `fit`.

    See Also
    --------
    sklearn.preprocessing.QuantileTransformer : Interpolates on a grid of
        quantiles, which blurs ties.

    Notes
    -----
    Missing values stay missing in both directions and take no part in the
    ranks. Everything is computed in float64, so integers beyond 2**53 are
    rounded. Rounding the scores to float32 moves a rank by at most 1.5e-8:
    tied values still come back exactly, others within about `1.5e-8 * n` of the
    gap to their neighbour.

    References
    ----------
    .. [1] Beasley, T. M., Erickson, S., and Allison, D. B. (2009). Rank-based
       inverse normal transformations are increasingly used, but are they
       merited? Behavior Genetics 39, 580-595.
    .. [2] Rueschendorf, L. (2009). On the distributional transform, Sklar's
       theorem, and the empirical copula process. Journal of Statistical
       Planning and Inference 139, 3921-3927.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn import NormalScoreTransformer
    >>> X = np.array([[0.0], [0.0], [0.0], [7.5], [np.nan], [120.0]])
    >>> scores = NormalScoreTransformer().fit(X)
    >>> Z = scores.transform(X)
    >>> Z.round(2).ravel()
    array([-0.52, -0.52, -0.52,  0.52,   nan,  1.28])
    >>> scores.inverse_transform(Z).ravel()
    array([  0. ,   0. ,   0. ,   7.5,   nan, 120. ])
    >>> scores.inverse_transform([[-3.0], [0.2], [3.0]]).ravel()
    array([  0.,   0., 120.])
    """

    _parameter_constraints = {
        "heavy_tie": [Interval(Real, 0, 1, closed="both")],
        "max_knots": [Interval(Integral, 2, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, heavy_tie=0.01, max_knots=100_000, min_count=1):
        self.heavy_tie = heavy_tie
        self.max_knots = max_knots
        self.min_count = min_count

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the values of each column and their ranks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numeric training data; NaN marks a missing value.
        y : None, default=None
            Ignored, here for the sake of pipelines.

        Returns
        -------
        self : NormalScoreTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            If `X` is not numeric or holds infinite values, if a parameter is out of
            its range, or if a column has values in fewer than `min_count` rows.
        """
        X = self._check_values(X, reset=True)
        seen = ~np.isnan(X)
        self.n_samples_seen_ = seen.sum(axis=0)
        self._check_counts()
        knots = [self._knots(X[rows, j]) for j, rows in enumerate(seen.T)]
        self.values_, self.low_, self.high_, self.edges_ = map(
            list, zip(*knots, strict=True)
        )
        return self

    def transform(self, X):
        """Return the normal score of the middle rank of each value.

        A value between two known ones is interpolated in rank, one outside the
        training range gets the score of the nearest extreme.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numeric data; NaN marks a missing value.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features), dtype float64
            Scores, finite except for the NaN of missing values.

        Raises
        ------
        ValueError
            If `X` holds infinite values or has another number of columns.
        """
        start, stop = self.rank_edges(X)
        return self._score((start + stop) / 2)

    def intervals(self, X):
        """Return the range of scores over which each value may be spread.

        For values tied in fewer than `heavy_tie` of the training rows these are
        the edges of their interval. For all others, unique values and heavy
        ties, both are the score that :meth:`transform` gives. Values too rare for
        `min_count` are spread over their group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numeric data; NaN marks a missing value.

        Returns
        -------
        low, high : tuple of ndarray of shape (n_samples, n_features), dtype float64
            Lower and upper scores, finite except for the NaN of missing values.

        Raises
        ------
        ValueError
            If `X` holds infinite values or has another number of columns.
        """
        start, stop = self.rank_edges(X)
        middle = (start + stop) / 2
        n_samples = np.maximum(self.n_samples_seen_, 1)
        # Back to whole counts, so that a tie of just heavy_tie is always heavy.
        share = np.rint((stop - start) * n_samples) / n_samples
        light = share < self.heavy_tie
        low, high = np.where(light, start, middle), np.where(light, stop, middle)
        for j, seen in self._seen_values(start):
            if len(self.edges_[j]):
                rare = seen & (start[:, j] == stop[:, j])
                low[rare, j], high[rare, j] = cells_of(start[rare, j], self.edges_[j])
        return self._score(low), self._score(high)

    def inverse_transform(self, Z):
        """Return the values that own the ranks of normal scores.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features)
            Normal scores; NaN gives NaN.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), dtype float64
            A tied value inside its interval, an interpolated one between
            values, an extreme beyond them.

        Raises
        ------
        ValueError
            If `Z` holds infinite values or has another number of columns.
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=np.float64, ensure_all_finite="allow-nan")
        _check_n_features(self, Z, reset=False)
        X = np.full(Z.shape, np.nan)
        for j, seen in self._seen_values(Z):
            # A unique value is a point: without this margin the rounding of
            # ndtr(ndtri(rank)) would miss it.
            margin = 1e-6 / self.n_samples_seen_[j]
            low, high = self.low_[j] - margin, self.high_[j] + margin
            X[seen, j] = _value_at(ndtr(Z[seen, j]), self.values_[j], low, high)
        return X

    def log_slopes(self, X):
        """Return the logarithm of the derivative of the normal score of each value.

        The slope between values some ranks below and above, as many as the root of the
        number of distinct ones; beyond the training range it falls with the distance.
        Heavy ties, where the score jumps, are never between them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numeric data; NaN marks a missing value.

        Returns
        -------
        slopes : ndarray of shape (n_samples, n_features), dtype float64
            With them densities of scores become densities of values. 0 for heavy ties
            and missing values.

        Raises
        ------
        ValueError
            If `X` holds infinite values or has another number of columns.
        """
        check_is_fitted(self)
        X = self._check_values(X, reset=False)
        slopes = np.zeros(X.shape)
        for j, seen in self._seen_values(X):
            values, low, high = self.values_[j], self.low_[j], self.high_[j]
            share = np.rint((high - low) * self.n_samples_seen_[j])
            heavy = share / self.n_samples_seen_[j] >= self.heavy_tie
            scores = self._score(((low + high) / 2)[:, None])[:, 0]
            slopes[seen, j] = _log_slopes(X[seen, j], values, scores, heavy)
        return slopes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _check_values(self, X, reset):
        """Return X as a float64 matrix that may hold NaN but no infinity."""
        return validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"
        )

    def _knots(self, column):
        """Return values, the lowest and highest rank of each, and edges of groups."""
        if self.min_count > 1:
            light = -(-len(column) // self.max_knots)
            return group_values(column, max(self.min_count, light))
        values, counts = np.unique(column, return_counts=True)
        after = np.cumsum(counts)
        before = after - counts
        inset = np.where(counts == 1, 0.5, 0.0)
        low, high = (before + inset) / len(column), (after - inset) / len(column)
        if len(values) > self.max_knots:
            heavy = (counts > 1) & (counts / len(column) >= self.heavy_tie)
            # A heavy tie weighs as one value, or it would use up the places.
            rank = np.cumsum(np.where(heavy, 1, counts))
            places = np.linspace(0, rank[-1] - 1, self.max_knots).astype(int)
            even = np.searchsorted(rank, places, side="right")
            kept = np.union1d(np.flatnonzero(heavy), even)
            values, low, high = values[kept], low[kept], high[kept]
        return values, low, high, np.empty(0)

    def _check_counts(self):
        """Refuse columns of which no value and no group could be kept."""
        n_seen = self.n_samples_seen_
        for j in np.flatnonzero((n_seen > 0) & (n_seen < self.min_count)):
            raise ValueError(
                f"Column {j} has values in {n_seen[j]} rows, but min_count="
                f"{self.min_count}. Drop the column, or lower min_count."
            )

    def _seen_values(self, X):
        """Yield each column with known values and the mask of its non-missing rows."""
        for j in np.flatnonzero(self.n_samples_seen_):
            yield j, ~np.isnan(X[:, j])

    def rank_edges(self, X):
        """Return the lowest and the highest rank that belong to each value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numeric data; NaN marks a missing value.

        Returns
        -------
        start, stop : tuple of ndarray of shape (n_samples, n_features), dtype float64
            Ranks in [0, 1]; the same for a value that is not tied.

        Raises
        ------
        ValueError
            If `X` holds infinite values or has another number of columns.
        """
        check_is_fitted(self)
        X = self._check_values(X, reset=False)
        start, stop = np.full(X.shape, np.nan), np.full(X.shape, np.nan)
        for j, seen in self._seen_values(X):
            start[seen, j], stop[seen, j] = _ranks_of(
                X[seen, j], self.values_[j], self.low_[j], self.high_[j]
            )
        return start, stop

    def _score(self, ranks):
        """Return finite normal scores of ranks."""
        edge = 0.25 / np.maximum(self.n_samples_seen_, 1)
        # ndtri falls in places, by its rounding, between ranks a last bit apart.
        return ndtri(np.rint(np.clip(ranks, edge, 1 - edge) * 2**48) / 2**48)


def _ranks_of(column, values, low, high):
    """Return the edges of the rank interval of each value of a column."""
    column = np.clip(column, values[0], values[-1])
    k = np.searchsorted(values, column, side="right") - 1
    start, stop = low[k], high[k]
    between = values[k] != column
    k, column = k[between], column[between]
    below, above = values[k], values[k + 1]
    # The gap between two finite values can overflow, half of it cannot. Halving
    # every gap would lose the last bit of denormal numbers.
    with np.errstate(over="ignore"):
        unit = np.where(np.isinf(above - below), 0.5, 1.0)
    part = (column * unit - below * unit) / (above * unit - below * unit)
    ranks = high[k] + part * (low[k + 1] - high[k])
    start[between] = stop[between] = np.minimum(ranks, low[k + 1])
    return start, stop


def _log_slopes(column, values, scores, heavy):
    """Return the log of the slope of scores around the values of a column."""
    if heavy.all():
        return np.zeros(len(column))
    near = np.searchsorted(values, column).clip(max=len(values) - 1)
    tied = heavy[near] & (values[near] == column)
    # Between two heavy ties the places of all others have no gap.
    part = np.cumsum(heavy)[~heavy]
    values, scores = values[~heavy], scores[~heavy]
    near = np.searchsorted(values, column).clip(max=len(values) - 1)
    reach = int(np.ceil(np.sqrt(len(values))))
    first, last = np.searchsorted(part, part), np.searchsorted(part, part, "right") - 1
    below = np.maximum(near - reach, first[near])
    above = np.minimum(near + reach, last[near])
    alone = below == above
    below, above = (below - alone).clip(min=0), (above + alone).clip(max=len(part) - 1)
    rise = scores[above] - scores[below]
    run = np.maximum(values[above], column) - np.minimum(values[below], column)
    defined = ~tied & (rise > 0) & (run > 0)
    return np.log(np.where(defined, rise, 1) / np.where(defined, run, 1))


def _value_at(ranks, values, low, high):
    """Return the value that owns each rank, or one between its neighbours."""
    k = np.maximum(np.searchsorted(low, ranks, side="right") - 1, 0)
    column = values[k]
    between = (ranks > high[k]) & (k < len(values) - 1)
    k, ranks = k[between], ranks[between]
    part = (ranks - high[k]) / (low[k + 1] - high[k])
    below, above = values[k], values[k + 1]
    half = part * (above / 2 - below / 2)  # the whole gap could overflow
    column[between] = np.minimum(below + half + half, above)
    return column
