"""Whether synthetic rows teach a model as real ones do."""

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import r2_score, roc_auc_score

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._learners import (
    code_matrices,
    on_flat_features,
    tree_categories,
)


def utility(
    real,
    synthetic,
    target,
    *,
    estimator=None,
    categorical_features="from_dtype",
    random_state=None,
):
    """Return how well a model trained on synthetic rows predicts real ones.

    Text, booleans and other categories, and integers with up to 32 distinct values in
    the real table, are classes. The model is then judged by the area under the ROC
    curve, of each real class against all others, averaged; a class that was not among
    the synthetic rows counts as 0.5. Other targets are numbers, judged by the R^2.
    Rows without a target are left out.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        Real rows that the synthesizer has not seen. They decide what is a number, a
        date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
        The more rows it has, the better is what they teach, up to tens of thousands.
    target : str or int
        The column to predict, by name or position.
    estimator : classifier or regressor, default=None
        If None, boosted trees. Any other gets scaled numbers with gaps filled and
        marked, and one-hot categories; a classifier must have `predict_proba`.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=None
        Seed of the boosted trees.

    Returns
    -------
    score : float
        The AUC, 0.5 by chance and at most 1, or the R^2, 0 for a constant prediction
        and at most 1. More is better; compare with training on real rows.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same, the
        target is unknown, or the tables have no two rows with different targets.

    See Also
    --------
    detection_auc : Whether synthetic rows can be told from real ones.

    References
    ----------
    Esteban, Hyland and Rätsch (2017). Real-valued (medical) time series generation
    with recurrent conditional GANs. They call it "train on synthetic, test on real".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import utility
    >>> real, synthetic = np.random.default_rng(0).normal(size=(2, 300, 2))
    >>> for X in (real, synthetic):
    ...     X[:, 1] += 5 * X[:, 0]
    >>> utility(real, synthetic, target=1) > 0.9
    True
    """
    tables = {"real": real, "synthetic": synthetic}
    how = {"categorical_features": categorical_features, "target": target}
    columns = read_alike(**how, **tables)
    y = next(column for column in columns if column.is_target)
    columns = [column for column in columns if column is not y]
    if not columns:
        raise ValueError("utility predicts the target from other columns; found none.")
    keep = [~gaps for gaps in y.absent()]
    targets = [cells[rows] for cells, rows in zip(y.values, keep, strict=True)]
    _check_targets(y, targets)
    matrices = code_matrices(columns)
    categories = tree_categories(columns, matrices)
    real, synthetic = (m[rows] for m, rows in zip(matrices, keep, strict=True))
    if estimator is not None:
        model = on_flat_features(clone(estimator), columns)
    else:
        trees = HistGradientBoostingRegressor
        trees = HistGradientBoostingClassifier if y.is_category else trees
        seed = seed_sequence(random_state).generate_state(1)[0]
        how = {"categorical_features": categories, "random_state": int(seed)}
        model = trees(max_iter=200, **how)
    judge = _class_auc if y.is_category else _r2
    return judge(model, synthetic, targets[1], real, targets[0])


def _check_targets(column, targets):
    """Refuse targets from which nothing can be learned or judged."""
    for name, cells in zip(("real", "synthetic"), targets, strict=True):
        enough = 2 if name == "real" else 1
        n_distinct = len(np.unique(cells))
        if n_distinct < enough:
            raise ValueError(
                f"The target {column.name!r} must have at least {enough} distinct "
                f"value(s) in {name}; found {n_distinct}. Give more rows, or predict "
                "another column."
            )


def _class_auc(model, X, y, rows, truth):
    """Return the mean AUC of each real class against all others."""
    classes = np.unique(y)
    if len(classes) == 1:
        return 0.5  # nothing to learn
    proba = model.fit(X, y).predict_proba(rows)
    by_class = dict(zip(classes, proba.T, strict=True))
    unknown = np.zeros(len(rows))
    aucs = [roc_auc_score(truth == c, by_class.get(c, unknown)) for c in set(truth)]
    return float(np.mean(aucs))


def _r2(model, X, y, rows, truth):
    return float(r2_score(truth, model.fit(X, y).predict(rows)))
