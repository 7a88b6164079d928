"""A picture of single columns."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_scalar

from sklearn_tabsyn.inspection._display import SamplesDisplay
from sklearn_tabsyn.inspection._figures import (
    REAL,
    SYNTHETIC,
    add_legend,
    clear_frame,
    get_axes,
    set_dates,
    set_names,
    set_numbers,
    set_title,
    short,
)
from sklearn_tabsyn.inspection._scales import cut_column
from sklearn_tabsyn.metrics._alike import place_of, read_alike
from sklearn_tabsyn.metrics._shape import shapes

GRID_COLUMNS = 4
PANEL = (3.0, 2.1)


class Marginal(NamedTuple):
    """The distribution of one column in both tables.

    Parameters
    ----------
    name : object
        Name of the column.
    kind : {"number", "date", "category"}
        What the bins are made of. Durations are numbers of days.
    edges : ndarray of shape (n_bins + 1,) or None
        Ends of the bins of numbers, and of dates in days since 1970. The outer bins
        also hold what lies beyond them.
    labels : list of str or None
        Names of the bars of a category.
    real, synthetic : ndarray of shape (n_bins,)
        Share of each bin among the cells that are there; of a category among all.
    missing : list of float
        Share of missing cells in the real and in the synthetic table.
    error : float
        The :func:`~sklearn_tabsyn.metrics.shape_errors` of the column.
    """

    name: Any
    kind: str
    edges: Any
    labels: Any
    real: Any
    synthetic: Any
    missing: list
    error: float


class MarginalsDisplay(SamplesDisplay):
    """The distribution of each column, real and synthetic.

    Made by :meth:`from_samples` or :meth:`from_estimator`. Numbers and dates are cut in
    the same bins, which the real table decides, and categories are bars.

    Parameters
    ----------
    marginals : list of Marginal
        The columns that are shown.
    n_features : int
        Number of columns of the tables.

    Attributes
    ----------
    figure_ : Figure
        The figure, after :meth:`plot`.
    axes_ : ndarray of Axes of shape (n_shown,)
        One for each column, after :meth:`plot`.

    See Also
    --------
    TrendDisplay : The error of each pair of columns.
    sklearn_tabsyn.metrics.shape_errors : The figure beside the name of each column.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import MarginalsDisplay
    >>> real, synthetic = np.random.default_rng(0).normal(size=(2, 500, 3))
    >>> display = MarginalsDisplay.from_samples(real, synthetic)
    >>> display.marginals[0].name
    'x0'
    >>> bool(np.isclose(display.marginals[0].synthetic.sum(), 1))
    True
    """

    def __init__(self, marginals, n_features):
        self.marginals = marginals
        self.n_features = n_features

    @classmethod
    def from_samples(
        cls,
        real,
        synthetic,
        *,
        columns=None,
        max_columns=24,
        max_levels=8,
        n_bins="auto",
        categorical_features="from_dtype",
    ):
        """Compare the columns of a real and a synthetic table.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_samples, n_features)
            The real table, which decides what is a number, a date or a category.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            The synthetic table. Frames are matched by column names, arrays by position.
        columns : list of str or int, default=None
            Names or positions of the columns to show, in this order; all if None.
        max_columns : int, default=24
            Of more columns only those with the largest shape error are shown, and the
            picture says so.
        max_levels : int, default=8
            Bars of a category; rarer levels share one more.
        n_bins : int or "auto", default="auto"
            About how many bins numbers and dates are cut in. "auto" takes up to 30,
            fewer for small tables.
        categorical_features : "from_dtype", array-like or None, default="from_dtype"
            Names, positions or a mask of numbers that are categories.

        Returns
        -------
        display : MarginalsDisplay
            The display.

        Raises
        ------
        ValueError
            If a table is empty, holds infinite numbers, the columns are not the same or
            unknown, or a parameter is out of its range.
        """
        check_scalar(max_columns, "max_columns", int, min_val=1)
        check_scalar(max_levels, "max_levels", int, min_val=1)
        tables = {"real": real, "synthetic": synthetic}
        alike = read_alike(categorical_features=categorical_features, **tables)
        return cls._from_alike(alike, columns, max_columns, max_levels, n_bins)

    @classmethod
    def _from_alike(
        cls, alike, columns, max_columns, max_levels=8, n_bins="auto", worst_first=False
    ):
        """Return the display of columns that were read alike."""
        shown = alike if columns is None else [pick(alike, c) for c in columns]
        n_bins = bins_for(alike, n_bins)
        errors = shapes(shown).to_numpy()
        places = np.arange(len(shown))
        if len(shown) > max_columns or worst_first:
            places = np.argsort(-errors, kind="stable")[:max_columns]
        marginals = []
        for j in places:
            cut = cut_column(shown[j], n_bins, max_levels)
            shares, error = cut.shares(), float(errors[j])
            parts = (cut.name, cut.kind, cut.edges, cut.labels, *shares, cut.missing)
            marginals.append(Marginal(*parts, error))
        return cls(marginals, len(shown))

    def plot(self, ax=None):
        """Draw the columns.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            One for each column. If None, a grid in a new figure.

        Returns
        -------
        self : MarginalsDisplay
            The display, with `axes_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` holds another number of axes.
        """
        n_columns = min(GRID_COLUMNS, len(self.marginals))
        self.axes_ = get_axes(ax, len(self.marginals), n_columns, PANEL)
        self.figure_ = self.axes_[0].figure
        for panel, marginal in zip(self.axes_, self.marginals, strict=True):
            draw = _draw_bars if marginal.kind == "category" else _draw_bins
            draw(panel, marginal)
            set_title(panel, marginal.name, f"{marginal.error:.3f}")
        if ax is None:
            self._explain()
        return self

    def _explain(self):
        """Say what the colours mean and which columns are left out."""
        add_legend(self.figure_, _legend_handles())
        text = "beside each name: its shape error"
        if len(self.marginals) < self.n_features:
            n_shown = len(self.marginals)
            text = f"the {n_shown} worst of {self.n_features} columns; {text}"
        self.figure_.supxlabel(text, fontsize=9, x=0.01, ha="left")


def pick(alike, column):
    """Return a column by name or position."""
    return alike[place_of([c.name for c in alike], column, "columns")]


def bins_for(alike, n_bins, most=30):
    """Return the number of bins, by the number of real rows if it is "auto"."""
    if n_bins == "auto":
        return int(np.clip(2 * len(alike[0].values[0]) ** (1 / 3), 8, most))
    check_scalar(n_bins, "n_bins", int, min_val=1)
    return n_bins


def _legend_handles():
    from matplotlib.patches import Patch

    real = Patch(color=REAL, alpha=0.45, label="real")
    return [real, Patch(fill=False, edgecolor=SYNTHETIC, lw=1.8, label="synthetic")]


def _draw_bins(ax, marginal):
    """Draw two histograms over the same bins."""
    ax.stairs(marginal.real, marginal.edges, fill=True, color=REAL, alpha=0.45)
    ax.stairs(marginal.synthetic, marginal.edges, color=SYNTHETIC, lw=1.8)
    ax.set_yticks([])
    ax.margins(x=0.01)
    clear_frame(ax, "left")
    if marginal.kind == "date":
        set_dates(ax.xaxis)
    else:
        set_numbers(ax.xaxis)
    ax.tick_params(axis="x", labelsize=8)
    if any(marginal.missing):
        text = "missing {:.1%}, synthetic {:.1%}".format(*marginal.missing)
        ax.set_xlabel(text, fontsize=8)


def _draw_bars(ax, marginal):
    """Draw a pair of bars for each level."""
    places = np.arange(len(marginal.labels))
    style = {"height": 0.4, "align": "edge"}
    ax.barh(places - 0.4, marginal.real, color=REAL, alpha=0.45, **style)
    ax.barh(
        places, marginal.synthetic, fill=False, edgecolor=SYNTHETIC, lw=1.4, **style
    )
    names = [short(label, 16) for label in marginal.labels]
    set_names(ax.yaxis, places, names, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)
    ax.invert_yaxis()
    set_numbers(ax.xaxis)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    clear_frame(ax)
