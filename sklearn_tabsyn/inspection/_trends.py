"""A picture of the errors of all pairs of columns."""

import numpy as np

from sklearn_tabsyn.inspection._display import SamplesDisplay
from sklearn_tabsyn.inspection._figures import ERRORS, get_axes, set_names, short
from sklearn_tabsyn.metrics._trend import trend_errors

# Inches for each column, so that its name can be read, and for the names themselves.
CELL, NAMES = 0.17, 1.9
LEAST, MOST = 4.2, 14.0


class TrendDisplay(SamplesDisplay):
    """How far the dependence of each pair of columns is from the real one.

    Made by :meth:`from_samples` or :meth:`from_estimator`.

    Parameters
    ----------
    errors : DataFrame of shape (n_features, n_features)
        The :func:`~sklearn_tabsyn.metrics.trend_errors`.

    Attributes
    ----------
    figure_ : Figure
        The figure, after :meth:`plot`.
    ax_ : Axes
        The axes, after :meth:`plot`.

    See Also
    --------
    JointDisplay : The joint distribution of one pair of columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import TrendDisplay
    >>> real, synthetic = np.random.default_rng(0).normal(size=(2, 500, 3))
    >>> display = TrendDisplay.from_samples(real, synthetic)
    >>> bool(display.errors.loc["x0", "x1"] < 0.1)
    True
    """

    def __init__(self, errors):
        self.errors = errors

    @classmethod
    def from_samples(
        cls, real, synthetic, *, n_bins=10, categorical_features="from_dtype"
    ):
        """Compare the pairs of columns of a real and a synthetic table.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_samples, n_features)
            The real table, which decides what is a number, a date or a category.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            The synthetic table. Frames are matched by column names, arrays by position.
        n_bins : int, default=10
            Number of bins of numbers and dates beside categories.
        categorical_features : "from_dtype", array-like or None, default="from_dtype"
            Names, positions or a mask of numbers that are categories.

        Returns
        -------
        display : TrendDisplay
            The display.

        Raises
        ------
        ValueError
            As :func:`~sklearn_tabsyn.metrics.trend_errors` does.
        """
        how = {"n_bins": n_bins, "categorical_features": categorical_features}
        return cls(trend_errors(real, synthetic, **how))

    def plot(self, ax=None, *, vmax=None, cmap=ERRORS):
        """Draw the heat map.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw. If None, a new figure that grows with the columns.
        vmax : float, default=None
            The error of the darkest colour. If None, the largest, but at least 0.1, so
            that small errors do not look large.
        cmap : str or Colormap, default="magma_r"
            The colours.

        Returns
        -------
        self : TrendDisplay
            The display, with `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        errors = self.errors.to_numpy()
        side = heat_map_side(len(errors))
        (self.ax_,) = get_axes(ax, 1, 1, (side + 0.9, side - 0.4))
        self.figure_ = self.ax_.figure
        if vmax is None:
            vmax = max(0.1, np.nanmax(errors))
        image = self.ax_.imshow(errors, cmap=cmap, vmin=0, vmax=vmax)
        bar = self.figure_.colorbar(image, ax=self.ax_, shrink=0.6, aspect=25, pad=0.01)
        bar.set_label("trend error", fontsize=9)
        bar.ax.tick_params(labelsize=8)
        self._name_columns()
        return self

    def _name_columns(self):
        """Name each column, or every few of very many."""
        n_columns = len(self.errors)
        step = -(-n_columns // int((MOST - NAMES) / CELL))
        places = np.arange(0, n_columns, step)
        names = [short(self.errors.columns[j], 20) for j in places]
        size = 9 if n_columns <= 15 else 7.5
        set_names(self.ax_.xaxis, places, names, rotation=90, fontsize=size)
        set_names(self.ax_.yaxis, places, names, fontsize=size)
        self.ax_.tick_params(length=0)
        for spine in self.ax_.spines.values():
            spine.set_visible(False)


def heat_map_side(n_columns):
    """Return the side in inches that gives all names room."""
    return float(np.clip(NAMES + CELL * n_columns, LEAST, MOST))
