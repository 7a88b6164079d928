"""Numbers as they were written: with so many significant digits, or in float32."""

import numpy as np

from sklearn_tabsyn._evenly import even_rows

# Below this size float64 holds every whole number.
EXACT = 2**53
# Floats with more decimals than this are taken as unrounded. Up to so many decimals
# they are not taken as rounded to significant digits.
MAX_DECIMALS, FEW_DECIMALS = 12, 8
# Digits to which numbers may be rounded; more are those of any number.
FEWEST, MOST = 6, 14
# Rows that are looked at first.
N_FEW = 300


def written_as(values, dtype):
    """Return decimals and significant digits of numbers, and whether they are float32.

    Parameters
    ----------
    values : ndarray of shape (n,), dtype float64
        The numbers, none missing.
    dtype : dtype
        That of the floats they are kept as.

    Returns
    -------
    decimals, digits : int or None
        At most one of them; the one that leaves fewer numbers to choose from.
    single : bool
        Whether they are those of float32, if they are not rounded.
    """
    decimals = _decimals(values, dtype)
    if decimals is not None and decimals <= FEW_DECIMALS:
        return decimals, None, False
    digits = significant_digits(values)
    if digits is None:
        return decimals, None, decimals is None and are_single(values)
    if decimals is not None:
        size = np.log10(np.abs(values).max())
        if decimals < digits or decimals + size < digits:
            return decimals, None, False
    return None, digits, False


def significant_digits(values):
    """Return to how many significant digits numbers are rounded, None if they are not.

    Files are often written with 12.
    """
    some = values[even_rows(len(values), N_FEW)]
    for digits in range(FEWEST, MOST + 1):
        if all((round_digits(part, digits) == part).all() for part in (some, values)):
            return digits
    return None


def are_single(values):
    """Tell whether numbers are those of float32, in which models compute."""
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float32) == values).all())


def round_digits(values, digits):
    """Return numbers rounded to so many significant digits; 0 and NaN stay."""
    size = np.where((values == 0) | np.isnan(values), 1, np.abs(values))
    power = digits - 1 - np.floor(np.log10(size)).astype(int)
    # Powers up to 22 are exact, and a quotient of exact numbers is what a file's
    # decimals are read as.
    with np.errstate(over="ignore", invalid="ignore"):
        scale = 10.0 ** np.abs(power)
        whole = np.rint(np.where(power > 0, values * scale, values / scale))
        rounded = np.where(power > 0, whole / scale, whole * scale)
    return np.where(np.isfinite(rounded) & (values != 0), rounded, values)


def half_digit(values, digits):
    """Return half of what the last of so many digits of numbers counts; of 0, 0."""
    size = np.where(values == 0, np.nan, np.abs(values))
    return np.nan_to_num(0.5 * 10.0 ** (np.floor(np.log10(size)) - digits + 1))


def digits_beside(values, digits, strict, sign):
    """Return the nearest rounded numbers from, or if `strict` beyond, others.

    `sign` is 1 for those above and -1 for those below.
    """
    rounded = round_digits(values, digits)
    size = np.where(rounded == 0, 1e-300, np.abs(rounded))
    unit = 10.0 ** (np.floor(np.log10(size)) - digits + 1)
    short = (sign * (rounded - values) < 0) | (strict & (rounded == values))
    return np.where(short, round_digits(rounded + sign * unit, digits), rounded)


def _decimals(values, dtype):
    """Return the fewest decimals that keep all values of a float dtype, or None."""
    values = values[np.abs(values) < EXACT]  # larger ones are whole anyhow
    some = values[:100]
    typical = np.median(np.abs(some)) if len(some) else 0
    for decimals in range(MAX_DECIMALS + 1):
        if typical * 10.0**decimals * np.finfo(dtype).eps > 1:
            return None  # any number would do
        for part in (some, values):  # most candidates fail within a few values
            if (np.round(part, decimals).astype(dtype) != part.astype(dtype)).any():
                break
        else:
            return decimals
    return None
