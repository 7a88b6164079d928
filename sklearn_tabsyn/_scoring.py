"""How likely rows are: the score of a synthesizer."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _num_samples, check_is_fitted

from sklearn_tabsyn._batches import RowDataset
from sklearn_tabsyn._likelihood import bound_log_densities
from sklearn_tabsyn._table import check_table


class LogDensityScore:
    """Gives a synthesizer the methods `score_samples` and `score`."""

    def score_samples(self, X, y=None):
        """Return a lower bound on the log-density of each row, in nats.

        The variational bound of the diffusion model [1]_: the better the model, the
        higher. It is a log-probability for categories, numbers of few values and values
        that occur often; of other numbers and dates it is the log of a density per unit
        of the column. So it may be positive, and compares models of one table, or rows
        by one model, not tables.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the columns of `fit`. A missing value counts as such where fit saw
            missing values. What fit never saw of a column, such as a new category, has
            the probability of one row more than there were.
        y : array-like of shape (n_samples,), default=None
            Their targets, if `fit` was given targets. Without them the density of the
            rows is that of all targets together, at the price of one score for each
            class, or for 32 values of a number.

        Returns
        -------
        bounds : ndarray of shape (n_samples,), dtype float32
            The same for a row, whatever rows are beside it.

        Raises
        ------
        NotFittedError
            If called before `fit`.
        ValueError
            If the columns are not those of `fit`, or `y` is given and was not in `fit`.

        Notes
        -----
        With an `encoder` of your own continuous columns count per unit of their encoded
        value, and scores compare only models with this encoder.

        The integral of the bound is a mean over fixed noise, other for every row. Of a
        single row it is off by some tenths of a nat, of the mean of many rows by next
        to nothing.

        References
        ----------
        .. [1] Kingma, D., Salimans, T., Poole, B., and Ho, J. (2021). Variational
           diffusion models. NeurIPS.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_tabsyn import DiffusionSynthesizer
        >>> X = np.random.default_rng(0).normal(size=(500, 1)) + [0.0, 5.0]
        >>> synthesizer = DiffusionSynthesizer(max_iter=300, random_state=0).fit(X)
        >>> scores = synthesizer.score_samples([[1.0, 6.0], [1.0, 4.0]])
        >>> bool(scores[0] > scores[1] + 1)
        True
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        check_consistent_length(X, y)
        if y is not None or not self._model.has_target:
            return self._bound(X, y).astype(np.float32)
        joint = [
            self._bound(X, target) + log_width
            for target, log_width in self._model.target_points(_num_samples(X))
        ]
        return logsumexp(joint, axis=0).astype(np.float32)

    def score(self, X, y=None):
        """Return the mean of :meth:`score_samples`: the higher, the better the model.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the columns of `fit`, best such that were held out.
        y : array-like of shape (n_samples,), default=None
            Their targets, if `fit` was given targets.

        Returns
        -------
        score : float
            Mean lower bound on the log-density, in nats per row.
        """
        return float(self.score_samples(X, y).mean(dtype=np.float64))

    def _bound(self, X, y):
        rows, extra = self._model.read_scored(X, y)
        dataset = RowDataset(rows, fixed=True)
        how = self._n_points, self.verbose
        return bound_log_densities(self.denoiser_, dataset, *how) + extra
