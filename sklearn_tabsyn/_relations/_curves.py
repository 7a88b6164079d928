"""Columns that follow a number of many values: transformed, converted or binned."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._nearest import nearest_of, nearest_places
from sklearn_tabsyn._relations._chains import OneSource
from sklearn_tabsyn._relations._functions import MAX_LOG_CHANCE, N_FEW

# Stands for a missing target.
GAP = 1e300


@dataclass
class Curve(OneSource):
    """Column `target` rises or falls with a number, or has its levels one by one.

    So do a logarithm, a temperature on another scale, and a class of income. Between
    known sources numbers are interpolated; levels are those of the nearest source.

    Parameters
    ----------
    target, source : int
        Positions of the two columns.
    keys : ndarray of shape (n_keys,), dtype float64
        Sorted canonical values of the source.
    values : ndarray of shape (n_keys,), dtype float64
        Canonical value of the target for each.
    smooth : bool
        Whether numbers between the values are possible.
    whole : bool
        Whether it determines which targets are missing too, their value being `GAP`. If
        not, it only speaks of rows where both columns have a value.
    """

    target: int
    source: int
    keys: np.ndarray
    values: np.ndarray
    smooth: bool
    whole: bool

    @classmethod
    def of(cls, target, source, frame, smooth):
        """Return the curve, or None if not all rows of a frame follow it."""
        column, sources = (frame[j].to_numpy() for j in (target, source))
        missing, unknown = np.isnan(column), np.isnan(sources)
        whole = not (unknown & ~missing).any() and (
            not smooth or bool((missing == unknown).all())
        )
        if whole:  # a gap is a level like others
            column, missing = np.where(missing, GAP, column), unknown
        there = ~missing & ~unknown
        keys, first, codes = np.unique(
            sources[there], return_index=True, return_inverse=True
        )
        values = column[there][first]
        if (values[codes] != column[there]).any() or not _is_curve(values, smooth):
            return None
        return cls(target, source, keys, values, smooth, whole)

    def predict(self, source, target):
        """Return what the target should be; where nothing is known as it is."""
        if self.smooth:
            made = np.interp(source, self.keys, self.values)
        else:
            made = self.values[nearest_places(self.keys, source)]
        made = np.where(np.isnan(source) | (made == GAP), np.nan, made)
        if self.whole:
            return made
        return np.where(np.isnan(made) | np.isnan(target), target, made)

    def invert(self, target, source):
        """Return the sources nearest to others that make the targets."""
        order = np.argsort(self.values, kind="stable")
        values = self.values[order]
        target = nearest_of(np.unique(values), target) if not self.smooth else target
        there = ~np.isnan(target)
        left = np.searchsorted(values, target, "left")
        right = np.searchsorted(values, target, "right")
        # Sources of the same target lie side by side; between them they are drawn.
        first = self.keys[order[left.clip(max=len(order) - 1)]]
        last = self.keys[order[(right - 1).clip(0)]]
        between = np.interp(target, values, self.keys[order])
        low = np.where(left < right, np.minimum(first, last), between)
        high = np.where(left < right, np.maximum(first, last), between)
        return np.where(there, np.clip(source, low, high), source)


def find_curves(frame, some, sources, targets, smooth):
    """Return the curves between columns.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    some : ndarray of shape (n_some,), dtype int64
        Rows to search; what is found must hold in all.
    sources, targets : list of int
        Positions of numbers of many values, and of what may follow them.
    smooth : set of int
        Targets that can have other values than those of the frame.

    Returns
    -------
    curves : list of Curve
        At most one for each target; no target is a source.
    """
    few = frame.to_numpy()[some[even_rows(len(some), N_FEW)]]
    counts = np.array([len(np.unique(few[:, target])) for target in targets])
    found = {}
    for source in sources:
        if source in found:
            continue
        seems = _seem_to_follow(few[:, targets], few[:, source], counts)
        for target in np.array(targets, dtype=int)[seems]:
            if target == source or target in found or _is_source(target, found):
                continue
            pair = (frame[j].to_numpy()[some] for j in (target, source))
            if _log_chance(*pair) > MAX_LOG_CHANCE:
                continue
            curve = Curve.of(int(target), source, frame, target in smooth)
            if curve is not None:
                found[target] = curve
    return list(found.values())


def _is_source(unit, curves):
    return any(curve.source == unit for curve in curves.values())


def _seem_to_follow(targets, source, counts):
    """Tell which columns, of so many distinct values, may follow another."""
    targets = targets[np.argsort(source, kind="stable")]
    steps = np.diff(targets, axis=0)
    unknown = np.isnan(steps)
    steps[unknown] = 0
    rising, falling = (steps >= 0).all(0), (steps <= 0).all(0)
    in_turn = np.count_nonzero(steps, axis=0) < counts
    return rising | falling | in_turn | unknown.all(0)


def _is_curve(values, smooth):
    """Tell whether values rise or fall, or have their levels one after another."""
    if len(values) < 2:
        return False
    steps = np.diff(values)
    if smooth:
        return bool((steps >= 0).all() or (steps <= 0).all())
    return np.count_nonzero(steps) + 1 == len(np.unique(values))


def _log_chance(target, source):
    """Return log p(some rows follow another column) if they did not depend on it."""
    there = ~np.isnan(target) & ~np.isnan(source)
    counts = np.unique(target[there], return_counts=True)[1]
    orders = gammaln(counts + 1).sum() - gammaln(counts.sum() + 1)
    return float(orders + gammaln(len(counts) + 1))
