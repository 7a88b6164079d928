"""Where noisy rows lie: at high noise, all that counts is how columns correlate."""

import torch
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

from sklearn_tabsyn._evenly import even_rows

# Directions in which rows spread most, and numbers that are looked at to find them.
MAX_DIRECTIONS, MAX_NUMBERS = 128, 2**23
MIN_ROWS, MAX_ROWS = 1_024, 8_192


class GaussianStart(nn.Module):
    """Rows with noise as if they were Gaussian, and the flow that leads through them.

    At a noise level far above the data this is what noisy rows are, but for moments
    beyond the second. The probability flow of Gaussian rows leads standard normal noise
    z to (C + sigma^2 I)^(1/2) z for every sigma (Karras et al. 2022, equation 1, with
    the score of a Gaussian). The covariance C is that of probabilistic principal
    components (Tipping and Bishop 1999): exact in the directions of largest variance,
    and the same in all others.

    Parameters
    ----------
    directions : ndarray of shape (k, d)
        Orthonormal directions.
    variances : ndarray of shape (k,)
        Variance of clean rows along each.
    rest : float
        Their variance in every other direction.
    """

    def __init__(self, directions, variances, rest):
        super().__init__()
        self.register_buffer("directions", torch.tensor(directions).float())
        self.register_buffer("variances", torch.tensor(variances).float())
        self.register_buffer("rest", torch.tensor(rest).float())

    def forward(self, noise: Tensor, sigma: float) -> Tensor:
        """Return deviations of noisy rows from their mean, (n, d), as is the noise."""
        roots = [(part + sigma**2).sqrt() for part in (self.variances, self.rest)]
        return self._stretched(noise, *roots)

    def denoise(self, deviations: Tensor, sigma: float) -> Tensor:
        """Return the mean of the clean deviations, (n, d), behind noisy ones.

        C (C + sigma^2 I)^-1 times these: the Wiener filter.
        """
        shares = [part / (part + sigma**2) for part in (self.variances, self.rest)]
        return self._stretched(deviations, *shares)

    def _stretched(self, rows, along, rest):
        """Return rows, (n, d), stretched `along` each direction and by the `rest`."""
        places = rows @ self.directions.T * (along - rest)
        return rest * rows + places @ self.directions


def learn_start(denoiser, dataset):
    """Return how the coordinates of rows spread, as arguments of `GaussianStart`.

    Parameters
    ----------
    denoiser : Denoiser
        Encodes rows.
    dataset : RowDataset
        The training rows and their weights, of which a few are taken.

    Returns
    -------
    directions, variances, rest : ndarray, ndarray, float
        See :class:`GaussianStart`.
    """
    n_dims = len(denoiser.mean)
    n_most = min(MAX_ROWS, max(MIN_ROWS, MAX_NUMBERS // n_dims))
    batch, weights = dataset.__getitems__(even_rows(len(dataset), n_most))
    deviations = denoiser.encode(batch) - denoiser.mean
    deviations = (deviations * weights[:, None].sqrt()).numpy()
    n_directions = min(MAX_DIRECTIONS, *deviations.shape)
    _, lengths, directions = randomized_svd(deviations, n_directions, random_state=0)
    variances = lengths**2 / len(deviations)
    left = (deviations**2).sum() / len(deviations) - variances.sum()
    return directions, variances, max(left, 0.0) / max(n_dims - n_directions, 1)
