"""Weekdays and hours of dates of many values, as columns that are drawn too."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, entropy, rankdata

from sklearn_tabsyn._columns import StepColumn
from sklearn_tabsyn._relations._calendar import (
    CLOCK_PARTS,
    can_have_parts,
    codes_of,
    days_of,
    part_codes,
    wall_times,
)

# The parts of dates that matter beside about where they are.
NAMES = ["day of the month", "day of the week", "hour", "minute"]
# A part matters if it were so unevenly spread, or had so much to do with another
# column, by chance with at most this probability; of so many rows at least.
MAX_CHANCE, MIN_ROWS = 1e-9, 100
# Levels of a name that are compared with the codes, the others taken together.
MAX_LEVELS = 20
# Rows for each value of a column that may tell codes already, and the share of their
# entropy that it leaves then at most.
MIN_TELLING, MAX_LEFT = 10, 0.5


@dataclass
class DateCode:
    """A part of a date, told as if it stood in a further column of the table.

    The date moves to the nearest that has the part drawn beside it. So new dates have
    the weekdays and hours of the old ones, and these have to do with other columns what
    they had: most payments are made at the first of a month, and nights are cold.

    Parameters
    ----------
    unit : int
        Position of the code, behind all columns of the table.
    source : int
        Position of the date.
    name : str
        The part.
    column : StepColumn
        Schema of the date.
    known : ndarray of shape (n_codes,), dtype float64
        The codes that there are.
    """

    unit: int
    source: int
    name: str
    column: StepColumn
    known: np.ndarray

    crossed = True
    tells_gaps = False

    @property
    def target(self):
        """Position of what tells the part: of the code itself."""
        return self.unit

    @property
    def members(self):
        """Columns that the code stands for."""
        # Twice, for a slot of one column alone would be that of the column itself.
        return self.source, self.source

    def codes(self, frame):
        """Return the codes of a frame of canonical values, NaN of unknown ones."""
        codes = codes_of(self.name, self.column, frame[self.source].to_numpy())
        return np.where(np.isin(codes, self.known), codes, np.nan)

    def made(self, times):
        """Return the codes of times."""
        return part_codes(self.name, times)


def find_date_codes(columns, frame, some, sources, taken, start, min_count=1):
    """Return the codes of dates whose weekdays or hours matter.

    Parameters
    ----------
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search.
    sources : list of int
        Positions of numbers of many values, of which dates are taken.
    taken : set of (int, str)
        Dates and their parts that columns of the table tell already.
    start : int
        Position of the first code.
    min_count : int, default=1
        Rows in which each code must be found.

    Returns
    -------
    codes : list of DateCode
    """
    found = []
    for source in sources:
        column = columns[source]
        if not can_have_parts(column):
            continue
        times = wall_times(column, frame[source].to_numpy())
        here = some[~times[some].isna()]
        others = [(frame[j].to_numpy(), columns[j].kind) for j in frame if j != source]
        for name in NAMES:
            if (source, name) in taken:
                continue
            codes = part_codes(name, times)
            known, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
            few = counts.sum() < MIN_ROWS or counts.min() < min_count
            if not few and _matters(name, column, times, codes, here, others):
                unit = start + len(found)
                found.append(DateCode(unit, source, name, column, known))
    return found


def _matters(name, column, times, codes, rows, others):
    """Tell whether a part of dates says something that nothing else does."""
    on_clock = name in CLOCK_PARTS
    if on_clock and len(np.unique(codes[rows])) == 1:
        return False  # dates without a time of day
    if any(_tells(codes[rows], values[rows]) for values, _ in others):
        return False
    if _is_uneven(name, column, times, codes):
        return True
    # What belongs to a day is the same in all its rows: each day counts once.
    rows = rows if on_clock else _one_a_day(times, rows)
    return any(_depends(codes[rows], values[rows], kind) for values, kind in others)


def _one_a_day(times, rows):
    """Return the first of some rows of each day."""
    return rows[np.unique(times[rows].normalize(), return_index=True)[1]]


def _is_uneven(name, column, times, codes):
    """Tell whether codes are less evenly spread than those of all days or times."""
    codes = codes[~np.isnan(codes)].astype(int)
    if name in CLOCK_PARTS:
        counts = np.bincount(codes, minlength=24 if name == "hour" else 60)
        expected = len(codes) / len(counts)
        excess = ((counts - expected) ** 2 / expected).sum()
        # A few rows may fall anywhere.
        freedom = max(1, min(len(counts), len(codes)) - 1)
        return bool(chi2.sf(excess, freedom) < MAX_CHANCE)
    days = days_of(column)
    places = (times[~times.isna()].normalize() - days[0]).days.to_numpy()
    counts = np.bincount(places.clip(0, len(days) - 1), minlength=len(days))
    return _differ(part_codes(name, days), counts)


def _tells(codes, values):
    """Tell whether another column of few values tells most of the codes.

    Two columns that say the same are drawn away from where they are.
    """
    levels, places = np.unique(values[~np.isnan(values)], return_inverse=True)
    if len(levels) < 2 or MIN_TELLING * len(levels) > len(places):
        return False
    codes = pd.factorize(codes[~np.isnan(values)])[0]
    table = np.zeros((len(levels), codes.max() + 1))
    np.add.at(table, (places, codes), 1)
    left = entropy(table, axis=1) @ table.sum(1) / table.sum()
    return bool(left <= MAX_LEFT * entropy(table.sum(0)))


def _depends(codes, values, kind):
    """Tell whether another column is not the same for all codes."""
    there = ~np.isnan(values)
    codes, values = codes[there], values[there]
    if there.sum() < MIN_ROWS:
        return False
    if kind != "category":
        return _differ(codes, values)
    levels, places = np.unique(values, return_inverse=True)
    often = np.argsort(-np.bincount(places))[: MAX_LEVELS - 1]
    rank = np.full(len(levels), len(often))
    rank[often] = np.arange(len(often))
    places, codes = rank[places], pd.factorize(codes)[0]
    table = np.zeros((codes.max() + 1, places.max() + 1))
    np.add.at(table, (codes, places), 1)
    table = table[:, table.any(0)]
    return min(table.shape) > 1 and bool(chi2_contingency(table).pvalue < MAX_CHANCE)


def _differ(codes, values):
    """Tell whether numbers differ between codes, by the test of Kruskal and Wallis."""
    codes, ranks = pd.factorize(codes)[0], rankdata(values)
    sizes = np.bincount(codes)
    if len(sizes) < 2 or not ranks.std():
        return False
    means = np.bincount(codes, ranks) / sizes
    height = (sizes * (means - ranks.mean()) ** 2).sum() / ranks.var()
    return bool(chi2.sf(height, len(sizes) - 1) < MAX_CHANCE)
