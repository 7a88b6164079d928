"""Whether a classifier can tell synthetic rows from real ones."""

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import check_scalar

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._learners import (
    code_matrices,
    on_flat_features,
    tree_categories,
)


def detection_auc(
    real,
    synthetic,
    *,
    classifier="boosted",
    n_splits=3,
    categorical_features="from_dtype",
    random_state=None,
):
    """Return how well a classifier tells synthetic rows from real ones.

    The area under the ROC curve of predictions for rows that the classifier was not
    trained on (classifier two-sample test). Of the larger table as many rows are used,
    chosen at random, as the smaller has.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    classifier : {"boosted", "logistic"} or classifier, default="boosted"
        "boosted" trees see dependence of any kind, and missing cells; "logistic"
        regression sees little but shifts of single columns. A classifier of your own
        gets what the latter gets: scaled numbers with gaps filled and marked, and
        one-hot categories.
    n_splits : int, default=3
        Number of folds; each is predicted by a classifier trained on the others.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows, the folds and the named classifiers.

    Returns
    -------
    auc : float
        0.5 if the tables cannot be told apart, 1 if all rows can. Below 0.5 by chance,
        or because the same rows are in both tables.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same,
        there are fewer rows than folds, or a parameter is out of its range.

    See Also
    --------
    utility : Whether synthetic rows teach a model as real ones do.

    References
    ----------
    Lopez-Paz and Oquab (2017). Revisiting classifier two-sample tests. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import detection_auc
    >>> real, alike = np.random.default_rng(0).normal(size=(2, 300, 2))
    >>> detection_auc(real, alike + [0, 3], random_state=0) > 0.9
    True
    """
    check_scalar(n_splits, "n_splits", int, min_val=2)
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    random = np.random.default_rng(seed_sequence(random_state))
    X, is_synthetic = _balanced(code_matrices(columns), n_splits, random)
    seed = int(random.integers(2**31))
    model = _classifier(classifier, columns, X, seed)
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    proba = hasattr(model, "predict_proba")
    method = "predict_proba" if proba else "decision_function"
    scores = cross_val_predict(model, X, is_synthetic, cv=folds, method=method)
    return float(roc_auc_score(is_synthetic, scores[:, 1] if proba else scores))


def _balanced(matrices, n_splits, random):
    """Return as many rows of both tables, and which are synthetic."""
    n_rows = min(map(len, matrices))
    if n_rows < n_splits:
        raise ValueError(
            f"detection_auc needs at least n_splits={n_splits} rows of each table; "
            f"found {n_rows}. Give more rows, or lower n_splits to 2."
        )
    rows = [random.permutation(len(matrix))[:n_rows] for matrix in matrices]
    parts = [matrix[places] for matrix, places in zip(matrices, rows, strict=True)]
    return np.vstack(parts), np.repeat([False, True], n_rows)


def _classifier(classifier, columns, X, seed):
    """Return a classifier of the rows of a code matrix."""
    if isinstance(classifier, str) and classifier == "boosted":
        return HistGradientBoostingClassifier(
            learning_rate=0.2,
            max_iter=150,
            max_leaf_nodes=63,
            early_stopping=False,
            categorical_features=tree_categories(columns, [X]),
            random_state=seed,
        )
    if isinstance(classifier, str) and classifier == "logistic":
        return on_flat_features(LogisticRegression(max_iter=1000), columns)
    if not hasattr(classifier, "fit"):
        raise ValueError(
            "classifier must be 'boosted', 'logistic' or a classifier; got "
            f"{classifier!r}."
        )
    return on_flat_features(clone(classifier), columns)
