"""Drawn rows, whose cells relations read and change."""

import numpy as np


class Drawn:
    """The columns of a frame that relations read and change.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Drawn canonical values. Never changed.
    known : ndarray of shape (n_rows, n_columns), dtype bool
        Cells that are given. Copied.
    gaps : bool, default=True
        Whether a value may become a missing one.
    """

    def __init__(self, frame, known, gaps=True):
        self._frame, self._columns, self.gaps = frame, {}, gaps
        self.known = known.T.copy()

    def __getitem__(self, unit):
        if unit not in self._columns:
            self._columns[unit] = self._frame[unit].to_numpy(np.float64, copy=True)
        return self._columns[unit]

    def put(self, unit, rows, values):
        """Set a column where `rows` says so."""
        self[unit][rows] = values[rows]

    def frame(self):
        """Return the frame with all changes."""
        frame = self._frame.copy(deep=False)
        for unit, column in self._columns.items():
            frame[unit] = column
        return frame
