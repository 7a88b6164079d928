"""Columns that determine others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._nearest import nearest_of
from sklearn_tabsyn._relations._alike import is_scattered, same
from sklearn_tabsyn._relations._chains import OneSource
from sklearn_tabsyn._relations._wishes import is_crossed, is_wish

# Rows that are looked at first.
N_FEW = 300
# A function is one if columns that do not depend on each other would rarely seem so, if
# so many rows confirm it, and if these are so large a share of all.
MAX_LOG_CHANCE = np.log(1e-9)
MIN_CONFIRMED, MIN_CONFIRMED_SHARE = 50, 0.5
# Share of the rows beyond which a number is frequent.
FREQUENT = 0.05


@dataclass
class Function(OneSource):
    """Column `target` is determined by column `source`.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    keys : ndarray of shape (n_keys,), dtype float64
        Sorted canonical values of the source, NaN last.
    values : ndarray of shape (n_keys,), dtype float64
        Canonical value of the target for each; NaN if it is missing, or not known.
    shares : ndarray of shape (n_keys,), dtype float64
        Share of the rows that have it.
    whole : bool
        Whether it determines which targets are missing too. If not, it only speaks of
        rows where both columns have a value.
    nearest : bool, default=False
        Whether other sources than the keys stand for the nearest key, as those of
        numbers do that can have any value.
    number : bool, default=False
        Whether the target is a number or a date.
    """

    target: int
    source: int
    keys: np.ndarray
    values: np.ndarray
    shares: np.ndarray
    whole: bool
    nearest: bool = False
    number: bool = False

    @classmethod
    def of(cls, target, source, frame, nearest=False, few=0.0):
        """Return the function, or None if not all rows of a frame follow it.

        It is also whole if it is wrong about missing targets in a share `few` of them.
        """
        column, source_column = (frame[j].to_numpy() for j in (target, source))
        parts = {"return_inverse": True, "return_counts": True}
        keys, codes, counts = np.unique(source_column, **parts)
        there = ~np.isnan(column) & ~np.isnan(source_column)
        values = np.full(len(keys), np.nan)
        values[codes[there]] = column[there]
        if (values[codes[there]] != column[there]).any():
            return None
        whole_values = values.copy()
        whole_values[codes] = column
        whole = bool(same(whole_values[codes], column).all())
        values = whole_values if whole else values
        whole |= bool(same(values[codes], column).mean() >= 1 - few)
        shares = counts / counts.sum()
        return cls(target, source, keys, values, shares, whole, nearest)

    @property
    def heeded(self):
        """Whether a drawn target says which of several keys may be meant."""
        return is_wish(self.values[~np.isnan(self.keys)])

    @property
    def scattered(self):
        """Whether a drawn target says about which of many keys is meant."""
        return self.number and is_scattered(self.values[~np.isnan(self.keys)])

    @property
    def crossed(self):
        """Whether a source that is about right is not enough to make its target."""
        return is_crossed(self.values[~np.isnan(self.keys)])

    def known(self, source):
        """Return sources, or the nearest keys if these stand for them."""
        if not self.nearest:
            return source
        return nearest_of(self.keys[~np.isnan(self.keys)], source)

    def places(self, source):
        """Return the place of each known source among the keys."""
        return np.searchsorted(self.keys, source).clip(max=len(self.keys) - 1)

    def predict(self, source, target):
        """Return what the target should be, and where nothing is known as it is."""
        source = self.known(source)
        places = self.places(source)
        known = same(self.keys[places], source)
        if not self.whole:
            known &= ~np.isnan(self.values[places]) & ~np.isnan(target)
        return np.where(known, self.values[places], target)

    def agrees(self, target):
        """Tell which keys may have which targets, (n_rows, n_keys)."""
        agrees = same(self.values, target[:, None])
        if not self.whole:
            agrees |= np.isnan(self.values) | np.isnan(target)[:, None]
        return agrees


def find_functions(frame, some, candidates, continuous=(), numbers=()):
    """Return the functions between columns, sources before their targets.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search; what is found must hold in all.
    candidates : list of int
        Positions of the columns.
    continuous : set of int, default=()
        Those that can have other values than those of the frame.
    numbers : set of int, default=()
        Those that are numbers or dates.

    Returns
    -------
    functions : list of Function
        At most one for each target.
    """
    columns = [pd.factorize(frame[j].to_numpy()[some])[0] for j in candidates]
    sizes = [int(codes.max(initial=-1)) + 1 for codes in columns]
    # Who determines others has more values; of two names for one thing the one that is
    # missing less often, then the first.
    gaps = [np.sum(codes < 0) for codes in columns]
    order = sorted(range(len(columns)), key=lambda k: (-sizes[k], gaps[k]))
    few = even_rows(len(some), N_FEW)
    codes = np.array([columns[k][few] for k in order], dtype=np.int64)
    found = {}
    for place, k in enumerate(order):
        groups = np.bincount(columns[k] + 1)[1:]
        if np.sum(np.maximum(groups - 1, 0)) < MIN_CONFIRMED:
            continue
        seems = _are_determined(codes[place], codes[place + 1 :])
        for other in np.array(order)[place + 1 :][seems]:
            target, source = candidates[other], candidates[k]
            if target in found or not is_confirmed(columns[k], columns[other]):
                continue
            function = Function.of(target, source, frame, source in continuous)
            if function is not None:
                function.number = target in numbers
                found[target] = function
    # No source has fewer values than its target, so all come after their sources.
    places = [candidates[k] for k in order]
    return sorted(found.values(), key=lambda f: places.index(f.target))


def is_repeated(values, min_count=1):
    """Tell whether numbers are often those of other rows, as those of a code are.

    Some frequent ones, such as zero, do not make them codes. None of them may be found
    in fewer than `min_count` rows.
    """
    counts = np.unique(values[~np.isnan(values)], return_counts=True)[1]
    rare = counts[counts <= FREQUENT * counts.sum()]
    often = len(rare) and 2 * len(rare) <= rare.sum()
    return bool(often and counts.min() >= min_count)


def is_confirmed(source, target):
    """Tell whether a target is determined, in so many rows that it is no chance."""
    both = (source >= 0) & (target >= 0)
    source, target = source[both], target[both]
    if not _are_determined(source, target[None]).all():
        return False
    groups = np.bincount(source)
    groups = groups[groups > 0]
    n_confirmed = np.sum(groups - 1)
    if n_confirmed < max(MIN_CONFIRMED, MIN_CONFIRMED_SHARE * len(source)):
        return False
    return _log_chance(groups, target) < MAX_LOG_CHANCE


def fitting_sources(functions, source, targets, gaps=True):
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
    gaps : bool, default=True
        Whether a missing source is one.
    """
    keys, shares = functions[0].keys, functions[0].shares
    places = functions[0].places(functions[0].known(source))
    agrees = np.tile(gaps | ~np.isnan(keys), (len(source), 1))
    for function, (target, given) in zip(functions, targets, strict=True):
        agrees &= function.agrees(target) | ~given[:, None]
    below = (agrees * shares).cumsum(1)
    aims = (shares.cumsum() - shares / 2)[places] * below[:, -1]
    picked = (below <= aims[:, None]).sum(1).clip(max=len(keys) - 1)
    fits = agrees[np.arange(len(source)), places] | ~agrees.any(1)
    return np.where(fits, source, keys[picked])


def _are_determined(source, targets):
    """Tell of which targets no two rows of the same source differ; -1 is missing."""
    order = np.argsort(source, kind="stable")
    order = order[source[order] >= 0]
    if not len(order) or not len(targets):
        return np.zeros(len(targets), dtype=bool)
    starts = np.flatnonzero(np.diff(source[order], prepend=-1))
    targets = targets[:, order]
    highest = np.maximum.reduceat(targets, starts, axis=1)
    filled = np.where(targets < 0, np.iinfo(targets.dtype).max, targets)
    lowest = np.minimum.reduceat(filled, starts, axis=1)
    return ((highest == lowest) | (highest < 0)).all(1)


def _log_chance(groups, target):
    """Return log p(all rows of each group agree) if the target did not depend on it."""
    shares = np.unique(target, return_counts=True)[1] / len(target)
    sizes, times = np.unique(groups, return_counts=True)
    agree = np.logaddexp.reduce(np.log(shares)[:, None] * sizes, axis=0)
    return float(agree @ times)
