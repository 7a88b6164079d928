"""Numbers that are drawn blurred beside other columns, brought into focus.

A network knows about where a number is. What it leaves of another one near to it, such
as a bill beside the one before, or a low price beside a high one, may be far narrower,
and so may be what a level leaves open. Where drawn rows show that, the number is moved
to where real ones lie beside the other column.
"""

from dataclasses import dataclass, field

import numpy as np

from sklearn_tabsyn._relations._axes import Axis
from sklearn_tabsyn._relations._reconciling import can_be_moved


@dataclass
class Focus:
    """All numbers of a table that are moved to where they should be beside others.

    Parameters
    ----------
    axes : dict of int to Axis
        Positions and axes of the numbers.
    moves : list of Beside
        Sources before their targets.
    """

    axes: dict = field(default_factory=dict)
    moves: list = field(default_factory=list)

    def sharpen(self, frame, free):
        """Return a frame of drawn canonical values with numbers moved.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Drawn values. Never changed.
        free : callable
            Tells in which rows a column, by its position, may be moved.
        """
        for move in self.moves:
            axis = self.axes[move.target]
            moved = move.moved(*self.read_pair(move, frame, free))
            moved = axis.write(axis.nearest(moved))
            column = np.where(np.isnan(moved), frame[move.target], moved)
            frame = frame.copy(deep=False)
            frame[move.target] = column
        return frame

    def learn(self, move, real, weights, drawn):
        """Add a move of numbers, and return drawn rows as others will see them.

        `real` and `drawn` are frames with what tells which rows are free.
        """
        pairs = [self.read_pair(move, *table) for table in (real, drawn)]
        move.learn(pairs[0], weights, pairs[1])
        self.moves.append(move)
        return Focus(self.axes, [move]).sharpen(*drawn), drawn[1]

    def read_pair(self, move, frame, free):
        """Return targets, NaN where they are not free, and sources as they will be."""
        target = self.read_free(move.target, frame, free)
        source = self.read(move.source, frame)
        if move.source in self.axes:
            source = self.axes[move.source].nearest(source)
        return target, source

    def read_free(self, unit, frame, free):
        """Return a number on its axis, NaN where it is not free."""
        return np.where(free(unit), self.read(unit, frame), np.nan)

    def read(self, unit, frame):
        """Return a column, on its axis if it is one of the numbers."""
        values = frame[unit].to_numpy()
        return self.axes[unit].read(values) if unit in self.axes else values


def free_rows(marks, known, unit):
    """Tell in which rows a column is neither given nor made of another one.

    Parameters
    ----------
    marks : dict of int to ndarray of shape (n_rows,)
        Where a link or product counts, by its target; 0 or less elsewhere.
    known : ndarray of shape (n_rows, n_columns), dtype bool
        Which cells are given.
    unit : int
        Position of the column.
    """
    free = ~known[:, unit]
    return free & (marks[unit] <= 0) if unit in marks else free


@np.errstate(all="ignore")  # numbers may be too large to square
def movable(columns, frame, units):
    """Return the axes, by their positions, of those columns whose numbers may move."""
    axes = {}
    for unit in sorted(units):
        values = frame[unit].to_numpy()
        axis = Axis(columns[unit], values, discrete=False)
        if can_be_moved(axis.read(values), axis):
            axes[unit] = axis
    return axes
