"""Columns that tell a part of a date of many values, such as its weekday or hour."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_tabsyn._columns import StepColumn
from sklearn_tabsyn._relations._axes import NANOSECONDS
from sklearn_tabsyn._relations._chains import OneSource
from sklearn_tabsyn._relations._functions import Function, is_confirmed
from sklearn_tabsyn._relations._wishes import is_crossed, nearest_agreeing

DAY = 86_400
# Days from the first to the last date up to which all are looked at.
MAX_DAYS = 100_000
# Parts of a day among others, and of a time of day with the seconds it lasts.
DAY_PARTS = {
    "year": lambda days: days.year,
    "quarter": lambda days: days.quarter,
    "month": lambda days: days.month,
    "week": lambda days: days.isocalendar().week,
    "day of the month": lambda days: days.day,
    "day of the week": lambda days: days.day_of_week,
    "day of the year": lambda days: days.day_of_year,
    "month and day": lambda days: 100 * days.month + days.day,
}
CLOCK_PARTS = {
    "hour": (3_600, lambda times: times.hour),
    "minute": (60, lambda times: times.minute),
    "second": (1, lambda times: times.second),
    "hour and minute": (60, lambda times: 60 * times.hour + times.minute),
}


@dataclass
class Part(OneSource):
    """Column `target` is determined by a part of the date in column `source`.

    Both are drawn, for of a date of many values the network learns about where it is,
    not its weekday. So the date gives way: it is moved to the nearest one that has the
    parts that were drawn beside it.

    Parameters
    ----------
    name : str
        The part, a key of `DAY_PARTS` or `CLOCK_PARTS`.
    column : StepColumn
        Schema of the source.
    function : Function
        What the part makes the target.
    """

    name: str
    column: StepColumn
    function: Function

    @property
    def target(self):
        """Position of the column that tells the part."""
        return self.function.target

    @property
    def source(self):
        """Position of the date."""
        return self.function.source

    @property
    def crossed(self):
        """Whether a date that is about right is not enough to make its target."""
        on_clock = self.name in CLOCK_PARTS
        return on_clock or is_crossed(self.made(days_of(self.column)))

    def codes(self, dates):
        """Return the part of canonical dates, NaN of missing ones."""
        return codes_of(self.name, self.column, dates)

    def made(self, times):
        """Return the targets of times; NaN where nothing is known."""
        unknown = np.full(len(times), np.nan)
        return self.function.predict(part_codes(self.name, times), unknown)


def find_parts(columns, frame, some, sources, targets, min_count=1):
    """Return the columns that tell parts of dates.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search; what is found must hold in all.
    sources, targets : list of int
        Positions of numbers of many values, of which dates are taken, and of what may
        tell a part of them.
    min_count : int, default=1
        Rows in which each value of a part must be found.

    Returns
    -------
    parts : list of Part
        At most one for each target, by the part of fewest values.
    """
    found, sources = {}, [j for j in sources if can_have_parts(columns[j])]
    if not sources:
        return []
    levels = {j: pd.factorize(frame[j].to_numpy()[some])[0] for j in targets}
    for source in sources:
        column = columns[source]
        times = wall_times(column, frame[source].to_numpy())
        codes = {name: part_codes(name, times) for name in (*DAY_PARTS, *CLOCK_PARTS)}
        counts = {
            name: np.unique(part[~np.isnan(part)], return_counts=True)[1]
            for name, part in codes.items()
        }
        for name in sorted(codes, key=lambda name: len(counts[name])):
            if len(counts[name]) < 2 or counts[name].min() < min_count:
                continue
            few = pd.factorize(codes[name][some])[0]
            for target in targets:
                if target in found or not is_confirmed(few, levels[target]):
                    continue
                pair = {target: frame[target], source: pd.Series(codes[name])}
                function = Function.of(target, source, pair)
                if function is not None:
                    found[target] = Part(name, column, function)
    return list(found.values())


def dates_with_parts(dates, parts, wished):
    """Return the canonical dates nearest to others that have the parts wished for.

    Parameters
    ----------
    dates : ndarray of shape (n_rows,), dtype float64
        Canonical dates, none missing.
    parts : list of Part or DateCode
        Parts of one column of dates.
    wished : list of ndarray of shape (n_rows,)
        Targets of each.
    """
    column, dates = parts[0].column, _with_parts(dates, parts, wished)
    week = _steps_in(column, 7 * DAY)
    for move in (week, -week):
        # On some days no clock shows what is wished for: while it is put forward.
        times = wall_times(column, dates)
        unknown = [np.isnan(part.made(times)) for part in parts]
        rows = (unknown & ~np.isnan(wished)).any(0)
        if rows.any():
            some = [wish[rows] for wish in wished]
            dates[rows] = _with_parts(dates[rows] + move, parts, some)
    return dates


def _with_parts(dates, parts, wished):
    """Return the same, but for hours that some days do not have."""
    column, pairs = parts[0].column, list(zip(parts, wished, strict=True))
    by_day = [pair for pair in pairs if pair[0].name in DAY_PARTS]
    by_clock = [pair for pair in pairs if pair[0].name in CLOCK_PARTS]
    dates = _moved(column, dates, by_day, days_of(column), DAY)
    tick = min((CLOCK_PARTS[part.name][0] for part, _ in by_clock), default=DAY)
    clock = pd.DatetimeIndex(np.arange(0, DAY, tick).astype("M8[s]"))
    for _ in range(2):  # the clock may have been put forward meanwhile
        dates = _moved(column, dates, by_clock, clock, tick)
    return dates


def codes_of(name, column, dates):
    """Return a part of canonical dates, as they will be rounded; NaN if missing."""
    return part_codes(name, wall_times(column, column.settle(dates)))


def wall_times(column, dates):
    """Return what calendar and clock show at canonical dates; NaT if missing."""
    there = ~np.isnan(dates)
    steps = np.where(there, dates, 0).astype(np.int64)
    moments = (column.lowest + column.step * steps).view(column.unit)
    moments = np.where(there, moments, np.array("NaT", column.unit))
    times = pd.DatetimeIndex(moments)
    dtype = getattr(column.dtype, "pyarrow_dtype", column.dtype)
    zone = column.zone or getattr(dtype, "tz", None)
    if zone is not None:
        times = times.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return times


def _moved(column, dates, pairs, table, tick):
    """Return dates moved to those times of a table, `tick` seconds apart, that agree.

    The table has all days, or all times of any day. `pairs` are parts and wishes.
    """
    dates = column.settle(dates)
    if not pairs:
        return dates
    times = wall_times(column, dates)
    start = table[0] if tick == DAY else times.normalize()
    places = ((times - start) // pd.Timedelta(tick, "s")).to_numpy()
    places = places.clip(0, len(table) - 1)
    made = [part.made(table) for part, _ in pairs]
    steps = nearest_agreeing(made, [wish for _, wish in pairs], places) - places
    return column.settle(dates + _steps_in(column, steps * tick))


def _steps_in(column, seconds):
    """Return how many steps of a column so many seconds are."""
    unit = np.datetime_data(np.dtype(column.unit))[0]
    return seconds * NANOSECONDS["s"] / (column.step * NANOSECONDS[unit])


def part_codes(name, times):
    """Return a part of times as numbers."""
    part = DAY_PARTS[name] if name in DAY_PARTS else CLOCK_PARTS[name][1]
    codes = np.asarray(part(times), dtype=np.float64)
    return np.where(times.isna(), np.nan, codes)


def can_have_parts(column):
    """Tell whether a column has dates, of not too many days to look at all."""
    if not isinstance(column, StepColumn) or column.unit[0] != "M":
        return False
    return column.lowest is not None and len(days_of(column)) <= MAX_DAYS


def days_of(column):
    """Return all days from the first to the last date of a column."""
    ends = wall_times(column, np.array([0.0, column.n_steps])).normalize()
    return pd.date_range(*ends, freq="D")
