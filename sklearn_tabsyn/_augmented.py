"""A classifier and a regressor that learn from synthetic rows beside the real ones."""

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets

from sklearn_tabsyn._augmentation import Augmented
from sklearn_tabsyn._resampling import (
    append_classes,
    append_rows,
    as_categories,
    balanced_counts,
)


class AugmentedClassifier(ClassifierMixin, Augmented):
    """Fit a classifier to real rows and synthetic ones.

    The synthesizer learns only what `fit` gets, so in cross-validation no row of a
    validation fold has a part in the synthetic rows, unlike when a table is augmented
    before it is split.

    Parameters
    ----------
    estimator : classifier
        What is fitted to real and synthetic rows.
    synthesizer : DiffusionSynthesizer, default=None
        Learns the rows with their classes; if None, one with its defaults, and
        `conditional=True` if `balance`. Anything that has `fit(X, y)` and
        `sample(n_samples, random_state)`, which returns new `(X, y)`, will do.
    ratio : float, default=1.0
        Synthetic rows for each real one. One rarely helps. Where real rows are few,
        tens of thousands of synthetic ones often do, such as 60 for each of 500, as
        trees need so many to learn all that the synthesizer knows. With 0 nothing is
        done to the estimator or its data, so that a search may find that synthetic
        rows do not help.
    balance : bool, default=False
        Whether rare classes get most of the synthetic rows, so that all classes come
        out as equal as their number allows. If False, they are as frequent as among
        the real rows.
    memory : str, joblib.Memory or None, default=None
        Where to keep fitted synthesizers, so that a search over parameters of the
        estimator and over `ratio` fits each of them once.
    random_state : int, RandomState instance or None, default=None
        Seed of the synthesizer, instead of its own, and of the synthetic rows.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    synthesizer_ : DiffusionSynthesizer
        The fitted synthesizer, None if no row was drawn. It knows the classes by their
        places in sorted order.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    n_features_in_ : int
        Number of columns of `X`, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if the classifier has them.

    See Also
    --------
    AugmentedRegressor : The same for regressors.
    DiffusionOverSampler : Makes classes equally large, for imbalanced-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_tabsyn import AugmentedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> classifier = AugmentedClassifier(tree, random_state=0).fit(X, y)
    >>> classifier.estimator_.tree_.n_node_samples[0].item()
    300
    >>> classifier.score(X, y) > 0.9
    True
    """

    _parameter_constraints = {
        **Augmented._parameter_constraints,
        "balance": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        synthesizer=None,
        *,
        ratio=1.0,
        balance=False,
        memory=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.synthesizer = synthesizer
        self.ratio = ratio
        self.balance = balance
        self.memory = memory
        self.random_state = random_state

    @property
    def classes_(self):
        """The classes."""
        return self.estimator_.classes_

    def _encode_target(self, y):
        """Return the codes of the classes."""
        y = np.asarray(y)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                "y must have at least two classes; got one class, "
                f"{classes.tolist()[0]!r}."
            )
        return as_categories(codes)

    def _conditions(self, n_new, target, weights):
        if not self.balance:
            return {}
        counts = np.bincount(target, weights)
        counts = balanced_counts(counts * (len(target) / counts.sum()), n_new)
        return {"class_labels": np.repeat(np.arange(len(counts)), counts)}

    def _append_target(self, y, new_target):
        """Return the classes with those of new rows behind them."""
        return append_classes(y, np.asarray(new_target).astype(int))


class AugmentedRegressor(RegressorMixin, Augmented):
    """Fit a regressor to real rows and synthetic ones.

    The synthesizer learns only what `fit` gets, so in cross-validation no row of a
    validation fold has a part in the synthetic rows.

    Parameters
    ----------
    estimator : regressor
        What is fitted to real and synthetic rows.
    synthesizer : DiffusionSynthesizer, default=None
        Learns the rows with their targets; if None, one with its defaults. Anything
        that has `fit(X, y)` and `sample(n_samples, random_state)`, which returns new
        `(X, y)`, will do.
    ratio : float, default=1.0
        Synthetic rows for each real one. One rarely helps. Where real rows are few,
        tens of thousands of synthetic ones often do, such as 60 for each of 500, as
        trees need so many to learn all that the synthesizer knows. With 0 nothing is
        done to the estimator or its data, so that a search may find that synthetic
        rows do not help.
    memory : str, joblib.Memory or None, default=None
        Where to keep fitted synthesizers, so that a search over parameters of the
        estimator and over `ratio` fits each of them once.
    random_state : int, RandomState instance or None, default=None
        Seed of the synthesizer, instead of its own, and of the synthetic rows.

    Attributes
    ----------
    estimator_ : regressor
        The fitted regressor.
    synthesizer_ : DiffusionSynthesizer
        The fitted synthesizer, None if no row was drawn.
    n_features_in_ : int
        Number of columns of `X`, if the regressor has it.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of `X`, if the regressor has them.

    See Also
    --------
    AugmentedClassifier : The same for classifiers.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_tabsyn import AugmentedRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = AugmentedRegressor(Ridge(), random_state=0).fit(X, y)
    >>> regressor.score(X, y) > 0.4
    True
    """

    def __init__(
        self, estimator, synthesizer=None, *, ratio=1.0, memory=None, random_state=None
    ):
        self.estimator = estimator
        self.synthesizer = synthesizer
        self.ratio = ratio
        self.memory = memory
        self.random_state = random_state

    def _encode_target(self, y):
        """Return the numbers; integers of few values are no classes here."""
        return np.asarray(y, dtype=np.float64)

    def _append_target(self, y, new_target):
        """Return the numbers with those of new rows behind them."""
        if isinstance(y, pd.Series):
            return append_rows(y, pd.Series(new_target, name=y.name, dtype=y.dtype))
        y = np.asarray(y)
        return append_rows(y, np.asarray(new_target).astype(y.dtype))
