"""Columns of which others tell nothing, and which would be learned by heart."""

import itertools

import numpy as np
import scipy.sparse as sp
import torch
from scipy.stats import chi2
from skorch.callbacks import Callback

# Bins of numbers, of equally many rows, and frequent levels beside one for all others.
N_BINS, N_FREQUENT = 10, 50
# The chance that a column seems to depend on any other, but does not.
CHANCE = 0.05
# Share of the training after which the rows that were held back are looked at, and
# noise levels of that, as in training: one from each of so many equal cells.
UNTIL, N_LEVELS = 0.5, 24
# Standard errors above zero from which on the network tells something.
CERTAIN = 2.0


class IndependentColumns(Callback):
    """Leave alone, from half of a training on, columns of which others tell nothing.

    Of a column that depends on no other a network can only learn by heart what its
    training rows have; new rows come near to these by it. A column is independent if no
    pair shows that it depends on another, and if the network, which may know of more
    than pairs, tells nothing of it in rows that are held back until half of the
    training. Then these are trained on as all others.

    Parameters
    ----------
    budget : Budget
        Tells how much of the training is done.
    held_back : RowDataset
        Rows that are not trained on yet, as they are.
    unrelated : Tensor of shape (C,), dtype bool
        Columns, in the order of the blocks, that no pair shows to depend on others.
    """

    def __init__(self, budget, held_back, unrelated):
        self.budget, self.held_back, self.unrelated = budget, held_back, unrelated

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        """Look at the rows if it is time, and use them from then on."""
        if self.held_back is None or self.budget.progress() < UNTIL:
            return
        net.module_.eval()
        gains = self._gains(net.module_, net.criterion_)
        error = gains.std(0) / len(gains) ** 0.5
        told = gains.mean(0) > CERTAIN * error
        net.module_.leave_alone(self.unrelated.to(told.device) & ~told)
        net.batches_.n_rows = len(dataset_train)
        self.held_back = None

    def _gains(self, denoiser, criterion):
        """Return what the network tells of each column of each row, (n, C), in nats.

        How much less its cross-entropy is than if the column were independent.
        """
        batch, weights = self.held_back.__getitems__(np.arange(len(self.held_back)))
        batch, weights = batch.to(denoiser.mean.device), weights.to(denoiser.mean)
        share = (torch.arange(N_LEVELS) + 0.5) / N_LEVELS
        sigmas = (criterion.P_mean + criterion.P_std * torch.special.ndtri(share)).exp()
        source, gains = torch.Generator().manual_seed(0), 0.0
        with torch.no_grad():
            clean = denoiser.encode(batch)
            silent = [clean.new_zeros(len(clean), n) for n in denoiser.n_outputs]
            for sigma in sigmas.tolist():
                noise = torch.randn(clean.shape, generator=source).to(clean)
                level = clean.new_full((len(clean),), sigma)
                noisy = clean + sigma * noise, level, batch
                gains = gains + denoiser.entropies(*noisy, outputs=silent)
                gains = gains - denoiser.entropies(*noisy)
        return gains * weights[:, None] / N_LEVELS


def find_unrelated(denoiser, rows):
    """Return which columns, (C,), depend on no other, as far as pairs of them show.

    By the chi-squared test of independence (Pearson 1900) of each pair of columns, with
    the levels of significance of Bonferroni.

    Parameters
    ----------
    denoiser : Denoiser
        Knows the order of its blocks.
    rows : Rows
        Encoded rows.
    """
    n_values = rows.low.shape[1]
    bins = [_bins(column) for column in ((rows.low + rows.high) / 2).T]
    tables = [_hot(codes) for codes in [*bins, *map(_frequent, rows.levels.T)]]
    alone = np.ones(len(tables), dtype=bool)
    for pair in itertools.combinations(range(len(tables)), 2):
        if alone[list(pair)].any():
            first, second = (tables[column] for column in pair)
            chance = _chance((first.T @ second).toarray())
            if chance * (len(tables) - 1) < CHANCE:
                alone[list(pair)] = False
    alone = torch.from_numpy(alone)[None]
    return denoiser.labels(alone[:, :n_values], alone[:, n_values:])[0] > 0


def _bins(values):
    """Return the bins of numbers, -1 of missing ones."""
    there = values[~np.isnan(values)]
    if not len(there):
        return np.full(len(values), -1)
    edges = np.quantile(there, np.arange(1, N_BINS) / N_BINS)
    return np.where(np.isnan(values), -1, np.searchsorted(edges, values, "right"))


def _frequent(levels):
    """Return levels, the rare ones of them as one further."""
    counts = np.bincount(levels[levels >= 0], minlength=1)
    rare = np.argsort(-counts, kind="stable")[N_FREQUENT:]
    return np.where(np.isin(levels, rare), len(counts), levels)


def _hot(codes):
    """Return 1 at the code that each row has, (n, n_codes)."""
    codes = np.unique(codes, return_inverse=True)[1]
    return sp.csr_array((np.ones(len(codes)), (np.arange(len(codes)), codes)))


def _chance(counts):
    """Return how likely independent columns have counts as uneven, (r, c), as these."""
    free = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if not free:
        return 1.0
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    return chi2.sf(((counts - expected) ** 2 / expected).sum(), free)
