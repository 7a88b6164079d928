"""A covariance of few rows, whose eigenvalues are led back to where they belong."""

import numpy as np

# The smallest eigenvalue that counts, as a share of the largest.
NOTHING = 1e-6
# Exponent of the width over which eigenvalues are smoothed, from the paper.
SMOOTHING = 0.35


def shrunk_covariance(covariance, n_free):
    """Return the covariance of rows by quadratic-inverse shrinkage.

    Few rows of many columns spread the eigenvalues of their covariance: large ones come
    out too large, small ones too small. Each is led back by as much as the others near
    it tell (Ledoit and Wolf 2022, Quadratic shrinkage for large covariance matrices,
    Bernoulli 28, section 4.5). So what many columns share is kept, where shrinkage by
    one share for all would take of it as much as of mere chance.

    Parameters
    ----------
    covariance : ndarray of shape (d, d), dtype float64
        Sample covariance of the rows.
    n_free : int
        Rows that it was computed from, less one for each mean that was.

    Returns
    -------
    covariance : ndarray of shape (d, d), dtype float64
        Symmetric, with the trace of the sample covariance and no eigenvalue below zero.
    """
    sample, directions = np.linalg.eigh(covariance)
    varies = sample > NOTHING * sample.max(initial=0)
    n_dims = len(sample)
    if varies.sum() < min(n_dims, n_free):
        # Directions in which nothing can vary, such as the sum of one-hot codes.
        n_dims = varies.sum()
    if not n_dims:
        return np.zeros((len(sample), len(sample)))
    inverse = 1 / sample[varies]
    ratio = n_dims / n_free
    real, imaginary = _stein(
        inverse, (min(ratio, 1 / ratio) ** 2 / n_dims) ** SMOOTHING
    )
    squared = real**2 + imaginary**2
    shrunk = np.zeros(len(sample))
    if ratio <= 1:
        left = 1 - ratio
        shrunk[varies] = 1 / (
            inverse * (left**2 + 2 * ratio * left * real + ratio**2 * squared)
        )
    else:
        shrunk[~varies] = 1 / ((ratio - 1) * inverse.mean())
        shrunk[varies] = 1 / (inverse * squared)
    shrunk *= sample.clip(0).sum() / shrunk.sum()
    return (directions * shrunk) @ directions.T


def _stein(inverse, width):
    """Return the smoothed Stein shrinker of inverse eigenvalues, and its conjugate."""
    gap = inverse[:, None] - inverse
    smooth = width * inverse[:, None]
    weight = inverse[:, None] / (gap**2 + smooth**2)
    return (weight * gap).mean(0), (weight * smooth).mean(0)
