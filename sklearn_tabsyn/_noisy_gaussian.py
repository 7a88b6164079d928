"""What noisy Gaussian rows tell about each of their coordinates."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

# Numbers that the matrices of different kinds of noise hold at a time.
MAX_NUMBERS = 2**19


class Told(NamedTuple):
    """What the coordinates of noisy rows tell about each other.

    Parameters
    ----------
    x, deviations : Tensor of shape (n, d)
        The noisy rows, and how far they are from the mean of clean ones.
    weights : Tensor of shape (n, d)
        The precision matrix of the noisy rows times their deviations.
    precision : Tensor of shape (n, d), or (1, d) if all rows have one noise level
        Its diagonal.
    left : Tensor of shape (n, d) or (1, d)
        Variance of each clean coordinate, given all other noisy ones.
    log_spread : Tensor of shape (n,) or (1,)
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
        """Mean of each clean coordinate, (n, d), given all other noisy ones."""
        return self.x - self.weights / self.precision

    @property
    def log_density(self):
        """Log-density of the rows, (n,), but for a constant."""
        return -((self.deviations * self.weights).sum(1) + self.log_spread) / 2

    @property
    def log_each(self):
        """Log-density of each coordinate given all others, (n, d), the same."""
        return (self.precision.log() - self.weights**2 / self.precision) / 2


class NoisyGaussian(nn.Module):
    """Rows that are jointly Gaussian, to which noise was added.

    Parameters
    ----------
    center, covariance : ndarray of shape (d,) and (d, d)
        Mean and covariance of the clean rows.
    """

    def __init__(self, center, covariance):
        super().__init__()
        eigenvalues, directions = np.linalg.eigh(covariance)
        buffers = {
            "center": center,
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
        deviations = x - self.center
        # Of no coordinates there is one level too: none.
        weigh = self._weigh if noise.shape[1] <= 1 else self._weigh_each
        return Told(x, deviations, *weigh(deviations, noise))

    def _weigh(self, deviations, noise):
        """Return the rest of what is told, if a row has one noise level."""
        variances, directions = self.eigenvalues + noise, self.directions
        inverse = variances.reciprocal()
        if len(noise) == 1:
            # one matrix for all rows, half the products
            weights = deviations @ ((directions * inverse) @ directions.T)
        else:
            weights = (deviations @ directions * inverse) @ directions.T
        precision = inverse @ directions.T**2
        # The share of its variance that is gone, given the other noisy ones.
        left = (self.eigenvalues / variances) @ directions.T**2 / precision
        return weights, precision, left, variances.log().sum(1)

    def _weigh_each(self, deviations, noise):
        """Return the same if each coordinate has a noise level of its own."""
        # A matrix for each kind of noise: often all rows have the same.
        noise, kinds = noise.unique(dim=0, return_inverse=True)
        n_at_once = max(1, MAX_NUMBERS // noise.shape[1] ** 2)
        parts = map(self._inverted, noise.split(n_at_once))
        inverse, *rest = map(torch.cat, zip(*parts, strict=True))
        if len(noise) == 1:
            weights = deviations @ inverse[0]
        else:
            weights = torch.einsum("nij,nj->ni", inverse[kinds], deviations)
        return weights, *(part[kinds] for part in rest)

    def _inverted(self, noise):
        """Return precision matrices, their diagonals, what is left, and log-spreads."""
        # What is left is small beside strong noise; Apple's GPUs know no doubles.
        exact = torch.float32 if noise.device.type == "mps" else torch.float64
        directions, eigenvalues, levels = (
            part.to(exact) for part in (self.directions, self.eigenvalues, noise)
        )
        covariance = (directions * eigenvalues) @ directions.T
        root = torch.linalg.cholesky(covariance + torch.diag_embed(levels))
        inverse = torch.cholesky_inverse(root)
        precision = inverse.diagonal(dim1=1, dim2=2)
        left = (1 / precision - levels).clamp(min=0)
        log_spread = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
        return [part.to(noise) for part in (inverse, precision, left, log_spread)]
