"""Figures, colours and labels that all pictures share."""

import numpy as np

# Blue and vermilion of Okabe and Ito, which all colour vision tells apart.
REAL, SYNTHETIC = "#0072B2", "#D55E00"
FADED = "#5F6670"
SHARES = "YlGnBu"
ERRORS = "magma_r"


def import_pyplot():
    """Return matplotlib's pyplot, or say how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Pictures need matplotlib; run pip install "sklearn-tabsyn[plot]".'
        ) from error
    return plt


def has_matplotlib():
    """Tell whether pictures can be drawn."""
    try:
        import_pyplot()
    except ImportError:
        return False
    return True


def get_axes(ax, n_panels, n_columns, panel_size):
    """Return axes to draw on, one for each panel.

    Parameters
    ----------
    ax : Axes, array of Axes or None
        Axes of the caller. If None, a grid in a new figure.
    n_panels : int
        Number of panels.
    n_columns : int
        Columns of the grid.
    panel_size : tuple of float
        Width and height of each panel in inches.

    Returns
    -------
    axes : ndarray of Axes of shape (n_panels,)
        The axes.
    """
    if ax is not None:
        axes = np.array(ax, dtype=object).ravel()
        if len(axes) == n_panels:
            return axes
        raise ValueError(
            f"This picture has {n_panels} panels, so ax must hold as many axes; got "
            f"{len(axes)}. Leave ax out to draw them in a figure of their own."
        )
    n_rows = -(-n_panels // n_columns)
    width, height = panel_size
    size = (width * n_columns, height * n_rows + 0.4)
    figure = import_pyplot().figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.08)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for spare in axes[n_panels:]:
        spare.remove()
    return axes[:n_panels]


def short(name, length=22):
    """Return a name as text of one line, cut if it is long."""
    text = " ".join(str(name).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def set_title(ax, name, note="", length=22):
    """Title a panel by a name, taken literally, with a note beside it."""
    style = {"parse_math": False, "fontsize": 10}
    ax.set_title(short(name, length), loc="left", fontweight="bold", **style)
    ax.set_title(note, loc="right", color=FADED, **style)


def set_names(axis, places, names, **style):
    """Label places of an axis by names, taken literally."""
    axis.set_ticks(places, names, parse_math=False, **style)


def set_dates(axis):
    """Label an axis of days since 1970 by dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=4)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))


def set_numbers(axis):
    """Label an axis of numbers sparsely, so that long ones do not meet."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(4))


def clear_frame(ax, *sides):
    """Hide sides of the frame of a panel."""
    for side in ("top", "right", *sides):
        ax.spines[side].set_visible(False)


def add_legend(figure, handles):
    """Put the names of the two tables above all panels."""
    style = {"frameon": False, "ncols": len(handles)}
    names = [handle.get_label() for handle in handles]
    figure.legend(handles, names, loc="outside upper left", **style)
