"""Drawn rows of a table, by which its numbers are brought into focus."""

from functools import partial

import numpy as np
import pandas as pd

from sklearn_tabsyn._columns import FloatColumn
from sklearn_tabsyn._focusing._focus import Focus, free_rows, movable
from sklearn_tabsyn._focusing._near import find_near, focus_near
from sklearn_tabsyn._focusing._within import find_within, focus_within


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
    axes, ways, pairs = _find(columns, encoder.kinds_, relations, frame)
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
    focus = Focus(axes)
    drawn = focus_within(focus, pairs, real, weights, drawn)
    focus_near(focus, ways, real, weights, drawn)
    encoder.focus_ = focus


def _find(columns, kinds, relations, frame):
    """Return the axes of numbers, those near to others, and those that levels tell."""
    held = relations.held
    # What is shared among them to reach a total leaves them about where they are.
    fixed = held - {unit for total in relations.totals for unit in total.members}
    units = [unit for unit, kind in enumerate(kinds) if kind == "continuous"]
    units = [unit for unit in units if isinstance(columns[unit], FloatColumn)]
    levels = [unit for unit, kind in enumerate(kinds) if kind != "continuous"]
    axes, ways = find_near(columns, frame, [unit for unit in units if unit not in held])
    pairs = find_within(
        frame,
        [unit for unit in units if unit not in fixed],
        [unit for unit in levels if unit not in held],
    )
    axes |= movable(columns, frame, {pair.target for pair in pairs} - axes.keys())
    return axes, ways, [pair for pair in pairs if pair.target in axes]
