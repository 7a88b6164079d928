"""DiffusionOverSampler: add synthetic rows of rare classes, for imbalanced-learn."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets

from sklearn_tabsyn._resampling import (
    append_classes,
    append_rows,
    as_categories,
    check_target_given,
    make_synthesizer,
)
from sklearn_tabsyn._seeds import int_seed
from sklearn_tabsyn._synthesizer import DiffusionSynthesizer
from sklearn_tabsyn._table import TakesTables, check_table, is_frame

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_sampling_strategy, check_target_type
except ImportError:

    class BaseOverSampler(BaseEstimator):
        """Stands for the class of a library that is not installed."""

        _parameter_constraints = {}

        def __new__(cls, *args, **kwargs):
            """Say what to install."""
            raise ImportError(
                f"{cls.__name__} needs imbalanced-learn, which is not installed. Use "
                "pip install imbalanced-learn."
            )


class DiffusionOverSampler(TakesTables, BaseOverSampler):
    """Add synthetic rows of rare classes, drawn from a diffusion model.

    One :class:`DiffusionSynthesizer` learns all rows with their classes, so that rare
    classes profit from what they have in common with others; then it draws rows given
    their class. Needs imbalanced-learn.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        What imbalanced-learn takes: "auto", the same as "not majority", adds rows until
        all classes are as large as the largest; a float is the ratio of the smaller to
        the larger of two classes afterwards; a dict of class to number of rows
        afterwards; or "minority", "not minority", "all", or a callable of `y`.
    synthesizer : DiffusionSynthesizer, default=None
        Learns the rows; if None, one with its defaults but `conditional=True`.
    random_state : int, RandomState instance or None, default=None
        Seed of the training and of the draws.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows that are added.
    synthesizer_ : DiffusionSynthesizer
        The fitted synthesizer; None if no row had to be added. It knows the classes
        by their places in sorted order.
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if all are text.

    See Also
    --------
    AugmentedClassifier : Does the same inside a classifier of scikit-learn.
    imblearn.over_sampling.SMOTENC : Interpolates between neighbours of a class.

    Notes
    -----
    Numbers, text, categories, dates and missing values keep their dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn import DiffusionOverSampler, DiffusionSynthesizer
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> y = np.repeat(["common", "rare"], [80, 20])
    >>> synthesizer = DiffusionSynthesizer(conditional=True, max_iter=50)
    >>> sampler = DiffusionOverSampler(synthesizer=synthesizer, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> print(np.unique(y_new, return_counts=True)[1])
    [80 80]
    """

    _parameter_constraints = {
        **BaseOverSampler._parameter_constraints,
        "synthesizer": [DiffusionSynthesizer, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self, *, sampling_strategy="auto", synthesizer=None, random_state=None
    ):
        self.sampling_strategy = sampling_strategy
        self.synthesizer = synthesizer
        self.random_state = random_state

    def fit_resample(self, X, y):
        """Return the rows with new ones of rare classes behind them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table. Never changed.
        y : array-like of shape (n_samples,)
            Classes, of two kinds at least.

        Returns
        -------
        X_resampled : ndarray or DataFrame of shape (n_samples_new, n_features)
            The rows of `X`, and behind them the new ones, in its container and dtypes.
        y_resampled : ndarray or Series of shape (n_samples_new,)
            Their classes.

        Raises
        ------
        ValueError
            If there is one class only, or `sampling_strategy` asks for fewer rows of a
            class than there are.
        """
        check_target_given(self, y)
        if not is_frame(X) or hasattr(X, "iloc"):
            return super().fit_resample(X, y)
        # imbalanced-learn restores pandas frames only.
        self._validate_params()
        classes = np.asarray(y)
        check_classification_targets(classes)
        X, classes, _ = self._check_X_y(X, classes)
        self.sampling_strategy_ = check_sampling_strategy(
            self.sampling_strategy, classes, self._sampling_type
        )
        X_resampled, codes = self._draw(X, classes)
        return X_resampled, append_classes(y, codes)

    def _check_X_y(self, X, y, accept_sparse=None):
        """Return a table of any dtypes, its classes, and if these were one-hot."""
        check_target_given(self, y)
        y, one_hot = check_target_type(y, indicate_one_vs_all=True)
        X = check_table(self, X, reset=True)
        check_consistent_length(X, y)
        return X, y, one_hot

    def _fit_resample(self, X, y):
        X_resampled, codes = self._draw(X, y)
        return X_resampled, append_classes(y, codes)

    def _draw(self, X, y):
        """Return the table with new rows behind it, and the codes of their classes."""
        classes, codes = np.unique(y, return_inverse=True)
        wanted = [self.sampling_strategy_.get(label, 0) for label in classes.tolist()]
        new_codes = np.repeat(np.arange(len(classes)), wanted)
        self.synthesizer_ = None
        if not len(new_codes):
            return X, new_codes
        self.synthesizer_ = make_synthesizer(
            self.synthesizer,
            self.random_state,
            conditional=True,
            name=type(self).__name__,
        ).fit(X, as_categories(codes))
        X_new, _ = self.synthesizer_.sample(
            random_state=int_seed(self.random_state), class_labels=new_codes
        )
        return append_rows(X, X_new), new_codes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
