"""Numbers and names that are exactly those of another column in some rows."""

from dataclasses import replace

import numpy as np

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._chains import comes_from, sources_first, sources_of
from sklearn_tabsyn._relations._links import (
    KINDS,
    MIN_LIFT,
    MIN_ROWS,
    Link,
    short_number,
)

# Two columns are linked if they agree in at least this share of the rows, and in
# `MIN_LIFT` times as many as the same columns in unrelated rows.
MIN_SHARE = 0.02
# What holds in this share of the rows comes before what is simpler.
MOSTLY = 0.5
# A value with at least this share of a column agrees often without a reason.
COMMON = 0.01
# Two columns agree in so many values, as told by their shares of the rows that agree,
# and a value with more than this share of them does not count.
MIN_VALUES, MAX_ONE_VALUE = 6, 0.3
# Rows are marked if columns agree in their value so many times as often as by chance.
MIN_EXCESS = 2.0
# Rows that are looked at first, and the share of them that must agree there.
N_SOME, SOME_SHARE = 1_000, 0.013
# Pairs at most that are looked at closely.
MAX_CLOSE = 500
# Constants of one ratio at most, and their digits if there are several, as of rates.
MAX_CONSTANTS, MAX_DIGITS = 8, 4
# A scale that rounding leaves less certain than this says little.
MAX_WIDTH = 0.01


def find_links(values, axes, continuous, always, taken=(), formulas=(), min_count=1):
    """Return the links that hold in some rows of columns, and those in all.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_candidates)
        Some rows of the columns, as read by their axes, NaN where missing.
    axes : dict of int to Axis or NameAxis
        Positions and axes of the columns.
    continuous : list of bool
        Which columns have many values, and no maker yet; only these are compared after
        a shift or a scale.
    always : list of Link
        What is known to hold in all rows.
    taken : set of int, default=()
        Positions of further columns that are no targets.
    formulas : list of Formula, default=()
        By which some of these are computed.
    min_count : int, default=1
        Rows in which a value must be found to be kept.

    Returns
    -------
    links : list of Link
        At most one for each target, sources before their targets.
    """
    units, many = np.array(list(axes)), np.flatnonzero(continuous)
    links = {link.target: link for link in always}
    made = sources_of([*always, *formulas])
    free = np.array([j not in links and j not in taken for j in axes], dtype=bool)
    least = max(2, min_count, COMMON * len(values))
    frequent = {units[j]: frequent_values(values[:, j], least) for j in many}
    rare = values[:, many].copy()
    for part, common in zip(rare.T, frequent.values(), strict=True):
        part[:] = _without(common, part)
    found = _equals(values, units, free, axes)
    found += _shifted_or_scaled(rare, units[many], free[many], axes)
    found += _complements(values[:, many], units[many], free[many], axes)
    determined = set(links)

    def preference(pair):
        share, link = pair
        made = link.source in determined  # rather of what is not made of another itself
        kind, places = KINDS.index(link.kind), (-link.target, -link.source)
        return share < MOSTLY, kind, -round(share, 3), made, -share, places

    for _, link in sorted(found, key=preference):
        # A target is not a source of its own source, so no chain ends in itself.
        if link.target in links or comes_from(made, link.source, link.target):
            continue
        if link.kind in ("difference", "ratio"):
            link.common = frequent[link.target]
        links[link.target], made[link.target] = link, link.sources
    return sources_first(links.values())


def frequent_values(column, least):
    """Return the values that at least so many rows of a column have."""
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return values[counts >= least]


def _without(values, column):
    """Return a column with NaN where it has one of some values."""
    return np.where(np.isin(column, values), np.nan, column)


def _equals(values, units, free, axes):
    """Return the pairs of columns that are equal in many rows, and how many."""
    found = []
    few = values[even_rows(len(values), 2 * N_SOME)].copy()
    for part in few.T:  # no two columns agree so often in these that it says much
        part[:] = _without(frequent_values(part, len(part) // MIN_LIFT + 1), part)
    mixed = np.roll(few, 1, axis=0)
    for i in np.flatnonzero(free):
        share = (few[:, :i] == few[:, [i]]).mean(0)
        chance = (mixed[:, :i] == few[:, [i]]).mean(0)
        seems = (share >= MIN_SHARE / 2) & (share >= MIN_LIFT / 2 * chance)
        for j in np.flatnonzero(seems):
            # The later column copies the earlier one.
            link = Link("equal", int(units[i]), int(units[j]))
            share = _equal_share(link, values[:, i], values[:, j], axes)
            if share:
                found.append((share, link))
    return found


def _equal_share(link, target, source, axes):
    """Return the share of rows in which columns agree, and not by chance.

    0 if this is little, or may be chance. Learns which values are common.
    """
    values, agreeing = np.unique(target[target == source], return_counts=True)
    there = ~np.isnan(target) & ~np.isnan(source)
    counts = [_counts_of(values, part[there]) for part in (target, source)]
    expected = counts[0] * counts[1] / max(1, there.sum())
    # Some values, such as zero, may be frequent in both columns for another reason.
    single = agreeing > MAX_ONE_VALUE * agreeing.sum()
    link.common = values[single | (agreeing < MIN_EXCESS * expected)]
    dull = single | (agreeing < MIN_LIFT * expected)
    telling = agreeing[~dull].astype(float)
    if telling.sum() ** 2 < MIN_VALUES * (telling**2).sum() or not len(telling):
        return 0.0
    target, source = (_without(values[dull], part) for part in (target, source))
    share = float(np.mean(target == source))
    chance = np.mean(target == np.roll(source, 1))
    if share < max(MIN_SHARE, MIN_LIFT * chance):
        return 0.0
    return share if _stands_out(link, target, source, axes) else 0.0


def _counts_of(values, column):
    """Return in how many rows of a column each of some values is found."""
    column = np.sort(column)
    left, right = (np.searchsorted(column, values, side) for side in ("left", "right"))
    return right - left


def _shifted_or_scaled(values, units, free, axes):
    """Return pairs of columns that are a constant apart in many rows."""
    few = values[even_rows(len(values), N_SOME)]
    axes_here = [axes[unit] for unit in units]
    eps = np.array([axis.eps for axis in axes_here])
    half = np.array([axis.unit / 2 for axis in axes_here])
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.fmax.reduce(np.abs(few), 0)
        middle = _medians(np.abs(few))
        large = np.where(np.abs(few) >= middle, few, np.nan)
        large[large == 0] = np.nan
        close = []
        for i in range(len(units)):
            shift = few[:, [i]] - few[:, :i]
            width = 8 * np.maximum(eps[i] * size[i], eps[:i] * size[:i])
            heavy = _heavy(shift, width, SOME_SHARE)
            close += [(-heavy[j], "difference", i, j) for j in np.flatnonzero(heavy)]
            if not axes_here[i].has_zero:
                continue
            scale = few[:, [i]] / large[:, :i]
            width = np.maximum(half[i] / middle[i], half[:i] / middle[:i])
            width = 2 * width + 8 * np.maximum(eps[i], eps[:i])
            heavy = _heavy(np.log(np.abs(scale)), width, SOME_SHARE / 2)
            heavy[width > MAX_WIDTH] = 0
            close += [(-heavy[j], "ratio", i, j) for j in np.flatnonzero(heavy)]
        found = []
        for _, kind, i, j in sorted(close, key=lambda c: c[:1] + c[2:])[:MAX_CLOSE]:
            for t, s in ((i, j), (j, i)) if kind == "ratio" else ((i, j),):
                if not free[t]:
                    continue
                link = Link(kind, int(units[t]), int(units[s]))
                share = _fit_constants(link, values[:, t], values[:, s], axes)
                if share:
                    found.append((share, link))
    return found


def _complements(values, units, free, axes):
    """Return pairs of columns of which one is what the other leaves of a constant."""
    found = []
    few = values[even_rows(len(values), N_SOME)]
    noise = 8 * np.fmax.reduce(np.abs(few), 0) * [axes[unit].eps for unit in units]
    for i in np.flatnonzero(free):
        if not axes[units[i]].has_zero:
            break
        total = few[:, [i]] + few[:, :i]
        heavy = _heavy(total, np.maximum(noise[i], noise[:i]), MIN_SHARE)
        for j in np.flatnonzero(heavy):
            width = max(noise[i], noise[j])
            constant = short_number(*[_densest(total[:, j], width)] * 2, width)
            link = Link("complement", int(units[i]), int(units[j]), constant)
            target, source = values[:, i], values[:, j]
            agrees = link.agrees(target, source, axes)
            # What the source makes is compared like any other column.
            made = np.where(agrees, target, link.predict(source, axes[link.target]))
            same = Link("equal", link.target, link.source)
            share = _equal_share(same, target, made, axes) if constant else 0.0
            if share:
                link.common = same.common
                found.append((share, link))
    return found


def _medians(values):
    """Return the medians of columns with gaps, NaN of those without values."""
    ordered = np.sort(values, axis=0)
    places = np.maximum(np.sum(~np.isnan(values), axis=0) - 1, 0) // 2
    return ordered[places, np.arange(values.shape[1])]


def _heavy(values, width, share):
    """Return for each column the share of rows within some interval of a width.

    A power of two times `share` or, if it is less than `share`, 0.
    """
    ordered = np.sort(values, axis=0)
    n_rows, heavy = len(values), np.zeros(values.shape[1])
    n_wanted = max(4, round(share * n_rows))
    while n_wanted <= n_rows and values.shape[1]:
        reached = (ordered[n_wanted - 1 :] - ordered[: n_rows - n_wanted + 1]) <= width
        here = reached.any(0)
        if not here.any():
            break
        heavy[here] = n_wanted / n_rows
        n_wanted *= 2
    return heavy


def _fit_constants(link, target, source, axes):
    """Find the constants of a link; return the share of rows where one holds.

    0 if it is little, or if the columns are only equal.
    """
    share = _fit_constant(link, target, source, axes)
    more = replace(link)
    while share and link.kind == "ratio" and len(link.constants) < MAX_CONSTANTS:
        if float(f"{more.constant:.{MAX_DIGITS}g}") != more.constant:
            break
        rest = np.where(link.agrees(target, source, axes), np.nan, target)
        further = _fit_constant(more, rest, source, axes)
        if not further or more.constant in link.constants:
            break
        link.further += (more.constant,)
        share += further
    is_equal = link.constant == (link.kind == "ratio")
    return 0.0 if is_equal and not link.further else share


def _fit_constant(link, target, source, axes):
    """Find the constant of a link; return the share of rows where it holds.

    0 if this is little, or may be chance, or constants nearby do nearly as well, as
    they do where two rounded numbers depend on each other smoothly.
    """
    axis, eps = axes[link.target], max(axes[link.target].eps, axes[link.source].eps)
    if np.sum(~np.isnan(target + source)) < MIN_ROWS:
        return 0.0
    if link.kind == "difference":
        shift, width = target - source, 8 * eps * np.nanmax(np.abs(target))
        center = _densest(shift, width)
        link.constant = short_number(center, center, width)
    else:
        scale = target / np.where(source == 0, np.nan, source)
        typical = np.nanmedian(np.abs(target))
        large = np.abs(source) >= np.nanmedian(np.abs(source))
        width = 2 * (axis.unit / 2 / typical) + 8 * eps
        if not width <= MAX_WIDTH:
            return 0.0
        center = _densest(np.where(large, scale, np.nan), width, relative=True)
        best = 0
        for digits in range(1, 16):
            trial = float(f"{center:.{digits}g}")
            count = _n_agreeing(link, trial, target, source, axes)
            if count > 1.02 * best:
                best, link.constant = count, trial
    count = _n_agreeing(link, link.constant, target, source, axes)
    share = count / len(target)
    if count < MIN_ROWS or share < MIN_SHARE:
        return 0.0
    unrelated = np.roll(source, len(source) // 2)
    chance = np.mean(link.agrees(target, unrelated, axes))
    stands_out = _stands_out(link, target, source, axes)
    return share if share >= MIN_LIFT * chance and stands_out else 0.0


def _stands_out(link, target, source, axes):
    """Tell whether a link holds in many more rows than with constants nearby.

    If not, two rounded numbers depend on each other smoothly.
    """
    axis, other = axes[link.target], axes[link.source]
    if link.kind == "ratio":
        typical = np.nanmedian(np.abs(target))
        width = axis.unit / typical + 8 * max(axis.eps, other.eps)
        nearby = link.constant * (1 + 2 * width * np.r_[-3:0, 1:4])
    else:
        step = max(axis.unit, other.unit)
        if step:  # nearer constants hold in the same rows
            step = max(step, 16 * max(axis.eps, other.eps) * np.nanmax(np.abs(target)))
        if step and axis.few and other.few:
            # There may be no values at all nearby, only neighbours.
            known = np.unique(np.concatenate([target, source]))
            target, source = (_places(known, part) for part in (target, source))
            step = 1
        nearby = link.constant + step * np.r_[-10:0, 1:11] if step else []
    kind = "difference" if link.kind == "equal" else link.kind
    near = Link(kind, link.target, link.source)
    counts = [_n_agreeing(near, c, target, source, axes) for c in nearby]
    beside = (max(counts) + np.mean(counts)) / 2 if counts else 0.0
    count = int(np.sum(link.agrees(target, source, axes)))
    return count >= max(MIN_LIFT * beside, beside + 8 * np.sqrt(beside) + 10)


def _places(known, column):
    """Return the places of values among sorted known ones; NaN stays NaN."""
    return np.where(np.isnan(column), np.nan, np.searchsorted(known, column))


def _n_agreeing(link, constant, target, source, axes):
    """Return in how many rows a link with another constant would hold."""
    other = Link(link.kind, link.target, link.source, constant)
    return int(np.sum(other.agrees(target, source, axes)))


def _densest(values, width, relative=False):
    """Return the middle of the interval of a width that holds most values."""
    ordered = np.sort(values[~np.isnan(values)])
    ends = ordered + width * (np.abs(ordered) if relative else 1)
    counts = np.searchsorted(ordered, ends, "right") - np.arange(len(ordered))
    start = int(np.argmax(counts))
    return float(np.median(ordered[start : start + counts[start]]))
