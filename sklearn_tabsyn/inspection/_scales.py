"""Columns of tables cut for pictures: numbers and dates in bins, names in bars."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tabsyn._columns import FloatColumn

# If the tails are long, this share of rows at either end lies in the outer bins.
TAIL = 0.005
# Days from 1970 to the ends of the calendar, with room for the margins of a picture.
CALENDAR = (-719_162 + 3_660, 2_932_896 - 3_660)
DAYS_PER_YEAR = 365.2425


@dataclass
class CutColumn:
    """A column of several tables, cut in bins of the first table.

    Parameters
    ----------
    name : object
        Name of the column.
    kind : {"number", "date", "category"}
        What the bins are made of. Durations are numbers of days.
    codes : list of ndarray
        For each table the bin of each row, -1 of missing numbers and dates.
    edges : ndarray or None
        Ends of the bins of numbers, and of dates in days since 1970. The outer bins
        also hold all that lies beyond them.
    labels : list of str or None
        Names of the bars of a category.
    missing : list of float
        The share of rows of each table that are missing.
    """

    name: Any
    kind: str
    codes: list
    edges: Any
    labels: Any
    missing: list

    @property
    def n_bins(self):
        """Number of bins or bars."""
        return len(self.labels) if self.edges is None else len(self.edges) - 1

    def shares(self):
        """Return for each table the share of each bin among rows that have one."""
        counts = [np.bincount(c[c >= 0], minlength=self.n_bins) for c in self.codes]
        return [count / max(1, count.sum()) for count in counts]


def cut_column(column, n_bins, max_levels):
    """Return a column that was read alike, cut in bins or bars.

    Parameters
    ----------
    column : AlikeColumn
        The column.
    n_bins : int
        About how many bins numbers and dates are cut in.
    max_levels : int
        Bars of a category; the rarer levels of the first table share one more.
    """
    missing = [float(gaps.mean()) for gaps in column.absent()]
    if column.is_category:
        codes, labels = _bars(column, max_levels)
        return CutColumn(column.name, "category", codes, None, labels, missing)
    values, kind, quantum = _to_scale(column.schema, column.values)
    edges = _edges(values[0][~np.isnan(values[0])], n_bins, quantum)
    codes = [
        np.where(np.isnan(v), -1, np.searchsorted(edges[1:-1], v, side="right"))
        for v in values
    ]
    return CutColumn(column.name, kind, codes, edges, None, missing)


def _to_scale(schema, values):
    """Return cells as numbers or days, their kind, and the step between them."""
    if isinstance(schema, FloatColumn):
        rounded = schema.decimals is not None
        step = max(1, schema.step) / 10.0**schema.decimals if rounded else None
        return values, "number", step
    code, low = schema.unit[0], schema.lowest or 0
    unit = 10.0**-schema.decimals
    if code in "mM":
        unit = np.timedelta64(1, schema.unit[3:-1]) / np.timedelta64(1, "D")
    values = [(low + cells * schema.step) * unit for cells in values]
    step = schema.step * unit
    if code != "M":
        return values, "number", step
    ends = np.concatenate(values)
    ends = ends[~np.isnan(ends)]
    if np.all((CALENDAR[0] < ends) & (ends < CALENDAR[1])):
        return values, "date", step
    return [1970 + v / DAYS_PER_YEAR for v in values], "number", None


def _edges(present, n_bins, quantum):
    """Return the ends of bins of equal width; whole steps, if there are any."""
    low, high = _range(present)
    if low == high:
        half = (quantum or max(1.0, abs(low) * 1e-3)) / 2
        return low + half * np.array([-3, -1, 1, 3])
    if quantum is None:
        return np.linspace(low, high, n_bins + 1)
    n_steps = max(1, np.rint((high - low) / quantum)) + 1
    width = quantum * np.ceil(n_steps / n_bins)
    n_bins = int(np.ceil(n_steps * quantum / width))
    return low - quantum / 2 + width * np.arange(n_bins + 1)


def _range(present):
    """Return the ends of the values, without tails that are long and thin."""
    if not len(present):
        return 0.0, 0.0
    ends = present.min(), present.max()
    inner = np.quantile(present, [TAIL, 1 - TAIL], method="nearest")
    if inner[0] == inner[1] or np.ptp(ends) <= 2 * np.ptp(inner):
        return ends
    return tuple(inner)


def _bars(column, max_levels):
    """Return the bar of each cell, and the names of the bars."""
    n_levels = column.n_levels
    counts = np.bincount(column.values[0], minlength=column.n_codes)[:n_levels]
    # One that is left over gets its own bar rather than be called other.
    n_shown = n_levels if n_levels <= max_levels + 1 else max_levels
    order = np.argsort(-counts, kind="stable")
    labels = [str(column.schema.levels[place]) for place in order[:n_shown]]
    bars = np.full(column.n_codes, n_shown)
    bars[order[:n_shown]] = np.arange(n_shown)
    if n_shown < n_levels:
        labels.append(f"{n_levels - n_shown} others")
    cells = np.concatenate(column.values)
    for code, label in ((n_levels, "missing"), (n_levels + 1, "new levels")):
        if (cells == code).any():
            bars[code] = len(labels)
            labels.append(label)
    return [bars[codes] for codes in column.values], labels
