"""A picture of two columns together."""

import numpy as np
from sklearn.utils import check_scalar

from sklearn_tabsyn.inspection._display import SamplesDisplay
from sklearn_tabsyn.inspection._figures import (
    SHARES,
    get_axes,
    set_dates,
    set_names,
    set_numbers,
    set_title,
    short,
)
from sklearn_tabsyn.inspection._marginals import bins_for, pick
from sklearn_tabsyn.inspection._scales import cut_column
from sklearn_tabsyn.metrics._alike import read_alike
from sklearn_tabsyn.metrics._trend import trends

PANEL = (3.4, 3.1)


class JointDisplay(SamplesDisplay):
    """The joint distribution of two columns, real and synthetic side by side.

    Made by :meth:`from_samples` or :meth:`from_estimator`. Both tables are cut in the
    same bins and have the same colours.

    Parameters
    ----------
    x, y : CutColumn
        What lies along the axes: `name`, `kind`, and the `edges` of bins or the
        `labels` of bars.
    real, synthetic : ndarray of shape (n_bins_of_y, n_bins_of_x)
        Share of each cell among the rows that have both.
    error : float
        The :func:`~sklearn_tabsyn.metrics.trend_errors` of the pair.

    Attributes
    ----------
    figure_ : Figure
        The figure, after :meth:`plot`.
    axes_ : ndarray of Axes of shape (2,)
        Real and synthetic, after :meth:`plot`.

    See Also
    --------
    TrendDisplay : The error of all pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tabsyn.inspection import JointDisplay
    >>> real = np.random.default_rng(0).normal(size=(500, 1)) * [1, 1]
    >>> synthetic = real * [1, -1]
    >>> display = JointDisplay.from_samples(real, synthetic, columns=["x0", "x1"])
    >>> round(display.error, 3)
    1.0
    """

    def __init__(self, x, y, real, synthetic, error):
        self.x = x
        self.y = y
        self.real = real
        self.synthetic = synthetic
        self.error = error

    @classmethod
    def from_samples(
        cls,
        real,
        synthetic,
        *,
        columns=None,
        max_levels=12,
        n_bins="auto",
        categorical_features="from_dtype",
    ):
        """Compare two columns of a real and a synthetic table.

        Parameters
        ----------
        real : array-like or DataFrame of shape (n_samples, n_features)
            The real table, which decides what is a number, a date or a category.
        synthetic : array-like or DataFrame of shape (n_synthetic, n_features)
            The synthetic table. Frames are matched by column names, arrays by position.
        columns : list of two str or int, default=None
            Names or positions; the pair with the largest trend error if None.
        max_levels : int, default=12
            Levels of a category; rarer ones share one more.
        n_bins : int or "auto", default="auto"
            About how many bins numbers and dates are cut in. "auto" takes up to 24,
            fewer for small tables.
        categorical_features : "from_dtype", array-like or None, default="from_dtype"
            Names, positions or a mask of numbers that are categories.

        Returns
        -------
        display : JointDisplay
            The display.

        Raises
        ------
        ValueError
            If a table is empty, holds infinite numbers, the columns are not the same,
            not two or unknown, or a parameter is out of its range.
        """
        check_scalar(max_levels, "max_levels", int, min_val=1)
        tables = {"real": real, "synthetic": synthetic}
        alike = read_alike(categorical_features=categorical_features, **tables)
        if columns is None:
            pair = [alike[place] for place in _worst_pair(alike)]
        elif len(columns) == 2:
            pair = [pick(alike, column) for column in columns]
        else:
            raise ValueError(f"columns must be two; got {columns!r}.")
        return cls._from_alike(pair, max_levels, n_bins)

    @classmethod
    def _from_alike(cls, pair, max_levels=12, n_bins="auto"):
        """Return the display of two columns that were read alike."""
        n_bins = bins_for(pair, n_bins, most=24)
        # Names need the room beside the panel rather than below it.
        pair = sorted(pair, key=lambda column: column.is_category)
        x, y = (cut_column(column, n_bins, max_levels) for column in pair)
        joint = [_shares(x, y, table) for table in (0, 1)]
        return cls(x, y, *joint, float(trends(pair).iat[0, 1]))

    def plot(self, ax=None, *, cmap=SHARES):
        """Draw both tables.

        Parameters
        ----------
        ax : array of Axes of shape (2,), default=None
            Where to draw the real and the synthetic table. If None, a new figure.
        cmap : str or Colormap, default="YlGnBu"
            The colours. They follow the root of the share, so that rare cells show.

        Returns
        -------
        self : JointDisplay
            The display, with `axes_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` does not hold two axes.
        """
        self.axes_ = get_axes(ax, 2, 2, PANEL)
        self.figure_ = self.axes_[0].figure
        from matplotlib.colors import PowerNorm

        norm = PowerNorm(0.5, 0, max(self.real.max(), self.synthetic.max()) or 1)
        x, y = map(_ends, (self.x, self.y))
        tables = {"real": self.real, "synthetic": self.synthetic}
        for panel, (name, table) in zip(self.axes_, tables.items(), strict=True):
            cells = np.ma.masked_equal(table, 0)
            image = panel.pcolormesh(x, y, cells, cmap=cmap, norm=norm)
            _name_axis(panel.xaxis, self.x)
            _name_axis(panel.yaxis, self.y)
            if self.y.kind == "category":
                panel.invert_yaxis()
            set_title(panel, name)
        if ax is None:  # beside each other, so one scale will do
            self.axes_[1].tick_params(labelleft=False)
            self.axes_[1].set_ylabel("")
        bar = self.figure_.colorbar(image, ax=list(self.axes_), aspect=25)
        bar.ax.yaxis.set_major_formatter(lambda share, _: f"{share:.1%}")
        bar.ax.tick_params(labelsize=8)
        text = f"share of rows; trend error {self.error:.3f}"
        bar.set_label(text, fontsize=9)
        return self


def _worst_pair(alike):
    """Return the places of the two columns with the largest trend error."""
    if len(alike) < 2:
        raise ValueError("A pair needs tables of at least 2 columns; found 1.")
    errors = trends(alike).to_numpy()
    return np.unravel_index(np.nanargmax(errors), errors.shape)


def _shares(x, y, table):
    """Return the share of each cell, one row for each bin of y."""
    rows, columns = y.codes[table], x.codes[table]
    both = (rows >= 0) & (columns >= 0)
    cells = rows[both] * x.n_bins + columns[both]
    counts = np.bincount(cells, minlength=x.n_bins * y.n_bins)
    return counts.reshape(y.n_bins, x.n_bins) / max(1, len(cells))


def _ends(column):
    """Return the ends of the cells along an axis."""
    if column.edges is not None:
        return column.edges
    return np.arange(column.n_bins + 1) - 0.5


def _name_axis(axis, column):
    """Name an axis and what lies along it."""
    name = short(column.name, 30)
    if column.kind != "category" and any(column.missing):
        name += "\nmissing {:.1%}, synthetic {:.1%}".format(*column.missing)
    axis.set_label_text(name, parse_math=False, fontsize=9)
    axis.set_tick_params(labelsize=8)
    if column.kind == "date":
        set_dates(axis)
    elif column.kind == "number":
        set_numbers(axis)
    else:
        upright = 90 * (axis.axis_name == "x")
        names = [short(label, 16) for label in column.labels]
        set_names(axis, range(column.n_bins), names, fontsize=8, rotation=upright)
