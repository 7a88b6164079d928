"""DiffusionImputer: fill missing cells by draws given all others."""

from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn._synthesizer import DiffusionSynthesizer
from sklearn_tabsyn._table import TakesTables, check_table, open_frame


class DiffusionImputer(
    TakesTables, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Fill missing cells by draws from a diffusion model, given the row's other cells.

    The joint distribution of the table is learned, gaps included, by a
    :class:`DiffusionSynthesizer`. The missing cells of a row are drawn together, given
    those it has and given that none is missing, so that filled rows hang together.

    Parameters
    ----------
    synthesizer : DiffusionSynthesizer, default=None
        Learns the table; if None, one with its defaults but `conditional=1.0`, for
        here only conditional draws count.
    strategy : {"draw", "mean"}, default="draw"
        "draw" fills in one draw and so keeps the spread and the dependence of the
        columns. "mean" fills in what is nearest to the truth on average: of numbers
        and dates the mean, of categories the most likely.
    n_imputations : int, default=10
        Number of completed tables of :meth:`impute`; with "mean", number of draws of
        the noise over which the distribution of each gap is averaged.
    random_state : int, RandomState instance or None, default=None
        Seed of `fit` and of the draws; an int gives the same fills at every call.

    Attributes
    ----------
    synthesizer_ : DiffusionSynthesizer
        The fitted synthesizer.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if all are text.

    See Also
    --------
    DiffusionSynthesizer : Draws whole rows.
    sklearn.impute.IterativeImputer : Regresses each number on all others.
    sklearn.impute.KNNImputer : Takes numbers from the nearest rows.

    Notes
    -----
    Cells are assumed to be missing at random: given the cells that a row has, whether
    another is missing says nothing about its value (Rubin 1976).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 1)) + 0.1 * rng.normal(size=(300, 2))
    >>> X[::3, 1] = np.nan
    >>> synthesizer = DiffusionSynthesizer(conditional=1.0, max_iter=300)
    >>> imputer = DiffusionImputer(synthesizer, strategy="mean", random_state=0)
    >>> filled = imputer.fit_transform(X)
    >>> bool(np.corrcoef(filled[::3].T)[0, 1] > 0.9)
    True
    """

    _parameter_constraints = {
        "synthesizer": [DiffusionSynthesizer, None],
        "strategy": [StrOptions({"draw", "mean"})],
        "n_imputations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        synthesizer=None,
        *,
        strategy="draw",
        n_imputations=10,
        random_state=None,
    ):
        self.synthesizer = synthesizer
        self.strategy = strategy
        self.n_imputations = n_imputations
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn the table, gaps included.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table. Never changed.
        y : None, default=None
            Ignored, here for the sake of pipelines.

        Returns
        -------
        self : DiffusionImputer
            The fitted imputer.

        Raises
        ------
        ValueError
            If a column has no values at all, or the table cannot be learned.
        """
        X = check_table(self, X, reset=True)
        _check_values(X)
        synthesizer = self.synthesizer
        if synthesizer is None:
            synthesizer = DiffusionSynthesizer(conditional=1.0)
        if not synthesizer.conditional:
            raise ValueError(
                "DiffusionImputer draws cells given others, so its synthesizer must "
                "have conditional=True; got conditional=False."
            )
        synthesizer = clone(synthesizer)
        if self.random_state is not None:
            synthesizer.set_params(random_state=self.random_state)
        self.synthesizer_ = synthesizer.fit(X)
        return self

    def transform(self, X):
        """Return the table without gaps.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            A table with the columns of `fit`. Never changed. Categories that were not
            seen in `fit` stay, and count as unknown.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            The table with all cells filled, in its container; cells that were not
            missing, and so rows without gaps, are as they were.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If the columns are not those of `fit`.
        """
        return self._fill(X, 1, self.strategy)[0]

    def impute(self, X):
        """Return several completed tables, as for multiple imputation.

        What differs between results computed from each of them is the uncertainty
        that the gaps bring (Rubin 1987).

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            A table with the columns of `fit`. Never changed.

        Returns
        -------
        tables : list of n_imputations ndarray or DataFrame
            Tables as :meth:`transform` returns with `strategy="draw"`.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If the columns are not those of `fit`.
        """
        return self._fill(X, self.n_imputations, "draw")

    def _fill(self, X, n_tables, strategy):
        """Return completed tables."""
        check_is_fitted(self)
        self._validate_params()
        X = check_table(self, X, reset=False)
        model = self.synthesizer_._model
        cells, gaps = model.read_gaps(X)
        rows = np.flatnonzero(gaps.any(1))
        if not len(rows):
            return [model.fill(X, rows, gaps, None) for _ in range(n_tables)]
        parts, seed = [part[rows] for part in cells], self._seed()
        if strategy == "mean":
            n_draws = self.n_imputations
            means = self.synthesizer_._mean_cells(parts, gaps[rows], n_draws, seed)
            return [model.fill(X, rows, gaps, means)]
        drawn = self.synthesizer_._draw_cells(parts, n_tables, seed)
        return [model.fill(X, rows, gaps, values) for values in drawn]

    def _seed(self):
        return seed_sequence(self.random_state).entropy


def _check_values(X):
    """Refuse columns that never have a value."""
    frame, _ = open_frame(X)
    for place, name in enumerate(frame.columns):
        if frame.iloc[:, place].isna().all():
            raise ValueError(
                f"Column {name!r} has no values at all, so its gaps cannot be filled; "
                "drop it."
            )
