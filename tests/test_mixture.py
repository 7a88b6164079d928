"""The mixture denoiser against numerical integration and EDM's own formulas."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from sklearn_tabsyn._mixture import Mixture

SIGMA_DATA = 0.5


def mixture(means, widths, priors, low, high):
    return Mixture(
        [0],
        shift=np.zeros(1),
        scale=np.ones(1),
        means=np.array([means]),
        widths=np.array([widths]),
        priors=np.array([priors]),
        low=np.array([low]),
        high=np.array([high]),
        sigma_data=SIGMA_DATA,
    )


THREE = mixture(
    [-1.0, 0.0, 0.8],
    [0.3, 0.0, 0.1],
    [0.5, 0.2, 0.3],
    low=[-1.6, 0.0, 0.6],
    high=[-0.5, 0.0, 1.0],
)
SINGLE = mixture([0.0], [SIGMA_DATA], [1.0], low=[-2.0], high=[2.0])
SIGMAS = [0.002, 0.05, 0.3, 1.0, 20.0]


def denoise(block, x, sigma, outputs=None):
    x = torch.as_tensor(x, dtype=torch.float32)[:, None]
    sigma = torch.full((len(x), 1), sigma)
    outputs = torch.zeros(len(x), block.n_outputs) if outputs is None else outputs
    return block.denoise(x, block.logits(x, sigma), sigma, outputs)[:, 0].numpy()


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 20.0])
def test_denoised_is_the_posterior_mean(sigma):
    x = np.linspace(-3, 3, 13)
    clean = np.linspace(-4, 4, 80_001)
    density = 0.5 * norm.pdf(clean, -1, 0.3) + 0.3 * norm.pdf(clean, 0.8, 0.1)
    density *= clean[1] - clean[0]
    density[np.argmin(np.abs(clean))] += 0.2  # the atom at 0
    likelihood = norm.pdf(x[:, None], clean, sigma)
    expected = (likelihood * density * clean).sum(1) / (likelihood * density).sum(1)
    np.testing.assert_allclose(denoise(THREE, x, sigma), expected, atol=1e-3)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_one_component_is_edm(sigma):
    """D = c_skip x + c_out F of table 1, with F the residual."""
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    residual = np.linspace(1, -1, 9, dtype=np.float32)
    outputs = torch.tensor(np.stack([np.zeros(9, dtype=np.float32), residual], 1))
    total = sigma**2 + SIGMA_DATA**2
    c_skip = SIGMA_DATA**2 / total
    c_out = sigma * SIGMA_DATA / np.sqrt(total)
    expected = c_skip * x + c_out * residual
    found = denoise(SINGLE, x, sigma, outputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_little_noise_leaves_the_value():
    x = np.linspace(-1.5, -0.6, 20)
    outputs = torch.randn(20, THREE.n_outputs, generator=torch.manual_seed(0))
    np.testing.assert_allclose(denoise(THREE, x, 1e-4, outputs), x, atol=1e-3)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_square_error_has_the_weight_of_edm(sigma):
    """Lambda = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2."""
    clean = torch.tensor([[0.1], [-0.4], [0.7]])
    x = clean + sigma * torch.tensor([[0.3], [-1.0], [0.5]])
    levels = torch.full((3, 1), sigma)
    logits = SINGLE.logits(x, levels)
    zeros = torch.zeros(3, 2)
    loss = SINGLE.loss(x, logits, levels, zeros, clean)[:, 0].numpy()
    weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
    error = denoise(SINGLE, x[:, 0], sigma) - clean[:, 0].numpy()
    # a single component has no cross-entropy
    np.testing.assert_allclose(loss, weight * error**2, rtol=1e-3, atol=1e-5)


def test_entropy_is_that_of_the_component_of_the_clean_value():
    clean = torch.tensor([[-2.0], [0.0], [3.0]])
    sigma = torch.full((3, 1), 1000.0)
    logits = THREE.logits(torch.zeros(3, 1), sigma)
    zeros = torch.zeros(3, THREE.n_outputs)
    entropy = THREE.entropy(torch.zeros(3, 1), logits, sigma, zeros, clean)
    expected = -np.log([0.5, 0.2, 0.3])
    np.testing.assert_allclose(entropy[:, 0].numpy(), expected, rtol=1e-3)


def test_values_are_scaled_and_scaled_back():
    block = Mixture(
        [1],
        shift=np.array([10.0]),
        scale=np.array([0.25]),
        means=np.array([[0.0]]),
        widths=np.array([[0.5]]),
        priors=np.array([[1.0]]),
        low=np.array([[-2.0]]),
        high=np.array([[2.0]]),
        sigma_data=SIGMA_DATA,
    )
    values = torch.tensor([[99.0, 12.0], [99.0, 8.0]])
    x = block.encode(values)
    assert x.tolist() == [[0.5], [-0.5]]
    sigma = torch.full((2, 1), 1e-4)
    zeros = torch.zeros(2, block.n_outputs)
    chance = torch.full((2, 2), 0.5)
    back = block.decode(x, block.logits(x, sigma), sigma, zeros, chance)
    torch.testing.assert_close(back, values[:, 1:], atol=1e-3, rtol=0)


def decode_at(block, x, sigma, n=1000):
    x = torch.full((n, 1), x)
    sigma = torch.full((n, 1), sigma)
    chance = (torch.arange(n)[:, None] + 0.5) / n
    zeros = torch.zeros(n, block.n_outputs)
    return block.decode(x, block.logits(x, sigma), sigma, zeros, chance)[:, 0]


def test_ties_and_what_lies_beside_are_drawn_by_their_posterior():
    sigma, x = 0.2, 0.3
    decoded = decode_at(THREE, x, sigma)
    evidence = np.array(
        [
            0.5 * norm.pdf(x, -1.0, np.hypot(sigma, 0.3)),
            0.2 * norm.pdf(x, 0.0, sigma),
            0.3 * norm.pdf(x, 0.8, np.hypot(sigma, 0.1)),
        ]
    )
    sides = [decoded <= -0.5, decoded == 0, decoded >= 0.6]
    shares = [side.float().mean().item() for side in sides]
    np.testing.assert_allclose(shares, evidence / evidence.sum(), atol=2e-3)


def test_what_is_no_tie_does_not_fall_on_one():
    """Neither a mean of both sides nor a residual leads there."""
    beside = mixture(
        [-0.1, 0.0, 0.1],
        [0.03, 0.0, 0.03],
        [0.4, 0.2, 0.4],
        low=[-0.15, 0.0, 0.05],
        high=[-0.05, 0.0, 0.15],
    )
    x = torch.zeros(1000, 1)
    sigma = torch.full((1000, 1), 0.1)
    outputs = torch.zeros(1000, beside.n_outputs)
    outputs[:, -1] = torch.linspace(-1, 1, 1000)
    chance = torch.rand(1000, 1, generator=torch.manual_seed(0))
    decoded = beside.decode(x, beside.logits(x, sigma), sigma, outputs, chance)[:, 0]
    assert (decoded[decoded != 0].abs() >= 0.05).all()
    assert len(decoded.unique()) > 600
    assert (decoded < 0).float().mean().item() == pytest.approx(0.4, abs=0.05)


def test_what_is_out_of_the_question_is_not_drawn():
    places = [-0.5, 0.0, 0.5]
    block = mixture(places, [0.1, 0.1, 0.0], [0.4, 0.59, 0.01], low=places, high=places)
    x, sigma = torch.full((1, 1), -0.5), torch.full((1, 1), 0.01)
    chance = torch.full((1, 1), 1 - 2.0**-24)
    zeros = torch.zeros(1, block.n_outputs)
    decoded = block.decode(x, block.logits(x, sigma), sigma, zeros, chance)
    assert decoded.item() == pytest.approx(-0.5, abs=0.01)


def test_a_column_of_ties_alone_is_decoded_to_ties():
    places = [-0.5, 0.5]
    ties = mixture(places, [0.0, 0.0], [0.5, 0.5], low=places, high=places)
    decoded = decode_at(ties, 0.0, 5.0)
    assert set(decoded.tolist()) == {-0.5, 0.5}


def test_waves_are_what_noise_leaves_of_them():
    x, sigma = torch.tensor([[0.3]]), torch.tensor([[0.1]])
    beliefs, *waves = THREE.features(x, THREE.logits(x, sigma), sigma)
    noise = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    angles = 2 * np.pi * THREE.frequencies.numpy()[:, None] * (0.3 + 0.1 * noise)
    expected = [*np.cos(angles).mean(1), *np.sin(angles).mean(1)]
    np.testing.assert_allclose(torch.cat(waves, 1)[0], expected, atol=1e-3)
    assert beliefs.shape == (1, THREE.n_components)
    assert beliefs.sum().item() == pytest.approx(1)
