"""What few rows might have where they have nothing, by all else that they have."""

import numpy as np
import torch

from sklearn_tabsyn._batches import middle_batch
from sklearn_tabsyn._shrinkage import shrunk_covariance

# Rounds until draws and correlations have settled, and rounds that are kept.
N_ROUNDS, N_KEPT = 20, 10
# More coordinates than this would take longer than the training.
MAX_COORDINATES = 512
# The least variance of any direction, as a share of that of a coordinate.
MIN_EIGENVALUE = 1e-2
# Noise at which coordinates are read as values and levels.
SIGMA = 0.02


def draw_gaps(denoiser, dataset):
    """Return values and levels that rows might have, several times; None if no gaps.

    If gaps were filled by values of random other rows, columns would seem to depend on
    each other the less, the more is missing. Many rows teach a network which columns to
    believe; few cannot. So rows are taken as Gaussian: in turn each gap is drawn given
    all else of its row, and the covariance estimated anew (stochastic expectation and
    maximisation, Celeux and Diebolt 1985).

    Parameters
    ----------
    denoiser : Denoiser
        Encodes rows, and reads values and levels back.
    dataset : RowDataset
        The training rows and their weights.

    Returns
    -------
    values : Tensor of shape (n_draws, n, n_values), dtype float32
        Continuous values, also where a row has its own.
    levels : Tensor of shape (n_draws, n, n_codebooks), dtype int64
        Levels of codebook columns.
    """
    batch = middle_batch(dataset.low, dataset.high, dataset.levels)
    absent = denoiser.labels(batch.has_values, batch.has_levels) == 0
    few = len(absent) < 2 or len(denoiser.mean) > MAX_COORDINATES
    if few or not absent.any():
        return None
    scale = torch.where(denoiser.variance > 0, denoiser.variance.sqrt(), 1.0)
    scores = (denoiser.encode(batch) - denoiser.mean) / scale
    owners = denoiser.owners
    scores = torch.where(absent[:, owners], 0.0, scores).double().numpy()
    gaps = [
        (np.flatnonzero(absent[:, column]), np.flatnonzero(owners == column))
        for column in torch.nonzero(absent.any(0)).flatten()
    ]
    draws = _completed(scores, gaps, dataset.weights.double().numpy())
    draws = [denoiser.mean + torch.tensor(part).float() * scale for part in draws]
    parts = zip(*(_read(denoiser, part) for part in draws), strict=True)
    return tuple(map(torch.stack, parts))


def _read(denoiser, x):
    """Return the values and levels nearest to coordinates, each column by itself."""
    silent = [x.new_zeros(1, n_outputs) for n_outputs in denoiser.n_outputs]
    sizes = denoiser.n_values, denoiser.n_codebooks
    middle = [x.new_full((len(x), size), 0.5) for size in sizes]
    return denoiser.decode(x, x.new_full((1,), SIGMA), middle, outputs=silent)


def _completed(scores, gaps, weights):
    """Yield scores, (n, d), with new draws in each of the gaps.

    A gap is a column: its rows that have nothing, and its coordinates.
    """
    random = np.random.default_rng(0)
    for place in range(N_ROUNDS + N_KEPT):
        mean = np.average(scores, axis=0, weights=weights)
        deviations = scores - mean
        covariance = (deviations * weights[:, None]).T @ deviations / len(scores)
        covariance = shrunk_covariance(covariance, len(scores) - 1)
        precision = np.linalg.inv(covariance + MIN_EIGENVALUE * np.eye(len(mean)))
        for rows, own in gaps:
            left = np.linalg.inv(precision[np.ix_(own, own)])
            pull = deviations[rows] @ precision[:, own]
            noise = random.normal(size=pull.shape) @ np.linalg.cholesky(left).T
            deviations[np.ix_(rows, own)] += noise - pull @ left
        scores = mean + deviations
        if place >= N_ROUNDS:
            yield scores
