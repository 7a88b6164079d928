"""Rows of which columns are given, drawn again until all that is asked of them holds.

What relations make of other columns is known once these are drawn. So restrictions of
it cannot be met beforehand, and what is given may leave few values of other columns
that suit all of it: rows are drawn until they do.
"""

from functools import partial

import numpy as np

from sklearn_tabsyn._generation import BLOCK_ROWS
from sklearn_tabsyn._given import EXACTLY

# Blocks that are drawn for one at most, and before it is given up if so many would not
# be enough, or rows can only be nearly right.
MAX_BLOCKS, FEWEST_BLOCKS = 64, 4


def draw_right(given, n_rows, draw, place):
    """Return a block of rows that are right, as far as they can be.

    Parameters
    ----------
    given : Given
        What is given of the rows, and tells how right they are.
    n_rows : int
        Rows of all blocks; those beyond need not be right.
    draw : callable
        Draws the block at a place; of another attempt by other noise, and, if they are
        told, for other rows of what is given.
    place : int
        Place of the block.

    Returns
    -------
    parts : tuple of ndarray
        What `draw` returns.

    Raises
    ------
    ValueError
        If not enough rows were found in which restricted columns are as asked.
    """
    parts = draw(place)
    right = given.right(*parts)
    n_needed = min(BLOCK_ROWS, n_rows - place * BLOCK_ROWS)
    if (right[:n_needed] == EXACTLY).all():
        return parts
    again = partial(draw, place)
    if len(given.cells.values) == 1:
        return _first_right(given, n_needed, again, parts, right)
    start = place * BLOCK_ROWS
    return _each_right(given, n_needed, again, parts, right, start)


def _first_right(given, n_needed, again, parts, right):
    """Return the first right rows of blocks of which all rows are to be alike."""
    blocks, right = [parts], [right]
    for attempt in range(1, MAX_BLOCKS):
        n_exact, n_right = (np.sum(np.concatenate(right) >= n) for n in (EXACTLY, 1))
        if n_exact >= n_needed:
            break
        if attempt >= FEWEST_BLOCKS:
            no_more = not n_exact and n_right >= n_needed
            if no_more or (n_exact or n_right) * MAX_BLOCKS < n_needed * attempt:
                break
        blocks.append(again(attempt))
        right.append(given.right(*blocks[-1]))
    right = np.concatenate(right)
    rows = np.flatnonzero(right == EXACTLY)
    if len(rows) < n_needed:
        rows = np.flatnonzero(right)
    if len(rows) < n_needed:
        given.complain(len(rows), len(right))
        rows = np.argsort(-right, kind="stable")
    rows = np.resize(rows, BLOCK_ROWS)
    return tuple(np.concatenate(part)[rows] for part in zip(*blocks, strict=True))


def _each_right(given, n_needed, again, parts, right, start):
    """Return rows each of which is given otherwise, the wrong ones drawn again."""
    parts, right = tuple(part.copy() for part in parts), right[:n_needed].copy()
    for attempt in range(1, MAX_BLOCKS):
        wrong = np.flatnonzero(right < EXACTLY)
        if not len(wrong):
            return parts
        rows = np.resize(wrong, BLOCK_ROWS)
        new = again(attempt, start + rows)
        found = given.right(*new)
        best_first = np.argsort(-found, kind="stable")
        places, first = np.unique(rows[best_first], return_index=True)
        best = best_first[first]
        better = found[best] > right[places]
        # What is given of some rows may contradict itself.
        if not better.any():
            break
        places, best = places[better], best[better]
        right[places] = found[best]
        for part, other in zip(parts, new, strict=True):
            part[places] = other[best]
    if given.later and not right.all():
        given.complain(0, attempt * BLOCK_ROWS // len(wrong))
    return parts
