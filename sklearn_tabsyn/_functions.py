"""Columns that determine others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Rows that are looked at first.
N_FEW = 300
# A function is one if columns that do not depend on each other would rarely seem so, if
# so many rows confirm it, and if these are so large a share of all.
MAX_LOG_CHANCE = np.log(1e-9)
MIN_CONFIRMED, MIN_CONFIRMED_SHARE = 50, 0.5


@dataclass
class Function:
    """Column `target` is determined by column `source`, missing included.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    keys : ndarray of shape (n_keys,), dtype float64
        Sorted canonical values of the source, NaN last.
    values : ndarray of shape (n_keys,), dtype float64
        Canonical value of the target for each.
    shares : ndarray of shape (n_keys,), dtype float64
        Share of the rows that have it.
    """

    target: int
    source: int
    keys: np.ndarray
    values: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, target, source, frame):
        """Return the function, or None if not all rows of a frame follow it."""
        column, source_column = (frame[j].to_numpy() for j in (target, source))
        parts = {"return_index": True, "return_inverse": True, "return_counts": True}
        keys, first, codes, counts = np.unique(source_column, **parts)
        values = column[first]
        same = (values[codes] == column) | (np.isnan(values[codes]) & np.isnan(column))
        if not same.all():
            return None
        return cls(target, source, keys, values, counts / counts.sum())

    def predict(self, source, target):
        """Return what the target should be; of unknown sources as it is."""
        places = self.places(source)
        return np.where(_same(self.keys[places], source), self.values[places], target)

    def places(self, source):
        """Return the place of each source among the keys."""
        return np.searchsorted(self.keys, source).clip(max=len(self.keys) - 1)


def find_functions(frame, some, candidates):
    """Return the functions between columns of levels, sources before their targets.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search; what is found must hold in all.
    candidates : list of int
        Positions of the columns.

    Returns
    -------
    functions : list of Function
        At most one for each target.
    """
    if not candidates:
        return []
    columns = [pd.factorize(frame[j].to_numpy()[some])[0] for j in candidates]
    sizes = [int(codes.max(initial=-1)) + 1 for codes in columns]
    # Who determines others has more values; of two names for one thing the first.
    order = sorted(range(len(columns)), key=lambda k: -sizes[k])
    few = np.unique(np.linspace(0, len(some) - 1, N_FEW).astype(int))
    codes = np.array([columns[k][few] for k in order])
    found = {}
    for place, k in enumerate(order):
        first = _first_rows(codes[place])
        seems = (codes[place + 1 :] == codes[place + 1 :, first]).all(1)
        if not seems.any():
            continue
        groups = np.unique(columns[k], return_counts=True)[1]
        n_confirmed = int((groups - 1).sum())
        if n_confirmed < max(MIN_CONFIRMED, MIN_CONFIRMED_SHARE * len(some)):
            continue
        first = _first_rows(columns[k])
        for other in np.array(order)[place + 1 :][seems]:
            target, source = candidates[other], candidates[k]
            if target in found or (columns[other][first] != columns[other]).any():
                continue
            if _log_chance(groups, columns[other]) < MAX_LOG_CHANCE:
                function = Function.of(target, source, frame)
                if function is not None:
                    found[target] = function
    # A source may be the target of another only if that one did not determine both.
    places = [candidates[k] for k in order]
    return sorted(found.values(), key=lambda f: places.index(f.target))


def fitting_sources(functions, source, targets):
    """Return sources that make all given targets, as near as can be to those drawn.

    Of several the one that has the place, by its share, that the drawn one has among
    all; so all of them are used, and often ones often.

    Parameters
    ----------
    functions : list of Function
        Functions of one source.
    source : ndarray of shape (n_rows,), dtype float64
        Drawn canonical values.
    targets : list of (ndarray of float64, ndarray of bool)
        For each function the target of every row, and whether it is given.
    """
    keys, shares = functions[0].keys, functions[0].shares
    places = functions[0].places(source)
    agrees = np.ones((len(source), len(keys)), dtype=bool)
    for function, (target, given) in zip(functions, targets, strict=True):
        agrees &= _same(function.values, target[:, None]) | ~given[:, None]
    below = (agrees * shares).cumsum(1)
    aims = (shares.cumsum() - shares / 2)[places] * below[:, -1]
    picked = (below <= aims[:, None]).sum(1).clip(max=len(keys) - 1)
    fits = agrees[np.arange(len(source)), places] | ~agrees.any(1)
    return np.where(fits, source, keys[picked])


def _first_rows(codes):
    """Return for each row the first one of the same code."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return first[inverse]


def _log_chance(groups, target):
    """Return log p(all rows of each group agree) if the target did not depend on it."""
    shares = np.unique(target, return_counts=True)[1] / len(target)
    sizes, times = np.unique(groups, return_counts=True)
    with np.errstate(divide="ignore"):
        agree = np.logaddexp.reduce(np.log(shares)[:, None] * sizes, axis=0)
    return float(agree @ times)


def _same(a, b):
    """Tell where two columns are equal or both missing."""
    return (a == b) | (np.isnan(a) & np.isnan(b))
