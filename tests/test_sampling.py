"""Schedules and samplers against closed-form denoisers."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm

from sklearn_tabsyn._sampling import (
    SAMPLERS,
    Churn,
    dpmpp_2m,
    euler,
    fitted_sigmas,
    heun,
    karras_sigmas,
    unipc,
)

MEAN, SD = 0.7, 0.5
SIGMA_MAX = 20.0


def gaussian(x, sigma):
    """The exact denoiser of N(MEAN, SD^2)."""
    return (x * SD**2 + MEAN * sigma**2) / (SD**2 + sigma**2)


def two_gaussians(x, sigma):
    """The exact denoiser of an uneven mixture of N(-1, 0.2^2) and N(0.5, 0.1^2)."""
    means = torch.tensor([-1.0, 0.5], dtype=torch.float64)
    variances = torch.tensor([0.2, 0.1], dtype=torch.float64) ** 2
    total = variances + sigma**2
    log = torch.tensor([0.3, 0.7], dtype=torch.float64).log() - total.log() / 2
    share = (log - (x[..., None] - means) ** 2 / (2 * total)).softmax(-1)
    return (share * (x[..., None] * variances + means * sigma**2) / total).sum(-1)


def two_gaussians_cdf(x):
    return 0.3 * norm.cdf(x, -1, 0.2) + 0.7 * norm.cdf(x, 0.5, 0.1)


def levels(num_steps, sigma_min=0.002):
    return [*karras_sigmas(num_steps, sigma_min, SIGMA_MAX, 7.0).tolist(), 0.0]


def start(n, sigma=SIGMA_MAX, seed=0):
    """Rows at the first noise level; quasi-random, so that a KS test is sharp."""
    share = (np.arange(n) + 0.5) / n
    return torch.tensor(norm.ppf(share) * sigma)[:, None]


def test_karras_sigmas_are_those_of_the_paper():
    sigmas = karras_sigmas(18, 0.002, 80.0, 7.0)
    assert sigmas[0] == pytest.approx(80)
    assert sigmas[-1] == pytest.approx(0.002)
    np.testing.assert_allclose(np.diff(sigmas ** (1 / 7), 2), 0, atol=1e-12)


def test_one_step_starts_at_the_top():
    assert karras_sigmas(1, 0.01, 20.0, 7.0).tolist() == pytest.approx([20.0])


def test_fitted_sigmas_lie_where_rows_are_decided():
    sigmas = karras_sigmas(30, 0.01, 20.0, 7.0)
    grid = np.geomspace(0.002, 80, 60)
    # everything is decided near sigma = 1
    profile = 1 / (1 + grid**-8.0)
    fitted = fitted_sigmas(sigmas, grid, profile)
    assert (np.diff(fitted) < 0).all()
    np.testing.assert_allclose(fitted[[0, -1]], sigmas[[0, -1]])
    near, before = (np.sum((s > 0.5) & (s < 2)) for s in (fitted, sigmas))
    assert near > 1.5 * before


def test_fitted_sigmas_of_a_flat_profile_are_usable():
    sigmas = karras_sigmas(10, 0.01, 20.0, 7.0)
    fitted = fitted_sigmas(sigmas, np.geomspace(0.002, 80, 9), np.zeros(9))
    assert np.isfinite(fitted).all()
    assert (np.diff(fitted) < 0).all()


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_sampler_reaches_a_gaussian(sampler):
    x = sampler(gaussian, start(4000), levels(100))[:, 0].numpy()
    assert kstest(x, norm(MEAN, SD).cdf).statistic < 0.02


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_sampler_reaches_a_mixture(sampler):
    x = sampler(two_gaussians, start(4000), levels(200))[:, 0].numpy()
    assert kstest(x, two_gaussians_cdf).statistic < 0.02


def error(sampler, num_steps):
    """Largest error of the flow of a Gaussian, which is known, down to sigma = 0.1."""
    sigmas = karras_sigmas(num_steps + 1, 0.1, SIGMA_MAX, 7.0)
    x = start(51)
    shrink = np.sqrt((SD**2 + sigmas[-1] ** 2) / (SD**2 + SIGMA_MAX**2))
    exact = MEAN + (x - MEAN) * shrink
    return (sampler(gaussian, x, sigmas.tolist()) - exact).abs().max().item()


@pytest.mark.parametrize(
    ("sampler", "order"), [(euler, 1), (heun, 2), (dpmpp_2m, 2), (unipc, 2)]
)
def test_order_of_convergence(sampler, order):
    errors = [error(sampler, num_steps) for num_steps in (800, 1600, 3200)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, order, atol=0.2)


@pytest.mark.parametrize("sampler", [euler, heun])
def test_churn_keeps_the_distribution(sampler):
    generator = torch.Generator().manual_seed(0)

    def draw(x):
        return torch.randn(x.shape, generator=generator, dtype=x.dtype)

    churn = Churn(draw, 400, S_churn=40, S_tmin=0.05, S_tmax=50.0, S_noise=1.0)
    first = start(4000)
    x = sampler(two_gaussians, first, levels(400), churn)
    assert kstest(x[:, 0].numpy(), two_gaussians_cdf).statistic < 0.03
    # and it does something
    plain = sampler(two_gaussians, first, levels(400))
    assert (x - plain).abs().mean() > 0.05


def test_churn_adds_noise_only_between_its_limits():
    churn = Churn(torch.ones_like, 10, S_churn=1, S_tmin=0.1, S_tmax=1.0, S_noise=1.0)
    x = torch.zeros(2, 1)
    for outside in (0.05, 2.0):
        same, sigma = churn(x, outside)
        assert sigma == outside
        assert torch.equal(same, x)
    more, sigma_hat = churn(x, 0.5)
    assert sigma_hat == pytest.approx(0.5 * 1.1)
    expected = np.sqrt(0.55**2 - 0.5**2)
    np.testing.assert_allclose(more.numpy(), expected, rtol=1e-6)


def test_gamma_is_at_most_root_two_less_one():
    churn = Churn(torch.ones_like, 10, 1e6, 0.0, 100.0, 1.0)
    assert churn.gamma == pytest.approx(np.sqrt(2) - 1)


@pytest.mark.parametrize(
    ("sampler", "evaluations"), [(euler, 9), (heun, 17), (dpmpp_2m, 9), (unipc, 9)]
)
def test_number_of_evaluations(sampler, evaluations):
    calls = []

    def count(x, sigma):
        calls.append(sigma)
        return gaussian(x, sigma)

    sampler(count, start(3), levels(9))
    assert len(calls) == evaluations
    assert min(calls) > 0
