"""Numbers that formulas tie together, moved to where these hold.

All of them are drawn, each about as exactly as it is spread, so a ratio of two numbers
that hardly differ is far better told than these. Computed of them it would be as far
off as they are. So what is drawn is first moved by least squares, each number the less
the closer its column lies there, as measurements of a process are reconciled (Kuehn
and Davidson 1961).
"""

from typing import NamedTuple

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import units_of
from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._formulas import with_one_mixed

# Rows by which it is told how often numbers are the same. Those are moved of which at
# least this share are different, or this share of all numbers between the quartiles,
# if these are so many.
N_FEW, MIN_DISTINCT, MIN_DENSE, MIN_NUMBERS = 1_000, 0.5, 0.5, 4
# How many times farther than it varies a target is moved by other values of a source.
MIN_REACH = 2.0
# Steps of Gauss and Newton, and what is added to the diagonal of their equations.
N_STEPS, RIDGE = 3, 1e-9


class Tied(NamedTuple):
    """A number that formulas tie to others.

    Parameters
    ----------
    density : Density
        Its density, by which it is told how exactly it is drawn.
    moves : bool
        Whether it is moved. Others, such as prices of which each is that of many rows,
        take their share of an error, but stay.
    """

    density: Density
    moves: bool


class Ties(NamedTuple):
    """Formulas that numbers are moved to suit.

    Parameters
    ----------
    formulas : list of Formula
        The formulas.
    numbers : dict of int to Tied
        The numbers, by the positions of their columns.
    """

    formulas: list
    numbers: dict


def find_ties(formulas, axes, column, held, min_count=1):
    """Return what is moved to suit formulas whose sources reach too far.

    Parameters
    ----------
    formulas : list of Formula
        The formulas.
    axes : dict of int to Axis
        Positions and axes of the columns.
    column : callable
        Returns all rows of a column, by its position.
    held : set of int
        Columns that cannot be off, for others hold them.
    min_count : int, default=1
        Rows in which a value must be found to be kept.

    Returns
    -------
    ties : Ties
    """
    formulas = _tied_to_narrow(formulas, column)
    units = units_of(formulas)
    numbers = {}
    for unit in sorted(units - held):
        values, axis = column(unit), axes[unit]
        density = Density.of(values, axis.least(values), min_count)
        numbers[unit] = Tied(density, can_be_moved(values, axis))
    return Ties(formulas, numbers)


def _tied_to_narrow(formulas, column):
    """Return formulas whose targets vary far less than a source moves them.

    And those that always tie, and all that have columns with these in common.
    """
    found = [f for f in formulas if f.tied or _reach(f, column) >= MIN_REACH]
    units = units_of(found)
    while True:
        found = [formula for formula in formulas if units & units_of([formula])]
        more = units_of(found)
        if more == units:
            return found
        units = more


def _reach(formula, column):
    """Return how far a source moves the target, as a multiple of how far that varies.

    Both are medians of how far it is from that of another row, or would be with one
    source of that row.
    """
    target, *sources = (column(j) for j in (formula.target, *formula.sources))
    few = even_rows(len(target), N_FEW)
    target, sources = target[few], [source[few] for source in sources]
    mixed = np.random.default_rng(0).permutation(len(few))
    ways = [formula.made(*others) for others in with_one_mixed(sources, mixed)]
    ways = np.abs(np.array([target[mixed], *ways]) - target)
    own, *moved = np.nanmedian(ways[:, np.isfinite(ways).all(0)], axis=1)
    return max(moved) / own if own > 0 else 0.0


def can_be_moved(values, axis):
    """Tell whether a column can have other numbers than it has."""
    values = values[~np.isnan(values)]
    various = _is_various(values[even_rows(len(values), N_FEW)])
    return various or bool(axis.unit and _is_dense(values, axis.unit))


def _is_various(values):
    """Tell whether most numbers are different."""
    return len(np.unique(values)) >= MIN_DISTINCT * len(values)


def _is_dense(values, unit):
    """Tell whether most numbers between the quartiles are found."""
    low, high = np.quantile(values, [0.25, 0.75])
    n_found = len(np.unique(values[(values >= low) & (values <= high)]))
    n_numbers = 1 + (high - low) / unit
    return n_numbers >= MIN_NUMBERS and n_found >= MIN_DENSE * n_numbers


def reconciled(formulas, values, scales):
    """Return numbers for which formulas hold, as near as they can be.

    Parameters
    ----------
    formulas : list of Formula
        The formulas.
    values : dict of int to ndarray of shape (n_rows,)
        Numbers of all columns of the formulas.
    scales : dict of int to ndarray of shape (n_rows,)
        How far numbers may be off, of the columns that may be; 0 in rows where one is
        not.

    Returns
    -------
    moved : dict of int to ndarray of shape (n_rows,)
        Of these columns. Rows of which nothing comes stay.
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
