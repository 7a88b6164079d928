"""Numbers that formulas tie together, moved to where these hold.

All of them are drawn, each about as exactly as it is spread, so a ratio of two numbers
that hardly differ is far better told than these. Computed of them it would be as far
off as they are. So what is drawn is first moved by least squares, each number the less
the closer its column lies there, as measurements of a process are reconciled (Kuehn
and Davidson 1961).
"""

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._density import Density

# Rows by which it is told how often numbers are the same; of those that are moved at
# least this share are different.
N_FEW, MIN_DISTINCT = 1_000, 0.5
# Steps of Gauss and Newton, and what is added to the diagonal of their equations.
N_STEPS, RIDGE = 3, 1e-9


def find_movable(formulas, axes, column, held):
    """Return the densities of the numbers that may be moved to suit formulas.

    Parameters
    ----------
    formulas : list of Formula
        The formulas.
    axes : dict of int to Axis
        Positions and axes of the columns.
    column : callable
        Returns all rows of a column, by its position.
    held : set of int
        Columns that are not moved.

    Returns
    -------
    movable : dict of int to Density
    """
    units = {j for formula in formulas for j in (formula.target, *formula.sources)}
    movable = {}
    for unit in sorted(units - held):
        values, axis = column(unit), axes[unit]
        some = values[even_rows(len(values), N_FEW)]
        some = some[~np.isnan(some)]
        if not axis.few and len(np.unique(some)) >= MIN_DISTINCT * len(some):
            size = np.nanmax(np.abs(values))
            least = max(axis.unit, 8 * axis.eps * size, 1e-300)
            movable[unit] = Density.of(values, least)
    return movable


def reconciled(formulas, values, scales):
    """Return numbers for which formulas hold, as near as they can be.

    Parameters
    ----------
    formulas : list of Formula
        The formulas.
    values : dict of int to ndarray of shape (n_rows,)
        Numbers of all columns of the formulas.
    scales : dict of int to ndarray of shape (n_rows,)
        How far numbers may be off, of the columns that are moved; 0 in rows where one
        is not.

    Returns
    -------
    moved : dict of int to ndarray of shape (n_rows,)
        Of the columns that are moved. Rows of which nothing comes stay.
    """
    units = list(scales)
    variances = np.square(np.stack([scales[j] for j in units], 1))
    values = dict(values)
    with np.errstate(all="ignore"):
        for _ in range(N_STEPS):
            errors, slopes = _linearised(formulas, values, units)
            steps = _least_steps(errors, slopes, variances)
            for unit, step in zip(units, steps.T, strict=True):
                values[unit] = values[unit] - step
    return {unit: values[unit] for unit in units}


def _linearised(formulas, values, units):
    """Return how far targets are off, (n, m), and the slopes of this, (n, m, n_units).

    Both are 0 in rows where a formula makes nothing.
    """
    n_rows = len(values[units[0]])
    errors = np.zeros((n_rows, len(formulas)))
    slopes = np.zeros((n_rows, len(formulas), len(units)))
    places = {unit: place for place, unit in enumerate(units)}
    for i, formula in enumerate(formulas):
        sources = [values[unit] for unit in formula.sources]
        errors[:, i] = values[formula.target] - formula.made(*sources)
        if formula.target in places:
            slopes[:, i, places[formula.target]] = 1.0
        for unit, slope in zip(formula.sources, formula.slopes(*sources), strict=True):
            if unit in places:
                slopes[:, i, places[unit]] -= slope
    nothing = ~(np.isfinite(errors) & np.isfinite(slopes).all(2))
    errors[nothing], slopes[nothing] = 0.0, 0.0
    return errors, slopes


def _least_steps(errors, slopes, variances):
    """Return the steps, (n, n_units), that take errors away and are the likeliest."""
    spread = slopes * variances[:, None]
    normal = spread @ slopes.transpose(0, 2, 1)
    size = np.sqrt(np.einsum("nii->ni", normal))
    size = np.where(size > 0, size, np.inf)  # nothing of this formula is moved
    normal = normal / size[:, :, None] / size[:, None]
    np.einsum("nii->ni", normal)[:] += RIDGE
    normal = normal + (size == np.inf)[:, None] * np.eye(size.shape[1])
    forces = np.linalg.solve(normal, (errors / size)[..., None])[..., 0] / size
    return np.einsum("nmu,nm->nu", spread, forces)
