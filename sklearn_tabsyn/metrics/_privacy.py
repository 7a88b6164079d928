"""Whether synthetic rows give training rows away."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_scalar

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._gower import GowerSpace, thin


def dcr_share(
    real,
    synthetic,
    holdout,
    *,
    max_rows=3000,
    max_references=50_000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Return the share of synthetic rows nearer to training rows than to held-out rows.

    For each synthetic row the distance to the closest record (DCR) among the training
    rows is compared with that among as many held-out rows; ties count half. Distances
    are Gower's: the mean over columns of the difference in units of the real range or,
    of categories, of whether they differ.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The training rows, which decide what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    holdout : array-like or DataFrame of shape (n_holdout, n_features)
        Real rows of the same kind that the synthesizer has not seen. Of the larger of
        both real tables as many rows are used, chosen at random, as the smaller has,
        so with few held-out rows most copies go unseen.
    max_rows : int, default=3000
        No more synthetic rows than this are looked at, chosen at random.
    max_references : int, default=50_000
        No more training rows, and as many held-out rows, are searched for the nearest,
        chosen at random. Of copies of the training rows only those of the rows that are
        searched are found, so in larger tables a smaller share.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    share : float
        About 0.5 if training rows are not copied, near 1 if they are.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same, or a
        parameter is out of its range.

    See Also
    --------
    membership_inference_auc : Whether training rows can be told from held-out ones.

    References
    ----------
    Platzer and Reutterer (2021). Holdout-based empirical assessment of mixed-type
    synthetic data. Frontiers in Big Data.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import dcr_share
    >>> real, holdout = np.random.default_rng(0).normal(size=(2, 500, 3))
    >>> dcr_share(real, real, holdout)
    1.0
    """
    check_scalar(max_rows, "max_rows", int, min_val=1)
    check_scalar(max_references, "max_references", int, min_val=1)
    tables = {"real": real, "synthetic": synthetic, "holdout": holdout}
    columns = read_alike(categorical_features=categorical_features, **tables)
    space = GowerSpace(columns)
    random = np.random.default_rng(seed_sequence(random_state))
    real, synthetic, holdout = space.tables
    n_rows = min(max_references, real.shape[1], holdout.shape[1])
    rows = thin(synthetic, max_rows, random)
    from_real, from_holdout = (
        space.nearest(rows, thin(cells, n_rows, random))[1] for cells in (real, holdout)
    )
    ties = from_real == from_holdout
    return float((from_real < from_holdout).mean() + ties.mean() / 2)


def membership_inference_auc(
    real,
    synthetic,
    holdout,
    *,
    max_rows=3000,
    max_references=50_000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Return how well training rows can be told from held-out rows.

    An attacker has the synthetic rows, and takes a row for a training row if one of
    them is near. Returned is the area under the ROC curve of that guess. Distances are
    Gower's, as for :func:`dcr_share`.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The training rows, which decide what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    holdout : array-like or DataFrame of shape (n_holdout, n_features)
        Real rows of the same kind that the synthesizer has not seen.
    max_rows : int, default=3000
        No more rows of `real` and of `holdout` are guessed, chosen at random.
    max_references : int, default=50_000
        No more synthetic rows are searched for the nearest, chosen at random. Of a
        larger table the attacker misses copies among the other rows.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    auc : float
        About 0.5 if the rows cannot be told apart, 1 if all can.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same, or a
        parameter is out of its range.

    See Also
    --------
    dcr_share : Whether synthetic rows are near to training rows.

    References
    ----------
    Chen, Yu, Zhang and Fritz (2020). GAN-Leaks: a taxonomy of membership inference
    attacks against generative models. CCS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import membership_inference_auc
    >>> real, holdout = np.random.default_rng(0).normal(size=(2, 500, 3))
    >>> membership_inference_auc(real, real, holdout)
    1.0
    """
    check_scalar(max_rows, "max_rows", int, min_val=1)
    check_scalar(max_references, "max_references", int, min_val=1)
    tables = {"real": real, "synthetic": synthetic, "holdout": holdout}
    columns = read_alike(categorical_features=categorical_features, **tables)
    space = GowerSpace(columns)
    random = np.random.default_rng(seed_sequence(random_state))
    real, synthetic, holdout = space.tables
    rows = [thin(cells, max_rows, random) for cells in (real, holdout)]
    references = thin(synthetic, max_references, random)
    _, distances = space.nearest(np.hstack(rows), references)
    is_member = np.arange(len(distances)) < rows[0].shape[1]
    return float(roc_auc_score(is_member, -distances))
