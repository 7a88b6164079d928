"""Numbers that tell the time between two dates, such as nights or days."""

from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._axes import NANOSECONDS
from sklearn_tabsyn._relations._formulas import MIN_SHARE, Formula

# What time is counted in, and its nanoseconds, of months and years on average.
UNITS = {
    "years": 365.2425 * NANOSECONDS["D"],
    "months": 365.2425 / 12 * NANOSECONDS["D"],
    "days": NANOSECONDS["D"],
    "hours": 3600 * NANOSECONDS["s"],
    "minutes": 60 * NANOSECONDS["s"],
    "seconds": NANOSECONDS["s"],
}
# Units that end at the same day as they began, how many months they have, and by what
# part of them counts may be off from what they are on average.
CALENDAR, MAX_OFF = {"years": 12, "months": 1}, 0.2
# Rows that are looked at first, and how many at least must have all three values.
N_FEW, MIN_ROWS = 150, 20
# Rows of which unrelated ones would not agree, and how many may be mistaken of as many.
MIN_TELLING, MAX_WRONG = 50, 0.05
# Part of a unit that floats may err by.
NEARLY = 1e-6


@dataclass
class Span(Formula):
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
        return self._counted(later, earlier) + self.more

    def invert(self, place, target, sources):
        """Return what a date should be, given the count and the other date."""
        sign = 1 if place == 0 else -1
        return self._moved(sources[place], sign * (target - self.made(*sources)))

    def _counted(self, later, earlier):
        """Return the time between dates."""
        counted = (later - earlier) / self.size
        return np.floor(counted + NEARLY) if self.whole else counted

    def _moved(self, dates, by):
        """Return dates moved by so much."""
        return dates + by * self.size


@dataclass
class CalendarSpan(Span):
    """The same of whole years or months: an age is one year more at each birthday.

    Parameters
    ----------
    origin, tick : int
        Nanoseconds, since 1970, at which the axis of the dates is 0, and of its unit.
    """

    origin: int = 0
    tick: int = 1

    def _counted(self, later, earlier):
        pair = later, earlier
        (months, rest), (before, rest_before) = (self._months(part) for part in pair)
        counted = (months - before - (rest < rest_before)) // CALENDAR[self.unit]
        return np.where(np.isnan(later + earlier), np.nan, counted)

    def _moved(self, dates, by):
        months, rest = self._months(dates)
        there = ~np.isnan(dates + by)
        shift = CALENDAR[self.unit] * np.where(there, by, 0).astype(np.int64)
        start, end = (
            (months + shift + n).astype("M8[M]").astype("M8[ns]") for n in (0, 1)
        )
        day = np.timedelta64(1, "D")
        # There may be no such day in this month.
        rest = rest % day + np.minimum(rest // day, (end - start) // day - 1) * day
        moved = ((start + rest).astype(np.int64) - self.origin) / self.tick
        return np.where(there, moved, np.nan)

    def _months(self, dates):
        """Return the months of dates since 1970, and the time since they began."""
        steps = np.where(np.isnan(dates), 0, dates).astype(np.int64)
        times = (self.origin + steps * self.tick).astype("M8[ns]")
        months = times.astype("M8[M]")
        return months.astype(np.int64), times - months.astype("M8[ns]")


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
            for place, make in _seeming(numbers, *pair, dates[later]):
                target = list(axes)[place]
                span = make(target, later, earlier)
                known, axis = (few[target], *pair), axes[target]
                seems = target not in found and _learn_more(span, known, axis)
                if seems and _is_always(span, column, axis):
                    found[target] = span
    return list(found.values())


def _seeming(numbers, later, earlier, axis):
    """Yield places of what may count a time in a few rows, and how it is made.

    Up to how it is rounded.
    """
    for unit in UNITS:
        size = UNITS[unit] / axis.tick
        left = numbers - ((later - earlier) / size)[:, None]
        width = np.fmax.reduce(left, 0) - np.fmin.reduce(left, 0)
        off = MAX_OFF if unit in CALENDAR else NEARLY
        for place in np.flatnonzero(width <= 1 + off):
            how = {"unit": unit, "size": size}
            if unit in CALENDAR:
                how |= {"origin": _origin(axis), "tick": axis.tick}
                yield place, partial(CalendarSpan, whole=True, **how)
                continue
            for whole in (False, True):
                yield place, partial(Span, whole=whole, **how)


def _origin(axis):
    """Return the nanoseconds, since 1970, at which an axis of dates is 0."""
    unit, _ = np.datetime_data(np.dtype(axis.column.unit))
    return int(axis.column.lowest) * NANOSECONDS[unit] - int(axis.offset) * axis.tick


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
