"""Encoded rows, handed to a training in shuffled batches until a budget is used."""

import time
from typing import NamedTuple

import numpy as np
import torch
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import _check_sample_weight
from torch import Tensor
from torch.utils.data import Dataset


class Batch(NamedTuple):
    """Clean rows as tensors, with what each row really has.

    Parameters
    ----------
    values : Tensor of shape (n, n_values), dtype float32
        Continuous values; a stand-in where the row has none.
    levels : Tensor of shape (n, n_codebooks), dtype int64
        Levels of codebook columns; a stand-in where the row has none.
    has_values, has_levels : Tensor of the same shapes, dtype float32
        1 where the row has a value or level, 0 where it has none.
    """

    values: Tensor
    levels: Tensor
    has_values: Tensor
    has_levels: Tensor

    def to(self, device):
        """Return the batch on a device."""
        return Batch(*(part.to(device) for part in self))


def middle_batch(low, high, levels):
    """Return encoded rows with the middle of each range, zeros where there is none."""
    values = ((low + high) / 2).nan_to_num()
    has = (~low.isnan()).float(), (levels >= 0).float()
    return Batch(values, levels.long().clamp(min=0), *has)


class RowDataset(Dataset):
    """Encoded rows, handed out as whole batches.

    Tied values are spread over their range, and what a row does not have is
    filled by the value of a random other row, or by one of its own draws, anew each
    time. Fixed rows have the middle of the range, and zeros.

    Parameters
    ----------
    rows : Rows
        Encoded rows.
    weights : ndarray of shape (n_rows,), default=None
        Weights of the rows, brought to mean 1; equal if None.
    fixed : bool, default=False
        Whether a row is the same each time.

    Attributes
    ----------
    draws : (Tensor, Tensor) or None
        Values, (n_draws, n, n_values), and levels, (n_draws, n, n_codebooks), that fill
        what each row does not have.
    """

    def __init__(self, rows, weights=None, *, fixed=False):
        self.rows, self.fixed, self.draws = rows, fixed, None
        self.low, self.high = torch.from_numpy(rows.low), torch.from_numpy(rows.high)
        self.levels = torch.from_numpy(rows.levels)
        if weights is None:
            weights = np.ones(len(rows.levels))
        self.weights = torch.tensor(weights / weights.mean(), dtype=torch.float32)
        self.value_pool = _Pool(self.low, ~self.low.isnan())
        self.level_pool = _Pool(self.levels, self.levels >= 0)

    def __len__(self):
        return len(self.levels)

    def __getitems__(self, indices):
        """Return (batch, weights) of the rows at `indices`."""
        indices = torch.as_tensor(indices)
        low, high, levels = self.low[indices], self.high[indices], self.levels[indices]
        if self.fixed:
            return middle_batch(low, high, levels), self.weights[indices]
        has_values, has_levels = ~low.isnan(), levels >= 0
        values = low + torch.rand_like(low) * (high - low)
        if self.draws is None:
            values = self.value_pool.fill(values, has_values)
            levels = self.level_pool.fill(levels, has_levels)
        else:
            which = torch.randint(len(self.draws[0]), (len(low),))
            own = (draws[which, indices] for draws in self.draws)
            values = torch.where(has_values, values, next(own))
            levels = torch.where(has_levels, levels, next(own))
        batch = Batch(values, levels.long(), has_values.float(), has_levels.float())
        return batch, self.weights[indices]

    def some(self, indices, *, fixed=False):
        """Return some of the rows."""
        rows = type(self.rows)(*(part[indices] for part in self.rows))
        dataset = RowDataset(rows, self.weights[indices].double().numpy(), fixed=fixed)
        if self.draws is not None:
            dataset.draws = tuple(part[:, indices] for part in self.draws)
        return dataset


class _Pool:
    """What the rows really have of each column that some rows do not have."""

    def __init__(self, columns, present):
        self.gated = torch.nonzero(~present.all(0)).flatten()
        parts = [columns[present[:, j], j] for j in self.gated]
        parts = [part if len(part) else columns.new_zeros(1) for part in parts]
        self.counts = torch.tensor([len(part) for part in parts])
        self.starts = self.counts.cumsum(0) - self.counts
        self.entries = torch.cat(parts) if parts else columns.new_zeros(0)

    def fill(self, columns, present):
        """Return the columns with random entries where nothing is present."""
        if not len(self.gated):
            return columns
        gated = columns[:, self.gated]
        places = (torch.rand(gated.shape) * self.counts).long() + self.starts
        filled = torch.where(present[:, self.gated], gated, self.entries[places])
        columns = columns.clone()
        columns[:, self.gated] = filled
        return columns


class Budget:
    """How much of a training is done, by its steps or by its time.

    Parameters
    ----------
    max_iter : int
        Number of steps.
    max_time : float, default=None
        Seconds from the first step; no limit if None.
    steps_per_epoch : int, default=50
        Steps between two looks at the held-out rows.
    """

    def __init__(self, max_iter, max_time=None, steps_per_epoch=50):
        self.max_iter, self.max_time = max_iter, max_time
        self.steps_per_epoch = min(steps_per_epoch, max_iter)
        self.step, self.start = 0, None

    @property
    def max_epochs(self):
        """Number of epochs that hold all steps."""
        return -(-self.max_iter // self.steps_per_epoch)

    def progress(self):
        """Return the share of the budget that is used, from 0 to 1."""
        if self.start is None:
            self.start = time.perf_counter()
        share = self.step / self.max_iter
        if self.max_time is not None:
            share = max(share, (time.perf_counter() - self.start) / self.max_time)
        return min(share, 1.0)


class ShuffledBatches:
    """Batches of indices from an endless stream of shuffled passes over the rows.

    Parameters
    ----------
    n_rows, batch_size : int
        Rows to shuffle, and rows of a batch.
    budget : Budget
        Ends an iteration after an epoch, or when it is used up.
    """

    def __init__(self, n_rows, batch_size, budget):
        self.n_rows, self.batch_size, self.budget = n_rows, batch_size, budget
        self.waiting = torch.empty(0, dtype=torch.long)

    def __len__(self):
        return self.budget.steps_per_epoch

    def __iter__(self):
        for _ in range(len(self)):
            # The first step is always taken, so that there is a loss to report.
            if self.budget.progress() == 1 and self.budget.step:
                return
            self.budget.step += 1
            while len(self.waiting) < self.batch_size:
                self.waiting = torch.cat([self.waiting, torch.randperm(self.n_rows)])
            yield self.waiting[: self.batch_size]
            self.waiting = self.waiting[self.batch_size :]


def weighted_rows(X, y, sample_weight):
    """Return the rows that have a weight, their targets, and their weights.

    Raises
    ------
    ValueError
        If no row has a weight, or `y` or the weights have another length than `X`.
    """
    check_consistent_length(X, y)
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    kept = np.flatnonzero(weights)
    if len(kept) == len(weights):
        return X, y, weights
    if not len(kept):
        raise ValueError(
            "sample_weight must be positive for at least one row; all are zero."
        )
    y = None if y is None else _safe_indexing(y, kept)
    return _safe_indexing(X, kept), y, weights[kept]


def shuffled_rows(dataset, n_last):
    """Return rows in random order, and the last of them once more, fixed."""
    order = torch.randperm(len(dataset)).numpy()
    return dataset.some(order), dataset.some(order[-n_last:], fixed=True)


def split_rows(dataset, fraction):
    """Return rows, and a random share of them that is held out, and fixed."""
    n_rows = len(dataset)
    if n_rows < 2:
        raise ValueError(
            f"early_stopping=True needs at least 2 rows; got n_samples={n_rows}. Set "
            "early_stopping=False."
        )
    n_held_out = min(max(1, round(fraction * n_rows)), n_rows - 1)
    order = torch.randperm(n_rows).numpy()
    held_out, kept = order[:n_held_out], order[n_held_out:]
    return dataset.some(kept), dataset.some(held_out, fixed=True)
