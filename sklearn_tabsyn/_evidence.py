"""What the columns of few rows tell about each other, by clusters of Gaussian rows."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from sklearn_tabsyn._clusters import Clusters, Seen, find_clusters, moments_of, odds_of
from sklearn_tabsyn._noisy_gaussian import NoisyGaussians

# More coordinates than this would take longer than the network; the second where some
# columns may be given, which takes a matrix for each kind of rows.
MAX_COORDINATES, MAX_IF_GIVEN = 512, 128
# The least variance of any direction, as a share of that of a coordinate, and the least
# standard deviation of a coordinate in a cluster, as a share of that in all rows.
MIN_EIGENVALUE, MIN_SPREAD = 1e-3, 0.05
# The largest share of its variance that a coordinate is told by others.
MAX_TOLD = 0.99
# Rows of a level, or of all others, that would tell half of what goes with it.
RARE = 10
# The least likelihood of a column, relative to all rows.
MIN_ODDS = 1e-8


class ClusterEvidence(nn.Module):
    """What all other columns of a noisy row tell about each of its coordinates.

    Clean rows belong to clusters. How likely each is follows by Bayes' rule from the
    numbers, which are jointly Gaussian within a cluster, with noise and without, and
    from what codebook columns believe of their levels. Within a cluster the other
    coordinates tell what those of Gaussian rows do, which is known exactly. Both
    together are a Gaussian factor `exp(h u - J u^2 / 2)` of the deviation u of the
    clean coordinate from its mean, and odds of levels.

    Parameters
    ----------
    clusters : Clusters
        Of all coordinates, means being deviations from that of all rows.
    mean, variance : Tensor of shape (d,)
        Mean and variance of each coordinate by itself.
    owners : Tensor of shape (d,)
        Column of each coordinate.
    n_numbers : int
        How many coordinates are numbers, which stand before those of codes.
    books : list of (int, int)
        Number of columns and of levels of each block of codebook columns.
    """

    def __init__(self, clusters, mean, variance, owners, n_numbers, books):
        super().__init__()
        self.n_columns = [n_columns for n_columns, _ in books]
        self.n_numbers = n_numbers
        m, centers, covariances = n_numbers, clusters.centers, clusters.covariances
        self.rows = NoisyGaussians(centers, covariances)
        self.numbers = NoisyGaussians(centers[:, :m], covariances[:, :m, :m])
        within = np.diagonal(covariances, axis1=1, axis2=2)
        arrays = {
            "log_shares": np.log(clusters.shares)[:, None],
            "code_centers": centers[:, None, m:],
            "code_within": np.where(within > 0, within, 1)[:, None, m:],
        }
        ends = np.cumsum([n_columns * n_levels for n_columns, n_levels in books])
        parts = np.split(clusters.odds, ends[:-1])
        for place, (part, sizes) in enumerate(zip(parts, books, strict=False)):
            arrays[f"odds_{place}"] = part.reshape(*sizes, -1)
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array).to(mean))
        self.register_buffer("mean", mean.clone())
        self.register_buffer("varies", variance > 0)
        self.register_buffer("variance", torch.where(self.varies, variance, 1.0))
        # Column of each coordinate of a code, among those of codes.
        self.register_buffer("code_owners", owners[n_numbers:] - n_numbers)

    def forward(self, x: Tensor, levels: Tensor, logits):
        """Return h and J, (n, d) each, and the logarithms of odds of levels.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Noisy coordinates.
        levels : Tensor of shape (n, d), (n, 1) or (1, 1)
            Noise level of each coordinate, of each row, or of all.
        logits : list of Tensor of shape (n, C, K)
            What the codebook columns of each block believe of their levels.

        Returns
        -------
        pull, precision : Tensor of shape (n, d)
            h and J; J may be the same for all rows, (1, d).
        log_odds : list of Tensor of shape (n, C, K)
            For each of these blocks, what its levels gain by the likely clusters;
            nothing if there is but one.
        """
        x, noise = x - self.mean, levels**2
        told = self.rows(x, noise)
        means, left = told.means, told.left
        if len(means) == 1:
            factor = _factor(means[0], left[0], 0, self.variance)
            return *(part * self.varies for part in factor), []
        m = self.n_numbers
        shares = self._shares(x, noise, logits)
        of_numbers, of_codes = shares[:, :, :m], shares[:, :, m:]
        numbers = self._of_numbers(of_numbers, means[:, :, :m], left[:, :, :m])
        own = of_codes[:, :, self.code_owners]
        codes = self._of_codes(own, means[:, :, m:], left[:, :, m:])
        pull, precision = (
            torch.cat(parts, 1) * self.varies
            for parts in zip(numbers, codes, strict=True)
        )
        log_odds = [
            torch.einsum("knc,clk->ncl", part, odds).clamp(min=MIN_ODDS).log()
            for part, odds in zip(
                of_codes.split(self.n_columns, 2), self._odds(), strict=True
            )
        ]
        return pull, precision, log_odds

    def _shares(self, x, noise, logits):
        """Return how likely each cluster is, (k, n, C), by all columns but one."""
        m = self.n_numbers
        if noise.shape[1] > 1:
            noise = noise[:, :m]
        numbers = self.numbers(x[:, :m], noise)
        codes = [
            torch.einsum("ncl,clk->knc", part.softmax(-1), odds)
            .clamp(min=MIN_ODDS)
            .log()
            for part, odds in zip(logits, self._odds(), strict=True)
        ]
        told = torch.cat([numbers.log_each, *codes], 2)
        whole = self.log_shares + numbers.log_density + told[:, :, m:].sum(2)
        return (whole[:, :, None] - told).softmax(0)

    def _of_numbers(self, shares, means, left):
        """Return the Gaussian factor with the moments of the mixture of clusters."""
        mean = (shares * means).sum(0)
        left = (shares * (left + (means - mean) ** 2)).sum(0)
        return _factor(mean, left, 0, self.variance[: self.n_numbers])

    def _of_codes(self, shares, means, left):
        """Return the mean factor of levels within the clusters."""
        parts = _factor(means, left, self.code_centers, self.code_within)
        return [(shares * part).sum(0) for part in parts]

    def _odds(self):
        return [getattr(self, f"odds_{place}") for place in range(len(self.n_columns))]


def learn_clusters(denoiser, dataset, *, given=False):
    """Return the clusters of rows, if there can be any.

    Parameters
    ----------
    denoiser : Denoiser
        Encodes rows.
    dataset : RowDataset
        The training rows and their weights.
    given : bool, default=False
        Whether columns of every row are given. Then all rows are one cluster, in which
        rare levels tell little: several fill gaps no better.

    Returns
    -------
    clusters : Clusters or None
        As :class:`ClusterEvidence` takes them; None of one row, or of too many
        coordinates. Within a cluster those of one column have no covariance: what it
        tells of itself is known already.
    """
    most = MAX_COORDINATES if denoiser.observation is None else MAX_IF_GIVEN
    if len(dataset) == 1 or len(denoiser.mean) > most:
        return None
    batch, weights = dataset.__getitems__(np.arange(len(dataset)))
    weights = weights.double().numpy()
    scale = denoiser.variance.sqrt().double().numpy()
    deviations = (denoiser.encode(batch) - denoiser.mean).double().numpy()
    scores = deviations / np.where(scale > 0, scale, 1)
    m = denoiser.n_numbers
    numbers = scores[:, :m][:, scale[:m] > 0]
    levels = _side_by_side(denoiser.books, batch.levels)
    belonging = np.ones((len(scores), 1))
    if not given:
        belonging = find_clusters(Seen(numbers, levels, scores, weights))
    shares, centers, covariances = moments_of(scores, weights, belonging)
    novelty = torch.cat([block.novelty for block in denoiser.blocks]).double().numpy()
    told = novelty
    if given:
        told = novelty * _known(denoiser, len(dataset))
    covariances = np.stack([_separate(c, told, denoiser) for c in covariances])
    return Clusters(
        shares,
        novelty * centers * scale,
        covariances * scale[:, None] * scale,
        odds_of(levels, weights, belonging),
    )


def _factor(mean, left, center, variance):
    """Return h and J that lead a prior of known mean and variance to another."""
    told = (1 - left / variance).clamp(0, MAX_TOLD)
    precision = told / (1 - told) / variance
    return (mean - center) / (variance * (1 - told)) + precision * center, precision


def _known(denoiser, n_rows):
    """Return how far rows tell what goes with each coordinate: with rare levels little.

    Their covariance is shrunk as if all coordinates varied as numbers do.
    """
    parts = []
    for block in denoiser.blocks:
        known = torch.ones_like(block.variance)
        if block.reads == "levels" and block.codes is None:
            n_telling = n_rows * block.variance
            known = (n_telling / (n_telling + RARE)).sqrt()
        parts.append(known)
    return torch.cat(parts).double().numpy()


def _side_by_side(books, levels):
    """Return 1 where a row has a level, (n, L), of levels of all columns in turn."""
    places, n_before = [np.zeros((len(levels), 0), dtype=int)], 0
    for block in books:
        starts = n_before + block.n_levels * np.arange(block.n_columns)
        places.append(block.places(levels)[0].numpy() + starts)
        n_before += block.n_levels * block.n_columns
    places = np.concatenate(places, 1)
    ends = np.arange(len(places) + 1) * places.shape[1]
    ones = np.ones(places.size)
    return sp.csr_array((ones, places.ravel(), ends), (len(places), n_before))


def _separate(covariance, novelty, denoiser):
    """Return what coordinates of other columns tell, and no more than is new."""
    covariance = covariance * novelty[:, None] * novelty
    variances = np.diag(covariance) + 1 - novelty**2
    owners = denoiser.owners.numpy()
    covariance[owners[:, None] == owners] = 0
    np.fill_diagonal(covariance, variances)
    return _positive(covariance)


def _positive(covariance):
    """Return the covariance with no eigenvalue and no variance below the least."""
    scale = np.sqrt(np.diag(covariance)).clip(1e-12)
    correlation = covariance / scale / scale[:, None]
    eigenvalues, directions = np.linalg.eigh(correlation)
    lifted = (directions * eigenvalues.clip(MIN_EIGENVALUE)) @ directions.T
    scale = scale.clip(MIN_SPREAD) / np.sqrt(np.diag(lifted))
    return lifted * scale * scale[:, None]
