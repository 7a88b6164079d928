"""Walks that ask the network only where that tells something new."""

import numpy as np
import pytest
import torch

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._generation import even_noise
from sklearn_tabsyn._sampling import unipc
from sklearn_tabsyn._spared import DECIDED, Spared

SIGMAS = [8.0, 2.0, 0.9, 0.5, 0.3, 0.14, 0.055, 0.02]


class Counted(torch.nn.Module):
    """A network that keeps the noise levels at which it is asked."""

    def __init__(self, network):
        super().__init__()
        self.network, self.asked = network, []

    def forward(self, x, noise_labels, class_labels=None):
        self.asked.append(float((4 * noise_labels[0]).exp()))
        return self.network(x, noise_labels, class_labels)


@pytest.fixture(scope="module")
def fitted():
    """A denoiser of two numbers that correlate, and of names that tell of them."""
    rng = np.random.default_rng(0)
    names = rng.choice(3, 2_000, p=[0.5, 0.3, 0.2])
    numbers = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2_000)
    table = np.c_[numbers + 2 * names[:, None], names]
    synthesizer = DiffusionSynthesizer(
        categorical_features=[2], max_iter=300, random_state=0
    )
    return synthesizer.fit(table)


@pytest.fixture
def counted(fitted, monkeypatch):
    network = Counted(fitted.denoiser_.network)
    monkeypatch.setitem(fitted.denoiser_._modules, "network", network)
    return network


def start(denoiser):
    noise = torch.from_numpy(even_noise(np.random.default_rng(1), len(denoiser.mean)))
    return denoiser.near_gaussian(noise, SIGMAS[0])


def test_rows_are_all_but_gaussian_at_first():
    rng = np.random.default_rng(0)
    names = rng.choice(3, 2_000, p=[0.5, 0.3, 0.2])
    table = np.c_[rng.exponential(size=2_000), names]
    # as good as untrained: what it says of independent columns is exact
    exact = DiffusionSynthesizer(
        categorical_features=[1], max_iter=1, random_state=0
    ).fit(table)
    denoiser = exact.denoiser_
    x = start(denoiser)
    with torch.no_grad():
        expected = denoiser.denoise(x, SIGMAS[0])
        found = Spared(denoiser, SIGMAS[0]).denoise(x, SIGMAS[0])
    learned = expected - denoiser.mean
    assert (found - expected).square().mean() < 0.03 * learned.square().mean()


def test_decided_rows_are_decoded_alike_without_the_network(fitted):
    denoiser, low = fitted.denoiser_, SIGMAS[-1]
    spared = Spared(denoiser, SIGMAS[0])
    with torch.no_grad():
        x = unipc(spared.denoise, start(denoiser), SIGMAS)
        sizes = denoiser.n_values, denoiser.n_codebooks
        chance = torch.rand(len(x), sum(sizes)).split(sizes, 1)
        level = x.new_full((1,), low)
        values, levels = spared.decode(x, level, chance)
        expected_values, expected_levels = denoiser.decode(x, level, chance)
    assert (levels != expected_levels).float().mean() < 1e-3
    torch.testing.assert_close(values, expected_values, rtol=0, atol=0.02)


def test_network_is_asked_in_between(fitted, counted):
    fitted.set_params(sampler="fitted").sample(5)
    counted.asked.clear()
    fitted.sample(5)
    sigmas = fitted._sigmas(8)
    between = sigmas[1:][sigmas[1:] >= DECIDED]
    np.testing.assert_allclose(counted.asked, between, rtol=1e-4)


@pytest.mark.parametrize("sampler", ["unipc", "dpmpp_2m", "euler"])
def test_other_samplers_ask_it_at_each_level(fitted, counted, sampler):
    fitted.set_params(sampler=sampler, num_steps=6).sample(5)
    fitted.set_params(sampler="fitted", num_steps="auto")
    assert len(counted.asked) == 6


def test_it_is_asked_at_a_last_level_where_rows_are_undecided(fitted, counted):
    fitted.set_params(sigma_min=0.2).sample(5)
    counted.asked.clear()
    fitted.sample(5)
    fitted.set_params(sigma_min=0.02)
    assert counted.asked[-1] == pytest.approx(0.2)
    assert len(counted.asked) == 7
