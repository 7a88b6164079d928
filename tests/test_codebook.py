"""The codebook denoiser against brute-force Bayes."""

import numpy as np
import pytest
import torch

from sklearn_tabsyn._codebook import Codebook

PRIORS = [np.array([0.5, 0.2, 0.3]), np.array([0.9, 0.1])]
LINES = [np.array([[-1.0], [0.2], [1.5]]), np.array([[0.3], [-0.4]])]
PLANES = [
    np.array([[0.0, 1.0], [1.0, 0.0], [0.5, -0.5]]),
    np.array([[2.0, 1.0], [1.0, 3.0]]),
]
ALL_CODES = {"one_hot": None, "line": LINES, "plane": PLANES}


def explicit_codes(codes, column):
    """The points of the levels of a column, padded as the codebook pads them."""
    return np.eye(3)[: len(PRIORS[column])] if codes is None else codes[column]


def brute_force(x, sigma, codes, shifts):
    """Posterior probabilities and mean codes by Bayes' rule, one row at a time."""
    posteriors, means = [], []
    for row, s, shift in zip(x, sigma, shifts, strict=True):
        for column, prior in enumerate(PRIORS):
            points = explicit_codes(codes, column)
            distance = ((row[column] - points) ** 2).sum(1)
            weight = prior * np.exp(
                -distance / (2 * s**2) + shift[column, : len(prior)]
            )
            posterior = weight / weight.sum()
            posteriors.append(np.pad(posterior, (0, 3 - len(prior))))
            means.append(posterior @ points)
    n = len(x)
    return np.reshape(posteriors, (n, 2, 3)), np.reshape(means, (n, 2, -1))


@pytest.mark.parametrize("codes", ALL_CODES.values(), ids=ALL_CODES)
@pytest.mark.parametrize("shifted", [False, True])
def test_denoised_is_the_posterior_mean(codes, shifted):
    rng = np.random.default_rng(0)
    book = Codebook([0, 1], PRIORS, codes)
    x = rng.normal(size=(50, 2, book.n_dims))
    sigma = rng.uniform(0.2, 3, size=50)
    shifts = rng.normal(size=(50, 2, 3)) * shifted
    posterior, mean = brute_force(x, sigma, codes, shifts)
    x, sigma, outputs = (
        torch.tensor(a, dtype=torch.float32)
        for a in (x.reshape(50, -1), sigma[:, None], shifts.reshape(50, -1))
    )
    logits = book.logits(x, sigma)
    denoised = book.denoise(x, logits, sigma, outputs).numpy()
    np.testing.assert_allclose(denoised, mean.reshape(50, -1), atol=2e-5)
    if codes is None and not shifted:
        (beliefs,) = book.features(x, logits, sigma)
        np.testing.assert_allclose(
            beliefs.numpy(), posterior.reshape(50, -1), atol=2e-5
        )


@pytest.mark.parametrize("codes", ALL_CODES.values(), ids=ALL_CODES)
def test_a_little_noise_leaves_the_code(codes):
    book = Codebook([0, 1], PRIORS, codes)
    levels = torch.tensor([[0, 0], [1, 1], [2, 0]])
    clean = book.encode(levels)
    sigma = torch.full((3, 1), 0.002)
    noisy = clean + 0.002 * torch.randn(clean.shape, generator=torch.manual_seed(0))
    zeros = torch.zeros(3, book.n_outputs)
    logits = book.logits(noisy, sigma)
    torch.testing.assert_close(book.denoise(noisy, logits, sigma, zeros), clean)
    for chance in (0.001, 0.999):
        drawn = book.decode(noisy, logits, sigma, zeros, torch.full((3, 2), chance))
        assert torch.equal(drawn, levels)


def test_moments_are_those_of_the_prior():
    book = Codebook([0, 1], PRIORS, LINES)
    for column, prior in enumerate(PRIORS):
        places = LINES[column][:, 0]
        mean = prior @ places
        assert book.mean[column].item() == pytest.approx(mean, abs=1e-6)
        variance = prior @ (places - mean) ** 2
        assert book.variance[column].item() == pytest.approx(variance, abs=1e-6)


def test_loss_is_the_cross_entropy():
    book = Codebook([1], [PRIORS[0]])
    x = torch.zeros(3, 3)
    levels = torch.tensor([[9, 0], [9, 1], [9, 2]])  # column 0 belongs to another
    logits = book.logits(x, torch.full((3, 1), 50.0))
    loss = book.loss(x, logits, torch.ones(3, 1), torch.zeros(3, 3), levels)
    expected = -np.log(PRIORS[0])[:, None]
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-5)


def test_drawn_levels_follow_the_posterior():
    book = Codebook([0], [PRIORS[0]])
    n = 20_000
    x, sigma = torch.zeros(n, 3), torch.full((n, 1), 100.0)
    chance = torch.rand(n, 1, generator=torch.manual_seed(0))
    drawn = book.decode(x, book.logits(x, sigma), sigma, torch.zeros(n, 3), chance)
    shares = np.bincount(drawn[:, 0], minlength=3) / n
    # five standard deviations of a share of 20,000 draws
    np.testing.assert_allclose(shares, PRIORS[0], atol=5 * np.sqrt(0.25 / n))


def test_padding_is_never_drawn():
    book = Codebook([0, 1], PRIORS)
    n = 100
    x, sigma = torch.zeros(n, 6), torch.full((n, 1), 100.0)
    chance = torch.full((n, 2), 1 - 2**-24)  # the largest number below 1
    zeros = torch.zeros(n, book.n_outputs)
    drawn = book.decode(x, book.logits(x, sigma), sigma, zeros, chance)
    assert drawn.max(0).values.tolist() == [2, 1]
