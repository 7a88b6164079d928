"""Dates, times of day and numbers that are written as text."""

import datetime
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_tabsyn._digits import MAX_DECIMALS

DAYS = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"] + [
    sep.join(order)
    for sep in "/.-"
    for order in (("%d", "%m", "%Y"), ("%m", "%d", "%Y"))
]
TIMES = ["%H:%M", "%H:%M:%S"]
PATTERNS = [
    *DAYS,
    *TIMES,
    *(f"{day}{mid}{time}" for day in DAYS for mid in (" ", "T") for time in TIMES),
    "%Y-%m-%dT%H:%M:%SZ",
]
# Zeros before a day, a month or an hour, but not before a minute.
ZEROS = re.compile(r"(?<![\d:])0(?=\d)")
# A number with a currency before it or a unit behind it: $1,200.00, 10.65% or 1.37 kg.
NUMBER = re.compile(r"(\s?[A-Z]{0,3}[$€£¥₹₩₽₺]\s?|\s?)(-?[\d,]*\d(?:\.\d+)?)(\D{0,12})")
# Texts that are looked at first, and how many must be different: few are as well
# learned as names.
N_FEW, MIN_DISTINCT = 20, 10


@dataclass(frozen=True)
class TextDate:
    """How dates or times are written.

    Parameters
    ----------
    pattern : str
        As of `strftime`.
    padded : bool, default=True
        Whether days, months and hours below ten have a zero.
    """

    pattern: str
    padded: bool = True

    @property
    def unit(self):
        """Numpy's code of such dates; times are those of a day."""
        return "M8[s]" if "%H" in self.pattern else "M8[D]"

    @property
    def example(self):
        """Some text."""
        return self(datetime.datetime(2024, 12, 31, 23, 59))

    def read(self, cells):
        """Return the dates, (n,), of texts or dates."""
        codes, distinct = pd.factorize(np.asarray(cells, dtype=object))
        dates = pd.to_datetime(distinct, format=self.pattern)
        return dates.to_numpy().astype(self.unit)[codes]

    def __call__(self, date):
        """Return the text of a date."""
        text = date.strftime(self.pattern)
        return text if self.padded else ZEROS.sub("", text)


@dataclass(frozen=True)
class TextNumber:
    """How numbers are written.

    Parameters
    ----------
    before, after : str
        What stands around them.
    decimals : int
        Decimals of all, or at most.
    grouped : bool, default=False
        Whether commas part thousands.
    padded : bool, default=True
        Whether all have these decimals, though they end with zeros.
    """

    before: str
    after: str
    decimals: int
    grouped: bool = False
    padded: bool = True

    @property
    def example(self):
        """Some text."""
        return self(1234.5)

    def read(self, cells):
        """Return the numbers, (n,), of texts or numbers."""
        return np.array([self._number(cell) for cell in cells], dtype=np.float64)

    def __call__(self, number):
        """Return the text of a number."""
        comma = "," if self.grouped else ""
        text = f"{number:{comma}.{self.decimals}f}"
        if not self.padded and self.decimals:
            text = text.rstrip("0").rstrip(".")
        return f"{self.before}{text}{self.after}"

    def _number(self, cell):
        if not isinstance(cell, str):
            return float(cell)
        found = NUMBER.fullmatch(cell)
        if not found or (found[1], found[3]) != (self.before, self.after):
            raise ValueError(f"{cell!r} is not written like {self.example!r}")
        return float(found[2].replace(",", ""))


DATES = [TextDate(pattern, padded) for pattern in PATTERNS for padded in (True, False)]


def read_text(form, column, empty):
    """Return what a column of text says, (n,), and `empty` where it is missing."""
    there = column.notna().to_numpy()
    values = np.full(len(column), empty)
    values[there] = form.read(column[there])
    return values


def complaint(form, column):
    """Return what to say of a column of other text than in fit."""
    cells = column.dropna().tolist()
    other = next((cell for cell in cells if not _fits(form, [cell])), cells[0])
    example, cell = map(repr, (form.example, other))
    return f"was written like {example} in fit; found {cell}. Write all cells alike."


def find_form(cells):
    """Return how texts are written if all are dates, times or numbers; else None.

    Only where exactly these texts come back, and only of more than a few. Digits alone
    are no numbers here, for who keeps them as text means names, as postal codes are.

    Parameters
    ----------
    cells : Series
        The cells that are not missing.
    """
    fitting = fitting_forms(cells)
    distinct = pd.unique(cells).tolist() if fitting else []
    if len(distinct) < MIN_DISTINCT or not all(isinstance(c, str) for c in distinct):
        return None
    if isinstance(fitting[0], TextNumber):
        fitting = _numbers(distinct)  # others may have more decimals
    return next((form for form in fitting if _fits(form, distinct)), None)


def fitting_forms(cells):
    """Return the ways in which the first few cells may be written."""
    first = cells.iloc[:N_FEW].tolist()
    if not first or not all(_has_digit(cell) for cell in first):
        return []
    return [form for form in [*_numbers(first), *DATES] if _fits(form, first)]


def _has_digit(cell):
    return isinstance(cell, str) and any(map(str.isdecimal, cell))


def _numbers(texts):
    """Return the ways in which numbers may be written, none if some are none."""
    found = [NUMBER.fullmatch(text) for text in texts]
    if not all(found):
        return []
    before, _, after = found[0].groups()
    decimals = max(len(match[2].partition(".")[2]) for match in found)
    grouped = any("," in match[2] for match in found)
    if decimals > MAX_DECIMALS or not (before.strip() or after.strip() or grouped):
        return []
    how = before, after, decimals, grouped
    return [TextNumber(*how), TextNumber(*how, padded=False)]


def _fits(form, texts):
    """Tell whether all texts can be read and written."""
    try:
        read = form.read(texts).tolist()
        return all(form(value) == text for value, text in zip(read, texts, strict=True))
    except (TypeError, ValueError):
        return False
