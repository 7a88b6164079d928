"""Rows of a fitted denoiser, by which the numbers of a table are brought into focus."""

from functools import partial

import numpy as np
import pandas as pd

from sklearn_tabsyn._focus import Focus, find_near, free_rows, learn_focus
from sklearn_tabsyn._generation import draw_whole

# Rows that are drawn.
N_DRAWN = 16_384


def bring_into_focus(encoder, real, weights, draw, verbose=0):
    """Let an encoder move drawn numbers to where they should be beside others.

    Nothing is drawn if no numbers are near to each other.

    Parameters
    ----------
    encoder : TableEncoder
        Decodes the rows.
    real : ndarray of shape (n_rows, n_columns)
        Canonical values of the rows that were learned.
    weights : ndarray of shape (n_rows,)
        Their weights.
    draw : callable
        Returns blocks that hold a number of encoded rows.
    verbose : int
        Shows a progress bar if not 0.
    """
    relations, columns = encoder.relations_, encoder.schema.columns
    frame, encoder.focus_ = pd.DataFrame(real[:, : len(columns)]), Focus()
    axes, ways = find_near(columns, encoder.kinds_, frame, relations.held)
    if not ways:
        return
    values, levels = draw_whole(draw, min(len(frame), N_DRAWN), "focus", verbose)
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
    encoder.focus_ = learn_focus(axes, ways, real, weights, drawn)
