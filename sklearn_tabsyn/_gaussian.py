"""What the columns of few rows tell about each other, as if they were Gaussian."""

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tabsyn._shrinkage import shrunk_covariance

# More coordinates than this would take longer than the network.
MAX_COORDINATES = 512
# The least variance of any direction, in units of the variance of a coordinate.
MIN_EIGENVALUE = 1e-3
# The largest share of its variance that a coordinate is told by others.
MAX_TOLD = 0.99


class GaussianEvidence(nn.Module):
    """What all other coordinates of a noisy row tell about each of them.

    Noisy rows of jointly Gaussian coordinates are Gaussian themselves, so what the
    others tell is known exactly: a Gaussian factor `exp(h u - J u^2 / 2)` of the
    deviation u of the clean coordinate from its mean.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
        Covariance of the clean coordinates.
    mean, variance : Tensor of shape (d,)
        Mean and variance of each by itself.
    """

    def __init__(self, covariance, mean, variance):
        super().__init__()
        eigenvalues, directions = np.linalg.eigh(covariance)
        self.register_buffer("eigenvalues", torch.from_numpy(eigenvalues).to(mean))
        self.register_buffer("directions", torch.from_numpy(directions).to(mean))
        self.register_buffer("mean", mean.clone())
        self.register_buffer("varies", variance > 0)
        self.register_buffer("variance", torch.where(self.varies, variance, 1.0))

    def forward(self, x: Tensor, sigma: Tensor):
        """Return h and J, (n, d) each, of coordinates, (n, d), with noise (n,)."""
        x = x - self.mean
        variances = self.eigenvalues.clamp(min=0) + sigma[:, None] ** 2
        weights = (x @ self.directions / variances) @ self.directions.T
        squares = self.directions.T**2
        precision = variances.reciprocal() @ squares
        # The mean of a clean coordinate, and the share of its variance that is gone,
        # given the other noisy ones.
        mean = x - weights / precision
        left = (self.eigenvalues.clamp(min=0) / variances) @ squares / precision
        told = (1 - left / self.variance).clamp(0, MAX_TOLD) * self.varies
        pull = mean / (self.variance * (1 - told)) * self.varies
        return pull, told / (1 - told) / self.variance


def learn_covariance(denoiser, dataset):
    """Return the covariance of the coordinates of rows, if there can be one.

    Its eigenvalues are shrunk, the more the fewer rows there are.

    Parameters
    ----------
    denoiser : Denoiser
        Encodes rows.
    dataset : RowDataset
        The training rows and their weights.

    Returns
    -------
    covariance : ndarray of shape (d, d), dtype float64, or None
        The covariance; None of one row, or of too many coordinates. Those of one
        column have none with each other: what it tells of itself is known already.
    """
    if len(dataset) == 1 or len(denoiser.mean) > MAX_COORDINATES:
        return None
    batch, weights = dataset.__getitems__(np.arange(len(dataset)))
    deviations = denoiser.encode(batch) - denoiser.mean
    scale = denoiser.variance.sqrt().double().numpy()
    varies = scale > 0
    scores = (deviations * weights[:, None].sqrt()).double().numpy()
    scores = scores / np.where(varies, scale, 1)
    correlation = shrunk_covariance(scores)
    novelty = torch.cat([block.novelty for block in denoiser.blocks]).double().numpy()
    correlation *= novelty[:, None] * novelty
    owners = denoiser.owners.numpy()
    correlation[owners[:, None] == owners] = 0
    np.fill_diagonal(correlation, 1)
    return _positive(correlation) * scale[:, None] * scale


def _positive(correlation):
    """Return the correlation with no eigenvalue below the least."""
    eigenvalues, directions = np.linalg.eigh(correlation)
    lifted = (directions * eigenvalues.clip(MIN_EIGENVALUE)) @ directions.T
    scale = np.sqrt(np.diag(lifted))
    return lifted / scale / scale[:, None]
