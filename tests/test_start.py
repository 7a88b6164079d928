"""Where sampling starts, against Gaussian rows whose flow is known."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._start import MAX_DIRECTIONS, GaussianStart, learn_start


class Plain:
    """Encodes rows as they are."""

    def __init__(self, n_dims):
        self.mean = torch.zeros(n_dims)

    def encode(self, batch):
        return batch


class Table:
    """Hands out rows with their weights."""

    def __init__(self, rows, weights=None):
        self.rows = torch.as_tensor(rows).float()
        self.weights = torch.ones(len(rows)) if weights is None else weights

    def __len__(self):
        return len(self.rows)

    def __getitems__(self, indices):
        return self.rows[indices], self.weights[indices]


def spread_rows(n_rows, n_dims, seed=0):
    """Return rows of one strong factor and little else, and their covariance."""
    rng = np.random.default_rng(seed)
    loads = rng.normal(size=n_dims)
    covariance = np.outer(loads, loads) + 0.1 * np.eye(n_dims)
    return rng.multivariate_normal(np.zeros(n_dims), covariance, n_rows), covariance


def test_all_directions_give_the_flow_of_gaussian_rows():
    rows, _ = spread_rows(500, 5)
    start = GaussianStart(*learn_start(Plain(5), Table(rows)))
    noise = torch.randn(100, 5)
    root = sqrtm(rows.T @ rows / len(rows) + 4 * np.eye(5))
    expected = noise @ torch.from_numpy(root).float()
    torch.testing.assert_close(start(noise, 2.0), expected, rtol=0, atol=1e-3)


def test_all_directions_denoise_gaussian_rows_exactly():
    rows, _ = spread_rows(500, 5)
    start = GaussianStart(*learn_start(Plain(5), Table(rows)))
    noisy = 3 * torch.randn(100, 5)
    covariance = rows.T @ rows / len(rows)
    shrunk = np.linalg.solve(covariance + 4 * np.eye(5), covariance)
    expected = noisy @ torch.from_numpy(shrunk).float()
    torch.testing.assert_close(start.denoise(noisy, 2.0), expected, rtol=0, atol=1e-3)


def test_few_directions_carry_most_of_many_coordinates():
    n_dims = MAX_DIRECTIONS + 100
    rows, covariance = spread_rows(4_000, n_dims)
    start = GaussianStart(*learn_start(Plain(n_dims), Table(rows)))
    assert len(start.directions) == MAX_DIRECTIONS
    root = start(torch.eye(n_dims), 1.0).numpy()
    expected = covariance + np.eye(n_dims)
    error = np.linalg.norm(root @ root.T - expected, 2)
    assert error < 0.05 * np.linalg.norm(expected, 2)


def test_weights_count_as_rows():
    rows, _ = spread_rows(300, 3)
    weights = np.random.default_rng(1).integers(1, 4, 300)
    one = Table(np.repeat(rows, weights, 0))
    other = Table(rows, torch.from_numpy(weights / weights.mean()).float())
    noise = torch.randn(50, 3)
    first, second = (
        GaussianStart(*learn_start(Plain(3), table))(noise, 1.0)
        for table in (one, other)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0.02)


@pytest.mark.parametrize("n_rows", [1, 2])
def test_hardly_any_rows(n_rows):
    start = GaussianStart(*learn_start(Plain(4), Table(np.ones((n_rows, 4)))))
    noise = torch.randn(10, 4)
    assert torch.isfinite(start(noise, 1.0)).all()


def test_fitted_synthesizers_start_from_how_their_columns_correlate():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2_000, 1)) + 0.05 * rng.normal(size=(2_000, 12))
    synthesizer = DiffusionSynthesizer(find_relations=False, max_iter=1, random_state=0)
    denoiser = synthesizer.fit(rows).denoiser_
    noise = torch.randn(4_000, 12, generator=torch.Generator().manual_seed(0))
    variance = denoiser.near_gaussian(noise, 1.0).mean(1).var()
    # standard deviation 0.5 of all columns alike, and noise that averages out
    assert float(variance) == pytest.approx(0.25 + 1 / 12, rel=0.1)
