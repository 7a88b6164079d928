"""Which columns of a row are given, in training and when asked for."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

# Kinds of rows in a batch where each kind takes matrices of its own.
N_KINDS = 4


class Layout(NamedTuple):
    """Which columns of the table each encoded column is made of.

    Parameters
    ----------
    missing_levels : ndarray of shape (n_codebooks,), dtype int64
        Level that means missing; -1 if none does.
    value_needs, level_needs : ndarray of shape (n_values or n_codebooks, n_units), bool
        All columns that must be known to know it: also those of which a number is made.
    """

    missing_levels: np.ndarray
    value_needs: np.ndarray
    level_needs: np.ndarray

    @classmethod
    def of(cls, encoders):
        """Return the layout of the encoders of a table, and of the target behind it."""
        starts = 0, len(encoders[0].schema.columns)
        marked = encoders[0].relations_.marked
        sources = {maker.target: maker.sources for maker in marked}
        values, levels, missing = [], [], []
        for encoder, start in zip(encoders, starts, strict=False):
            for slot in encoder.slots_:
                units = [start + unit for unit in slot.units]
                values += [units] * slot.n_values
                levels += [units] * (slot.n_own + slot.gated)
                levels += [[*units, *sources.get(slot.unit, ())]] * (slot.n_marks > 0)
                missing += slot.missing_levels
        n_units = 1 + max(unit for units in values + levels for unit in units)
        needs = [_members(part, n_units) for part in (values, levels)]
        return cls(np.array(missing, dtype=np.int64), *needs)

    @property
    def n_units(self):
        """Number of columns of the table."""
        return self.value_needs.shape[1]

    def alone(self, unit):
        """Return which values and which levels one column makes by itself."""
        return [
            needs[:, unit] & (needs.sum(1) == 1)
            for needs in (self.value_needs, self.level_needs)
        ]


def _members(groups, n_units):
    """Return which units are in each group, (n_groups, n_units)."""
    members = np.zeros((len(groups), n_units), dtype=bool)
    for row, units in zip(members, groups, strict=True):
        row[units] = True
    return members


class Observation(nn.Module):
    """Draws what is given of rows, and tells which encoded columns that gives.

    Parameters
    ----------
    layout : Layout
        Which column of the table each encoded column belongs to.
    share : float, default=1.0
        Share of training rows of which some columns are given.
    """

    def __init__(self, layout, share=1.0):
        super().__init__()
        self.share, self.few_kinds = share, False
        self.n_units = layout.n_units
        for name, array in layout._asdict().items():
            self.register_buffer(name, torch.tensor(array))

    def kinds(self, n_rows):
        """Return the row of a batch, (n,), of whose kind each is.

        If `few_kinds`, rows share what is given of them and its noise level with others
        of the batch; else each is of its own kind.
        """
        rows = torch.arange(n_rows, device=self.missing_levels.device)
        if not self.few_kinds or n_rows <= N_KINDS:
            return rows
        # One of each part of the batch, so that noise levels stay spread.
        each = n_rows // N_KINDS
        chosen = each * rows[:N_KINDS] + torch.randint(each, (N_KINDS,)).to(rows)
        return chosen[rows % N_KINDS]

    def draw(self, batch, kinds):
        """Return what is given of training rows: of some of them nothing.

        Of the others each column is given at a rate drawn uniformly. `kinds` tells
        which rows share what is given, see :meth:`kinds`.
        """
        n_rows, device = len(batch.levels), batch.levels.device
        rate = torch.rand(n_rows, 1, device=device)
        some = torch.rand(n_rows, 1, device=device) < self.share
        units = torch.rand(n_rows, self.n_units, device=device) < rate
        return self.encoded(batch, units[kinds] & some)

    def encoded(self, batch, units):
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
        # What is made of several columns is known of those who know all.
        unknown = (~units).float()
        values, levels = (
            unknown @ needs.T.float() == 0
            for needs in (self.value_needs, self.level_needs)
        )
        return values & batch.has_values.bool(), levels & batch.has_levels.bool()
