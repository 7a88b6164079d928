"""Whether synthetic rows lie where real ones do, and the other way around."""

import numpy as np
from sklearn.utils import check_scalar

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._gower import GowerSpace, thin


def alpha_precision(real, synthetic, *, categorical_features="from_dtype"):
    """Return how typical of the real table synthetic rows are.

    Balls around the center of the real rows stand for its more and more typical parts.
    A faithful table has in each ball the share of rows that the real one has. Returned
    is 1 - 2 m, with m the mean over the balls through each real row of the absolute
    difference of the two shares, and 0 if that is negative. Without ties this is the
    integrated alpha-precision. Distances are Gower's: numbers and dates in units of
    the real range, from the median; of categories 1 minus the real share of the level.

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
    precision : float
        From 0, all synthetic rows far out or all in the center, to 1. More is better.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, or the columns are not the same.

    See Also
    --------
    beta_recall : Whether all kinds of real rows are drawn.

    References
    ----------
    Alaa, van Breugel, Saveliev and van der Schaar (2022). How faithful is your
    synthetic data? ICML. They first map rows to a ball by a neural network; here
    distances are those of the rows themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import alpha_precision
    >>> real, alike = np.random.default_rng(0).normal(size=(2, 1000, 3))
    >>> alpha_precision(real, alike) > 0.9
    True
    >>> alpha_precision(real, 10 * alike) < 0.2
    True
    """
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    space = GowerSpace(columns)
    radii, distances = space.from_center(*space.tables)
    return _agreement(radii, _share_within(distances, radii))


def beta_recall(
    real,
    synthetic,
    *,
    n_neighbors=5,
    max_rows=3000,
    categorical_features="from_dtype",
    random_state=None,
):
    """Return how well synthetic rows cover the real ones.

    Balls around the center of the synthetic rows stand for its more and more typical
    parts. A real row is covered by a part if its nearest synthetic row belongs to it
    and is no farther away than the row's `n_neighbors`-th nearest other real row. A
    table that leaves nothing out covers by each part the share of real rows that the
    part has of synthetic rows. Returned is 1 - 2 m, with m the mean over the balls
    through each synthetic row of the absolute difference of the two shares, and 0 if
    that is negative. Distances are Gower's, as for :func:`alpha_precision`. Rows of
    the same distribution get about 1 - 1 / 2 ** n_neighbors in few dimensions, and
    less in many; see :func:`anchors`.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_samples, n_features)
        The real table, which decides what is a number, a date or a category.
    synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
        The synthetic table. Frames are matched by column names, arrays by position.
    n_neighbors : int, default=5
        Which neighbour sets the radius of a real row; the last if there are fewer.
    max_rows : int, default=3000
        As many rows are compared as both tables have, chosen at random, but no more.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Names, positions or a mask of numbers that are categories.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows.

    Returns
    -------
    recall : float
        From 0, nothing real covered, to 1. More is better.

    Raises
    ------
    ValueError
        If a table is empty, holds infinite numbers, the columns are not the same, or
        there is only one row.

    See Also
    --------
    alpha_precision : Whether all synthetic rows are realistic.

    References
    ----------
    Alaa, van Breugel, Saveliev and van der Schaar (2022). How faithful is your
    synthetic data? ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.metrics import beta_recall
    >>> real, alike = np.random.default_rng(0).normal(size=(2, 500, 2))
    >>> beta_recall(real, alike) > 0.8
    True
    >>> beta_recall(real, alike[:, :1] * [1, 0]) < 0.3
    True
    """
    check_scalar(n_neighbors, "n_neighbors", int, min_val=1)
    check_scalar(max_rows, "max_rows", int, min_val=2)
    tables = {"real": real, "synthetic": synthetic}
    columns = read_alike(categorical_features=categorical_features, **tables)
    space = GowerSpace(columns)
    n_rows = min(max_rows, *(cells.shape[1] for cells in space.tables))
    if n_rows < 2:
        raise ValueError("beta_recall needs at least 2 rows of each table; found 1.")
    random = np.random.default_rng(seed_sequence(random_state))
    real, synthetic = (thin(cells, n_rows, random) for cells in space.tables)
    radii, _ = space.from_center(synthetic, real)
    places, gaps = space.nearest(real, synthetic)
    covered = gaps <= space.radii(real, min(n_neighbors, n_rows - 1))
    # A row that is not covered is covered by no ball.
    needed = np.where(covered, radii[places], np.inf)
    return _agreement(radii, _share_within(needed, radii))


def _agreement(radii, shares):
    """Return 1 - 2 m for the shares of rows in balls of radii of the other rows."""
    error = np.abs(shares - _share_within(radii, radii)).mean()
    return float(max(0.0, 1 - 2 * error))


def _share_within(distances, radii):
    """Return for each radius the share of distances that do not exceed it."""
    places = np.searchsorted(np.sort(distances), radii, side="right")
    return places / len(distances)
