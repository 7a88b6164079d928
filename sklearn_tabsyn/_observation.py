"""Which columns of a row are given, in training and when asked for."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn


class Layout(NamedTuple):
    """Which column of the table each encoded column belongs to.

    Parameters
    ----------
    value_units : ndarray of shape (n_values,), dtype int64
        Column of the table of each continuous value.
    level_units : ndarray of shape (n_codebooks,), dtype int64
        Column of the table of each codebook column.
    missing_levels : ndarray of shape (n_codebooks,), dtype int64
        Level that means missing; -1 if none does.
    sources : ndarray of shape (n_codebooks,), dtype int64
        For those that say whether a number is made of that of another column, this
        other column; -1 elsewhere.
    """

    value_units: np.ndarray
    level_units: np.ndarray
    missing_levels: np.ndarray
    sources: np.ndarray

    @classmethod
    def of(cls, encoders):
        """Return the layout of the encoders of a table, and of the target behind it."""
        starts = 0, len(encoders[0].schema.columns)
        sources = {link.target: link.source for link in encoders[0].relations_.marked}
        values, levels, missing, linked = [], [], [], []
        for encoder, start in zip(encoders, starts, strict=False):
            for slot in encoder.slots_:
                unit = start + slot.unit
                values += [unit] * slot.n_values
                levels += [unit] * slot.n_codebooks
                missing += slot.missing_levels
                source = [sources.get(unit)] * slot.linked
                linked += [-1] * (slot.n_own + slot.gated) + source
        parts = values, levels, missing, linked
        return cls(*(np.array(part, dtype=np.int64) for part in parts))

    @property
    def n_units(self):
        """Number of columns of the table."""
        return 1 + max([*self.value_units, *self.level_units], default=-1)


class Observation(nn.Module):
    """Draws and spreads what is given of rows, from table to encoded columns.

    Parameters
    ----------
    layout : Layout
        Which column of the table each encoded column belongs to.
    share : float, default=1.0
        Share of training rows of which some columns are given.
    """

    def __init__(self, layout, share=1.0):
        super().__init__()
        self.share = share
        self.n_units = layout.n_units
        for name, array in layout._asdict().items():
            self.register_buffer(name, torch.as_tensor(array))

    def draw(self, batch):
        """Return what is given of training rows: of some of them nothing.

        Of the others each column is given at a rate drawn uniformly.
        """
        n_rows, device = len(batch.levels), batch.levels.device
        rate = torch.rand(n_rows, 1, device=device)
        some = torch.rand(n_rows, 1, device=device) < self.share
        units = torch.rand(n_rows, self.n_units, device=device) < rate
        return self.spread(batch, units & some)

    def spread(self, batch, units):
        """Return which encoded columns are given.

        Parameters
        ----------
        batch : Batch
            The rows.
        units : Tensor of shape (n, n_units), dtype bool
            Columns of the table that are given.

        Returns
        -------
        values, levels : Tensor of shape (n, n_values) and (n, n_codebooks), bool
            What is given and there.
        """
        values = units[:, self.value_units] & batch.has_values.bool()
        # Whether a number is made of another is known of those who know both.
        both = (self.sources < 0) | units[:, self.sources.clamp(min=0)]
        levels = units[:, self.level_units] & both
        return values, levels & batch.has_levels.bool()
