"""What is common to columns that are computed from others."""

import numpy as np

# Share of the rows in which what is computed must be right: a few may be mistaken.
MIN_SHARE = 0.995


class Formula:
    """Column `target` is computed from columns `sources`, and rounded.

    A formula has `made`, which returns what its target should be before it is rounded,
    `invert`, which returns what one of its sources should be, and `slopes`, which tells
    how fast what is made grows with each of them.
    """

    always = True
    # Whether numbers are moved to suit it, however far it varies.
    tied = False
    # Whether the target is never missing where no source is, and always where one is.
    fills = empties = False

    @property
    def movable(self):
        """Places of the sources, those first that should rather be moved."""
        return range(len(self.sources))

    def holds(self, target, *sources, axis):
        """Tell in which rows a target is as exactly what is made as it can be."""
        made = self.made(*sources)
        return np.abs(made - target) <= self.error(made, target, axis)

    def error(self, made, target, axis):
        """Return how far rounding leads a target from what is made."""
        return axis.rounding + axis.noise(made) + axis.noise(target)


def with_one_mixed(sources, order):
    """Yield the sources, one of which, in turns, has the values of other rows."""
    for place, source in enumerate(sources):
        yield [*sources[:place], source[order], *sources[place + 1 :]]
