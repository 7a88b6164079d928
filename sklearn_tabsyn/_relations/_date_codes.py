"""Weekdays and hours of dates of many values, as columns that are drawn too."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, rankdata

from sklearn_tabsyn._columns import StepColumn
from sklearn_tabsyn._relations._calendar import (
    can_have_parts,
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

    @property
    def target(self):
        """Position of what tells the part: of the code itself."""
        return self.unit

    @property
    def members(self):
        """Columns that the code stands for."""
        return self.source, self.source

    def codes(self, frame):
        """Return the codes of a frame of canonical values, NaN of unknown ones."""
        times = wall_times(self.column, frame[self.source].to_numpy(), settled=True)
        codes = part_codes(self.name, times)
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
        dates = frame[source].to_numpy()
        times = wall_times(column, dates)
        for name in NAMES:
            codes = part_codes(name, times)
            known, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
            if counts.sum() < MIN_ROWS or counts.min() < min_count:
                continue
            if (source, name) in taken or (len(known) == 1 and name in DAILY):
                continue
            others = [j for j in frame if j != source]
            if _is_uneven(name, column, codes) or any(
                _depends(codes[some], frame[j].to_numpy()[some], columns[j].kind)
                for j in others
            ):
                unit = start + len(found)
                found.append(DateCode(unit, source, name, column, known))
    return found


# Dates without a time of day all have the same.
DAILY = {"hour", "minute"}


def _is_uneven(name, column, codes):
    """Tell whether codes are less evenly spread than those of all days or times."""
    if name in DAILY:
        expected = np.full(24 if name == "hour" else 60, 1.0)
    else:
        expected = np.bincount(part_codes(name, days_of(column)).astype(int))
    codes = codes[~np.isnan(codes)].astype(int)
    counts = np.bincount(codes, minlength=len(expected))
    possible = expected > 0
    expected = expected[possible] / expected.sum() * len(codes)
    excess = ((counts[possible] - expected) ** 2 / expected).sum()
    # A few rows may fall anywhere, so each expected row counts as one at least.
    freedom = max(1, min(possible.sum(), len(codes)) - 1)
    return bool(chi2.sf(excess, freedom) < MAX_CHANCE)


def _depends(codes, values, kind):
    """Tell whether another column is not the same for all codes."""
    there = ~np.isnan(codes) & ~np.isnan(values)
    if there.sum() < MIN_ROWS:
        return False
    codes, n_codes = pd.factorize(codes[there])[0], len(np.unique(codes[there]))
    values = values[there]
    if n_codes < 2:
        return False
    if kind != "category":
        # The test of Kruskal and Wallis, which ranks of ties make a little weaker.
        ranks = rankdata(values)
        sizes = np.bincount(codes)
        means = np.bincount(codes, ranks) / sizes
        spread = ranks.var()
        if not spread:
            return False
        height = (sizes * (means - ranks.mean()) ** 2).sum() / spread
        return bool(chi2.sf(height, n_codes - 1) < MAX_CHANCE)
    levels, places = np.unique(values, return_inverse=True)
    often = np.argsort(-np.bincount(places))[: MAX_LEVELS - 1]
    rank = np.full(len(levels), len(often))
    rank[often] = np.arange(len(often))
    table = np.zeros((n_codes, rank.max() + 1))
    np.add.at(table, (codes, rank[places]), 1)
    if table.shape[1] < 2:
        return False
    return bool(chi2_contingency(table).pvalue < MAX_CHANCE)
