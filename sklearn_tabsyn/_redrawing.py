"""Rows of which columns are given, drawn again until all that is asked of them holds.

What relations make of other columns is known once these are drawn. So restrictions of
it cannot be met beforehand, and what is given may leave few values of other columns
that suit all of it: rows are drawn until they do.
"""

from functools import partial

import numpy as np

from sklearn_tabsyn._generation import BLOCK_ROWS

# Blocks that are drawn for one at most, and those without any right row that end it.
MAX_BLOCKS, HOPELESS = 64, 4


def draw_right(given, n_rows, draw, place):
    """Return a block of rows that are right, as far as they can be.

    Parameters
    ----------
    given : Given
        What is given of the rows, and tells which are right.
    n_rows : int
        Rows of all blocks; those beyond need not be right.
    draw : callable
        Draws the block at a place, and by the noise of an attempt, if that is told,
        rows for others.
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
    if right[:n_needed].all():
        return parts
    again = partial(draw, place)
    if len(given.cells.values) == 1:
        return _first_right(given, n_needed, again, parts, right)
    start = place * BLOCK_ROWS
    return _each_right(given, n_needed, again, parts, right, start)


def _first_right(given, n_needed, again, parts, right):
    """Return the first right rows of blocks of which all rows are to be alike."""
    kept, n_right = [tuple(part[right] for part in parts)], right.sum()
    for attempt in range(1, MAX_BLOCKS):
        if n_right >= n_needed or (attempt == HOPELESS and not n_right):
            break
        new = again(attempt)
        right = given.right(*new)
        kept.append(tuple(part[right] for part in new))
        n_right += right.sum()
    if n_right < n_needed:
        given.complain(n_right, attempt * BLOCK_ROWS)
        return parts
    rows = np.arange(BLOCK_ROWS) % n_right
    return tuple(np.concatenate(part)[rows] for part in zip(*kept, strict=True))


def _each_right(given, n_needed, again, parts, right, start):
    """Return rows each of which is given otherwise, the wrong ones drawn again."""
    parts = tuple(part.copy() for part in parts)
    wrong = np.flatnonzero(~right[:n_needed])
    for attempt in range(1, MAX_BLOCKS):
        rows = np.resize(wrong, BLOCK_ROWS)
        new = again(attempt, start + rows)
        places = np.flatnonzero(given.right(*new))
        found, first = np.unique(rows[places], return_index=True)
        for part, other in zip(parts, new, strict=True):
            part[found] = other[places[first]]
        wrong = np.setdiff1d(wrong, found)
        # What is given of some may contradict itself.
        if not len(wrong) or not len(found):
            break
    if len(wrong) and given.later:
        given.complain(0, attempt * BLOCK_ROWS // len(wrong))
    return parts
