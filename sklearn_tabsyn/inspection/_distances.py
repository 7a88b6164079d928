"""A picture of how near rows are to the training rows."""

import numpy as np
from sklearn.utils import check_scalar

from sklearn_tabsyn._seeds import seed_sequence
from sklearn_tabsyn.inspection._figures import (
    REAL,
    SYNTHETIC,
    clear_frame,
    get_axes,
    set_title,
)
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._drawn import draw_table
from sklearn_tabsyn.metrics._gower import GowerSpace, thin

PANEL = (5.4, 3.2)
# Beyond this quantile the tail of the distances is one bin.
TAIL = 0.99


class DistanceDisplay:
    """The distance to the closest training row, of synthetic and of held-out rows.

    Made by :meth:`from_samples` or :meth:`from_estimator`. Rows that the synthesizer
    has not seen show how near new rows come by themselves. Synthetic rows that are
    nearer give training rows away. Distances are Gower's, as for
    :func:`~sklearn_tabsyn.metrics.dcr_share`.

    Parameters
    ----------
    synthetic : ndarray of shape (n_synthetic,)
        Distance of each synthetic row to the closest training row.
    holdout : ndarray of shape (n_holdout,)
        The same of each held-out row.

    Attributes
    ----------
    figure_ : Figure
        The figure, after :meth:`plot`.
    ax_ : Axes
        The axes, after :meth:`plot`.

    See Also
    --------
    sklearn_tabsyn.metrics.dcr_share : The same question as one figure.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import DistanceDisplay
    >>> real, holdout = np.random.default_rng(0).normal(size=(2, 300, 3))
    >>> display = DistanceDisplay.from_samples(real, real, holdout)
    >>> display.identical_shares()
    (1.0, 0.0)
    """

    def __init__(self, synthetic, holdout):
        self.synthetic = synthetic
        self.holdout = holdout

    @classmethod
    def from_samples(
        cls,
        real,
        synthetic,
        holdout,
        *,
        max_rows=3000,
        categorical_features="from_dtype",
        random_state=0,
    ):
        """Measure the distances of synthetic and held-out rows.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_samples, n_features)
            The training rows, which decide what is a number, a date or a category.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            The synthetic table. Frames are matched by column names, arrays by position.
        holdout : array-like or DataFrame of shape (n_holdout, n_features)
            Real rows of the same kind that the synthesizer has not seen.
        max_rows : int, default=3000
            No more rows of `synthetic` and of `holdout` are looked at, chosen at
            random.
        categorical_features : "from_dtype", array-like or None, default="from_dtype"
            Names, positions or a mask of numbers that are categories.
        random_state : int, RandomState instance or None, default=0
            Seed of the choice of rows.

        Returns
        -------
        display : DistanceDisplay
            The display.

        Raises
        ------
        ValueError
            If a table is empty, holds infinite numbers, or the columns are not the
            same.
        """
        check_scalar(max_rows, "max_rows", int, min_val=1)
        tables = {"real": real, "synthetic": synthetic, "holdout": holdout}
        columns = read_alike(categorical_features=categorical_features, **tables)
        space = GowerSpace(columns)
        random = np.random.default_rng(seed_sequence(random_state))
        real, *others = space.tables
        rows = (thin(cells, max_rows, random) for cells in others)
        return cls(*(space.nearest(cells, real)[1] for cells in rows))

    @classmethod
    def from_estimator(
        cls, estimator, X, holdout, *, n_samples=None, random_state=0, **params
    ):
        """Draw rows of a fitted synthesizer, and measure their distances.

        Parameters
        ----------
        estimator : estimator
            A fitted synthesizer. Of one that was fitted with a target, the target is
            left out.
        X : array-like or DataFrame of shape (n_samples, n_features)
            The table it was fitted with.
        holdout : array-like or DataFrame of shape (n_holdout, n_features)
            Real rows of the same kind that it has not seen.
        n_samples : int, default=None
            Number of rows to draw; as many as `X` has if None.
        random_state : int, default=0
            Seed of the rows, and of the choice among them.
        **params : dict
            Parameters of :meth:`from_samples`.

        Returns
        -------
        display : DistanceDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator has no `sample`.
        """
        how = {"n_samples": n_samples, "random_state": random_state}
        real, synthetic, known = draw_table(estimator, X, **how)
        params = {"random_state": random_state, **known, **params}
        # Of an array the drawn frame has names of its own.
        holdout = np.asarray(holdout) if isinstance(X, np.ndarray) else holdout
        return cls.from_samples(real, synthetic, holdout, **params)

    def identical_shares(self):
        """Return the share of rows that equal a training row in every column.

        Returns
        -------
        synthetic, holdout : float
            The shares among synthetic and among held-out rows.
        """
        return float((self.synthetic == 0).mean()), float((self.holdout == 0).mean())

    def plot(self, ax=None, *, n_bins=40):
        """Draw both histograms.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw. If None, a new figure.
        n_bins : int, default=40
            Number of bins. The last one also holds the tail.

        Returns
        -------
        self : DistanceDisplay
            The display, with `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_scalar(n_bins, "n_bins", int, min_val=1)
        (self.ax_,) = get_axes(ax, 1, 1, PANEL)
        self.figure_ = self.ax_.figure
        both = (self.holdout, self.synthetic)
        end = max(np.quantile(distances, TAIL) for distances in both) or 1.0
        edges = np.linspace(0, end, n_bins + 1)
        styles = (
            {"fill": True, "color": REAL, "alpha": 0.45, "label": "held-out rows"},
            {"color": SYNTHETIC, "lw": 1.8, "label": "synthetic rows"},
        )
        for distances, style in zip(both, styles, strict=True):
            counts, _ = np.histogram(distances.clip(max=end), edges)
            self.ax_.stairs(counts / len(distances), edges, **style)
        set_title(self.ax_, "Distance to the closest training row", length=50)
        self.ax_.set(xlabel="Gower distance", ylabel="share of rows")
        self.ax_.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        self.ax_.margins(x=0.01)
        self.ax_.legend(frameon=False)
        clear_frame(self.ax_)
        return self
