"""Which rows are alike: clusters of few rows, to be told from their noisy columns."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from sklearn_tabsyn._shrinkage import shrunk_covariance

# Numbers of clusters that are tried, each of as many rows as coordinates, at least.
NUMBERS, MIN_ROWS = (1, 2, 3, 4, 6, 8, 12, 16), 15
# Numbers that the covariances of all clusters may have, about as many as a network.
MAX_NUMBERS = 2**20
# Rows up to which each number of clusters is judged by all folds, not by one.
N_FOLDS, MAX_ROWS = 4, 1_000
# Rows of all clusters for each coordinate that the covariance of one borrows, rows that
# lead its mean back, and rows of each level that are spread over all clusters.
BORROWED, LED_BACK, SPREAD = 3, 1, 2
# Noise in the search, as a share of the variance: no cluster shrinks to a point.
NOISE = 0.02
# Directions in which rows are parted at first, and rounds after that, at most.
MAX_DIRECTIONS, MAX_ROUNDS, MIN_GAIN = 10, 40, 1e-3


class Seen(NamedTuple):
    """Rows among which clusters are sought.

    Parameters
    ----------
    numbers : ndarray of shape (n, m)
        Continuous coordinates, of mean 0 and variance 1.
    levels : scipy.sparse.csr_array of shape (n, L)
        1 at the level that each column has, all columns side by side.
    scores : ndarray of shape (n, d)
        All coordinates, those of codes too.
    weights : ndarray of shape (n,)
        Weights, of mean 1.
    """

    numbers: np.ndarray
    levels: sp.csr_array
    scores: np.ndarray
    weights: np.ndarray

    def some(self, rows):
        """Return some of the rows."""
        return Seen(*(part[rows] for part in self))


class Clusters(NamedTuple):
    """Where the numbers of each cluster lie, and which levels its rows have.

    Parameters
    ----------
    shares : ndarray of shape (k,)
        Share of all rows.
    centers, covariances : ndarray of shape (k, m) and (k, m, m)
        Mean and covariance of the numbers, or of all coordinates.
    odds : ndarray of shape (L, k)
        How often rows of each cluster have a level, relative to all rows.
    """

    shares: np.ndarray
    centers: np.ndarray
    covariances: np.ndarray
    odds: np.ndarray

    def log_densities(self, seen):
        """Return the logarithm, (n, k), of the share of a cluster and its density.

        Levels count relative to their share of all rows.
        """
        logs = seen.levels @ np.log(self.odds) + np.log(self.shares)
        noise = NOISE * np.eye(seen.numbers.shape[1])
        for k, covariance in enumerate(self.covariances):
            root = np.linalg.cholesky(covariance + noise)
            deviations = seen.numbers - self.centers[k]
            places = solve_triangular(root, deviations.T, lower=True)
            logs[:, k] -= (places**2).sum(0) / 2 + np.log(np.diag(root)).sum()
        return logs


def find_clusters(seen):
    """Return how far each row belongs to each cluster, (n, k).

    A mixture is fitted by expectation and maximisation (Dempster, Laird and Rubin
    1977): within a cluster numbers are Gaussian, and levels depend on nothing (the
    location model of Olkin and Tate 1961). There are as many clusters as make rows
    likeliest that were left out; few rows of many columns are one.
    """
    n_rows, n_dims = seen.scores.shape
    # Rows of large weights are no more than they are (Kish 1965).
    n_effective = seen.weights.sum() ** 2 / (seen.weights**2).sum()
    most = min(n_effective / max(MIN_ROWS, n_dims), MAX_NUMBERS / n_dims**2)
    numbers = [k for k in NUMBERS if k <= most]
    if len(numbers) < 2:
        return np.ones((n_rows, 1))
    folds = list(KFold(N_FOLDS, shuffle=True, random_state=0).split(seen.scores))
    if n_rows > MAX_ROWS:
        folds = folds[:1]
    gains = [np.mean([_left_out(seen, k, *fold) for fold in folds]) for k in numbers]
    return _mixture(seen, numbers[np.argmax(gains)])[0]


def moments_of(scores, weights, belonging):
    """Return the share, mean and covariance of each cluster.

    Each covariance borrows rows from that of all clusters together, so that a cluster
    of few rows has its own mean, and hardly more.

    Parameters
    ----------
    scores : ndarray of shape (n, m)
        Rows of mean 0 and variance 1.
    weights : ndarray of shape (n,)
        Their weights, of mean 1.
    belonging : ndarray of shape (n, k)
        How far each row belongs to each cluster.

    Returns
    -------
    shares, centers, covariances : ndarray of shape (k,), (k, m) and (k, m, m)
        See :class:`Clusters`.
    """
    n_rows, n_dims = scores.shape
    parts = (belonging * weights[:, None]).T
    counts = parts.sum(1)
    centers = parts @ scores / (counts + LED_BACK)[:, None]
    if len(parts) == 1:
        # Those of all rows are known: those of the columns by themselves.
        centers = np.zeros_like(centers)
    own = np.stack(
        [
            (scores - center).T @ ((scores - center) * part[:, None])
            for center, part in zip(centers, parts, strict=True)
        ]
    )
    within = own.sum(0) / n_rows
    variances, shared = np.diag(within), shrunk_covariance(within, n_rows - len(parts))
    if len(parts) == 1:
        covariances = _scaled(shared, np.sign(variances))[None]
    else:
        borrowed = BORROWED * n_dims
        own += borrowed * _scaled(shared, variances)
        covariances = own / (counts + borrowed)[:, None, None]
    return shares_of(counts), centers, covariances


def shares_of(counts):
    """Return the share of all rows of each cluster; of none, that of one row."""
    return (counts + 1) / (counts + 1).sum()


def odds_of(levels, weights, belonging):
    """Return how often rows of each cluster have a level, (L, k), relative to all.

    A level that is rare tells little of the clusters in which it was seen.
    """
    parts = belonging * weights[:, None]
    shares = shares_of(parts.sum(0))
    counts = levels.T @ parts
    counts_of_all = counts.sum(1, keepdims=True)
    return (counts + SPREAD * shares) / ((counts_of_all + SPREAD) * shares)


def _scaled(covariance, variances):
    """Return the covariance with other variances, but the same correlations."""
    scale = np.sqrt(variances / np.diag(covariance).clip(1e-12))
    return covariance * scale * scale[:, None]


def _left_out(seen, k, rows, others):
    """Return the mean log-density of rows that were left out."""
    _, clusters = _mixture(seen.some(rows), k)
    logs = logsumexp(clusters.log_densities(seen.some(others)), axis=1)
    return np.average(logs, weights=seen.weights[others])


def _mixture(seen, k):
    """Return how far rows belong to each of k clusters, and the clusters."""
    belonging = _parted(seen, k)
    last = -np.inf
    for _ in range(MAX_ROUNDS):
        clusters = Clusters(
            *moments_of(seen.numbers, seen.weights, belonging),
            odds_of(seen.levels, seen.weights, belonging),
        )
        logs = clusters.log_densities(seen)
        belonging = softmax(logs, axis=1)
        now = np.average(logsumexp(logs, axis=1), weights=seen.weights)
        if now - last < MIN_GAIN:
            break
        last = now
    return belonging, clusters


def _parted(seen, k):
    """Return rows parted into k clusters, (n, k), by their principal components."""
    if k > 1:  # rows that repeat each other cannot be parted
        k = min(k, len(np.unique(seen.scores, axis=0)))
    if k == 1:
        return np.ones((len(seen.scores), 1))
    n_directions = min(MAX_DIRECTIONS, *seen.scores.shape)
    places = PCA(n_directions, random_state=0).fit_transform(seen.scores)
    means = KMeans(k, n_init=3, random_state=0)
    return np.eye(k)[means.fit_predict(places, sample_weight=seen.weights)]
