"""Drawn rows of a table, by which its numbers are brought into focus."""

from functools import partial

import numpy as np
import pandas as pd

from sklearn_tabsyn._columns import FloatColumn
from sklearn_tabsyn._focus import Focus, free_rows
from sklearn_tabsyn._near import find_near, focus_near
from sklearn_tabsyn._within import find_within, focus_within


def bring_into_focus(encoder, real, weights, draw):
    """Let an encoder move drawn numbers to where they should be beside other columns.

    Nothing is drawn if there are no numbers that other columns tell much about.

    Parameters
    ----------
    encoder : TableEncoder
        Decodes the rows.
    real : ndarray of shape (n_rows, n_columns)
        Canonical values of the rows that were learned.
    weights : ndarray of shape (n_rows,)
        Their weights.
    draw : callable
        Returns encoded rows.
    """
    relations, columns = encoder.relations_, encoder.schema.columns
    frame, encoder.focus_ = pd.DataFrame(real[:, : len(columns)]), Focus()
    units, sources = _numbers_and_levels(columns, encoder.kinds_, relations.held)
    near_axes, ways = find_near(columns, frame, units)
    # What is shared among them to reach a total leaves them about where they are.
    shares = {unit for total in relations.totals for unit in total.members}
    units, _ = _numbers_and_levels(columns, encoder.kinds_, relations.held - shares)
    axes, pairs = find_within(columns, frame, units, sources)
    if not ways and not pairs:
        return
    values, levels = draw()
    values, levels = values[:, : encoder.n_values_], levels[:, : encoder.n_codebooks_]
    drawn = encoder.decode_apart(values, levels)
    links = list(encoder.link_places())
    marks = (
        {link.target: relations.marks(link, frame) for link, _ in links},
        {link.target: levels[:, place] for link, place in links},
    )
    real, drawn = (
        (table, partial(free_rows, own, np.zeros(table.shape, dtype=bool)))
        for table, own in zip((frame, drawn), marks, strict=True)
    )
    focus = Focus(axes | near_axes)
    drawn = focus_within(focus, pairs, real, weights, drawn)
    focus_near(focus, ways, real, weights, drawn)
    encoder.focus_ = focus


def _numbers_and_levels(columns, kinds, held):
    """Return the positions of numbers, and of columns of levels, that none makes."""
    free = [unit for unit in range(len(columns)) if unit not in held]
    numbers = [unit for unit in free if kinds[unit] == "continuous"]
    numbers = [unit for unit in numbers if isinstance(columns[unit], FloatColumn)]
    return numbers, [unit for unit in free if kinds[unit] != "continuous"]
