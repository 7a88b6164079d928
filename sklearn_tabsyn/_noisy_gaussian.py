"""What noisy rows of Gaussian clusters tell about each of their coordinates."""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

# Numbers that the matrices of different kinds of noise hold at a time.
MAX_NUMBERS = 2**19


class Told(NamedTuple):
    """What the coordinates of noisy rows tell about each other in each cluster.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        The noisy rows.
    deviations : Tensor of shape (k, n, d)
        How far they are from the mean of the clean rows of a cluster.
    weights : Tensor of shape (k, n, d)
        The precision matrix of the noisy rows times their deviations.
    precision : Tensor of shape (k, n, d), or (k, 1, d) if all have one noise level
        Its diagonal.
    left : Tensor of shape (k, n, d) or (k, 1, d)
        Variance of each clean coordinate, given all other noisy ones.
    log_spread : Tensor of shape (k, n) or (k, 1)
        Logarithm of the determinant of the covariance of noisy rows.
    """

    x: Tensor
    deviations: Tensor
    weights: Tensor
    precision: Tensor
    left: Tensor
    log_spread: Tensor

    @property
    def means(self):
        """Mean of each clean coordinate, (k, n, d), given all other noisy ones."""
        return self.x - self.weights / self.precision

    @property
    def log_density(self):
        """Log-density of the rows, (k, n), but for a constant."""
        return -((self.deviations * self.weights).sum(2) + self.log_spread) / 2

    @property
    def log_each(self):
        """Log-density of each coordinate given all others, (k, n, d), the same."""
        return (self.precision.log() - self.weights**2 / self.precision) / 2


class NoisyGaussians(nn.Module):
    """Clusters of rows that are jointly Gaussian, to which noise was added.

    Parameters
    ----------
    centers, covariances : ndarray of shape (k, d) and (k, d, d)
        Mean and covariance of the clean rows of each cluster.
    """

    def __init__(self, centers, covariances):
        super().__init__()
        eigenvalues, directions = np.linalg.eigh(covariances)
        buffers = {
            "centers": centers[:, None],
            "eigenvalues": eigenvalues.clip(0),
            "directions": directions,
        }
        for name, array in buffers.items():
            self.register_buffer(name, torch.tensor(array).float())

    def forward(self, x: Tensor, noise: Tensor) -> Told:
        """Return what the coordinates of noisy rows tell about each other.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Noisy rows.
        noise : Tensor of shape (n, d), (n, 1) or (1, 1)
            Variance of the noise of each coordinate, of each row, or of all.
        """
        deviations = x - self.centers
        weigh = _weigh
        if noise.shape[1] > 1:
            # A matrix for each kind of noise: often all rows have the same.
            noise, kinds = noise.unique(dim=0, return_inverse=True)
            weigh = partial(_weigh_each, kinds=kinds)
        clusters = zip(deviations, self.eigenvalues, self.directions, strict=True)
        parts = [weigh(*cluster, noise) for cluster in clusters]
        return Told(x, deviations, *map(torch.stack, zip(*parts, strict=True)))


def _weigh(deviations, eigenvalues, directions, noise):
    """Return the rest of what is told, if a row has one noise level."""
    variances = eigenvalues + noise
    inverse = variances.reciprocal()
    if len(noise) == 1:
        # one matrix for all rows, half the products
        weights = deviations @ ((directions * inverse) @ directions.T)
    else:
        weights = (deviations @ directions * inverse) @ directions.T
    precision = inverse @ directions.T**2
    # The share of its variance that is gone, given the other noisy ones.
    left = (eigenvalues / variances) @ directions.T**2 / precision
    return weights, precision, left, variances.log().sum(1)


def _weigh_each(deviations, eigenvalues, directions, noise, kinds):
    """Return the same if each coordinate of a kind has a noise level of its own."""
    cluster = partial(_inverted, eigenvalues, directions)
    parts = map(cluster, noise.split(max(1, MAX_NUMBERS // noise.shape[1] ** 2)))
    inverse, *rest = map(torch.cat, zip(*parts, strict=True))
    if len(noise) == 1:
        weights = deviations @ inverse[0]
    else:
        weights = torch.einsum("nij,nj->ni", inverse[kinds], deviations)
    return weights, *(part[kinds] for part in rest)


def _inverted(eigenvalues, directions, noise):
    """Return precision matrices, their diagonals, what is left, and log-spreads."""
    # What is left is small beside strong noise; Apple's GPUs know no doubles.
    exact = torch.float32 if noise.device.type == "mps" else torch.float64
    directions, eigenvalues, levels = (
        part.to(exact) for part in (directions, eigenvalues, noise)
    )
    covariance = (directions * eigenvalues) @ directions.T
    root = torch.linalg.cholesky(covariance + torch.diag_embed(levels))
    inverse = torch.cholesky_inverse(root)
    precision = inverse.diagonal(dim1=1, dim2=2)
    left = (1 / precision - levels).clamp(min=0)
    log_spread = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
    return [part.to(noise) for part in (inverse, precision, left, log_spread)]
