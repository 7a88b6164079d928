"""Numbers that tell the time between two dates, such as nights or days."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._axes import NANOSECONDS

# What time is counted in, and its nanoseconds.
UNITS = {
    "days": NANOSECONDS["D"],
    "hours": 3600 * NANOSECONDS["s"],
    "minutes": 60 * NANOSECONDS["s"],
    "seconds": NANOSECONDS["s"],
}
# Rows that are looked at first, how many at least must have all three values, and the
# share of all of them in which a count must be right: a few may be mistaken.
N_FEW, MIN_ROWS, MIN_SHARE = 150, 20, 0.995
# Rows of which unrelated ones would not agree, and how many may be mistaken of as many.
MIN_TELLING, MAX_WRONG = 50, 0.05
# Part of a unit that floats may err by.
NEARLY = 1e-6


@dataclass
class Span:
    """Column `target` counts the time from date `earlier` to date `later`.

    Parameters
    ----------
    target, later, earlier : int
        Positions of the columns.
    unit : str
        What is counted, a key of `UNITS`.
    size : float
        How long that is on the axis of the dates.
    whole : bool
        Whether only whole units count.
    more : float, default=0.0
        What is counted beside, as 1 if both the first and the last day are.
    share : float, default=1.0
        Share of the rows where it is right; new rows all are.
    """

    target: int
    later: int
    earlier: int
    unit: str
    size: float
    whole: bool
    more: float = 0.0
    share: float = 1.0

    @property
    def sources(self):
        """Positions of the dates."""
        return self.later, self.earlier

    def made(self, later, earlier):
        """Return what the target should be, before it is rounded."""
        counted = (later - earlier) / self.size
        if self.whole:
            counted = np.floor(counted + NEARLY)
        return counted + self.more


def find_spans(families, column, made, n_rows):
    """Return the numbers that tell the time between two dates.

    Parameters
    ----------
    families : list of dict of int to Axis
        Positions and axes of the columns: numbers first, dates among the others.
    column : callable
        Returns all rows of a column, by its position.
    made : set of int
        Positions of numbers that are made of others already.
    n_rows : int
        Number of rows.

    Returns
    -------
    spans : list of Span
        At most one for each target.
    """
    found, some = {}, even_rows(n_rows, N_FEW)
    axes = {j: axis for j, axis in families[0].items() if j not in made}
    for family in families[1:]:
        dates = {j: axis for j, axis in family.items() if axis.column.unit[0] == "M"}
        if len(dates) < 2 or not axes:
            continue
        few = {j: column(j)[some] for j in [*axes, *dates]}
        numbers = np.stack([few[j] for j in axes], 1)
        for later, earlier in permutations(dates, 2):
            pair = few[later], few[earlier]
            for place, *how in _seeming(numbers, *pair, dates[later].tick):
                target = list(axes)[place]
                span = Span(target, later, earlier, *how)
                known, axis = (few[target], *pair), axes[target]
                seems = target not in found and _learn_more(span, known, axis)
                if seems and _is_always(span, column, axis):
                    found[target] = span
    return list(found.values())


def _seeming(numbers, later, earlier, tick):
    """Yield places, units, sizes and if whole of what may count a time in a few rows.

    Up to how it is rounded.
    """
    for unit in UNITS:
        size = UNITS[unit] / tick
        left = numbers - ((later - earlier) / size)[:, None]
        width = np.fmax.reduce(left, 0) - np.fmin.reduce(left, 0)
        for place in np.flatnonzero(width <= 1 + NEARLY):
            yield place, unit, size, False
            yield place, unit, size, True


def _learn_more(span, parts, axis):
    """Learn what is counted beside; tell whether a span holds in a few rows."""
    target, *dates = parts
    left = target - axis.round(span.made(*dates))
    left = left[~np.isnan(left)]
    if len(left) < MIN_ROWS:
        return False
    span.more = float(np.round(np.median(left)))
    return _share(span, parts, axis) == 1


def _share(span, parts, axis):
    """Return the share of the rows with three values in which a span holds."""
    target, *dates = parts
    left = target - axis.round(span.made(*dates))
    return float(np.mean(np.abs(left[~np.isnan(left)]) <= NEARLY))


def _is_always(span, column, axis):
    """Tell whether a span holds in all rows but for a few, and that is not by chance.

    Learns the share of these rows.
    """
    parts = [column(unit) for unit in (span.target, *span.sources)]
    target, *dates = (part[~np.isnan(parts).any(axis=0)] for part in parts)
    span.share = _share(span, (target, *dates), axis)
    mixed = np.random.default_rng(0).permutation(target)
    telling = 1 - _share(span, (mixed, *dates), axis)
    wrong = 1 - span.share
    few_are_wrong = wrong <= min(1 - MIN_SHARE, MAX_WRONG * telling)
    return telling * len(target) >= MIN_TELLING and few_are_wrong
