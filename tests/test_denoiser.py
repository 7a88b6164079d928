"""The denoiser as a whole: independent columns at first, EDM's scalings, networks."""

from functools import partial

import numpy as np
import pytest
import torch

from sklearn_tabsyn._batches import Batch
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._networks import MLP, NoiseEmbedding, ResidualMLP


class Recorder(torch.nn.Module):
    """A network that keeps what it was asked and answers with ones."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.n_outputs = n_outputs

    def forward(self, x, noise_labels, class_labels=None):
        self.x, self.noise_labels, self.class_labels = x, noise_labels, class_labels
        return x.new_ones(len(x), self.n_outputs)


@pytest.fixture
def marginals():
    """Two continuous columns, an ordered codebook of 3 and names of 2 and 1 levels."""
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(size=800), rng.exponential(size=800)], 1)
    values = values.astype(np.float32)
    levels = np.stack(
        [rng.integers(0, 3, 800), rng.integers(0, 2, 800), np.zeros(800, int)], 1
    )
    rows = Rows(values, values, levels.astype(np.int32))
    books = [(3, True), (2, False), (1, False)]
    return describe_columns(rows, books, np.ones(800)), rows


def as_batch(rows):
    values, levels = torch.tensor(rows.low), torch.tensor(rows.levels).long()
    return Batch(values, levels, torch.ones(values.shape), torch.ones(levels.shape))


@pytest.mark.parametrize("network", [ResidualMLP, MLP])
def test_untrained_denoiser_is_exact_bayes_of_independent_columns(marginals, network):
    blocks, rows = marginals
    torch.manual_seed(0)
    denoiser = Denoiser(blocks, partial(network, hidden_dim=16)).eval()
    clean = denoiser.encode(as_batch(rows))
    sigma = torch.rand(len(clean)) * 3 + 0.01
    noisy = clean + sigma[:, None] * torch.randn_like(clean)
    expected = []
    for block, x in zip(denoiser.blocks, noisy.split(denoiser.n_dims, 1), strict=True):
        zeros, level = torch.zeros(len(x), block.n_outputs), sigma[:, None]
        expected.append(block.denoise(x, block.logits(x, level), level, zeros))
    with torch.no_grad():
        torch.testing.assert_close(denoiser(noisy, sigma), torch.cat(expected, 1))


def test_denoised_tends_to_x_as_sigma_tends_to_0(marginals):
    blocks, rows = marginals
    denoiser = Denoiser(blocks, Recorder)
    clean = denoiser.encode(as_batch(rows))
    sigma = torch.full((len(clean),), 1e-5)
    noisy = clean + sigma[:, None] * torch.randn_like(clean)
    torch.testing.assert_close(denoiser(noisy, sigma), clean, atol=2e-3, rtol=0)


def test_encoding_and_decoding_are_inverse(marginals):
    blocks, rows = marginals
    denoiser = Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()
    clean = denoiser.encode(as_batch(rows))
    chance = torch.rand(len(clean), 2), torch.rand(len(clean), 3)
    with torch.no_grad():
        values, levels = denoiser.decode(clean, torch.full((len(clean),), 1e-3), chance)
    np.testing.assert_array_equal(levels.numpy(), rows.levels)
    np.testing.assert_allclose(values.numpy(), rows.low, atol=5e-3)


def test_network_sees_the_scalings_of_edm(marginals):
    """c_in = 1 / sqrt(sigma^2 + variance) and c_noise = ln(sigma) / 4."""
    blocks, rows = marginals
    denoiser = Denoiser(blocks, Recorder)
    clean = denoiser.encode(as_batch(rows))
    sigma = torch.linspace(0.01, 20, len(clean))
    noisy = clean + sigma[:, None] * torch.randn_like(clean)
    denoiser(noisy, sigma)
    seen = denoiser.network
    torch.testing.assert_close(seen.noise_labels, sigma.log() / 4)
    c_in = 1 / (sigma[:, None] ** 2 + clean.var(0, correction=0)).sqrt()
    varies = clean.var(0) > 0
    scaled = ((noisy - clean.mean(0)) * c_in)[:, varies]
    found = seen.x[:, : clean.shape[1]]
    torch.testing.assert_close(found[:, varies], scaled, atol=2e-3, rtol=2e-3)
    assert (found[:, ~varies] == 0).all()  # a constant column is not noise to learn


def test_network_has_no_say_at_high_noise(marginals):
    blocks, _ = marginals
    denoiser = Denoiser(blocks, Recorder)
    x = denoiser.mean.expand(4, -1)
    sigma = torch.tensor([0.01, 1.0, 10.0, 1e4])
    added = torch.cat([part[4] for part in denoiser.parts(x, sigma, None)], 1)
    expected = 1 / (1 + sigma**2).sqrt()
    torch.testing.assert_close(added[:, 0], expected)


def test_missing_columns_lose_nothing(marginals):
    blocks, rows = marginals
    denoiser = Denoiser(blocks, Recorder)
    batch = as_batch(rows)
    batch.has_values[:, 1] = 0
    batch.has_levels[:, 0] = 0
    clean = denoiser.encode(batch)
    sigma = torch.ones(len(clean))
    losses = denoiser.losses(clean + torch.randn_like(clean), sigma, batch)
    order = [("values", 0), ("values", 1), ("levels", 0), ("levels", 1), ("levels", 2)]
    lost = dict(zip(order, (losses != 0).any(0).tolist(), strict=True))
    assert not lost["values", 1]
    assert not lost["levels", 0]
    assert lost["values", 0]
    assert lost["levels", 1]


@pytest.mark.parametrize("network", [ResidualMLP, MLP])
def test_networks_start_at_zero_and_use_all_their_inputs(network):
    torch.manual_seed(0)
    net = network(5, 7, hidden_dim=16, n_blocks=2, n_classes=3).eval()
    x, noise, classes = torch.randn(4, 5), torch.randn(4), torch.eye(3)[[0, 1, 2, 0]]
    assert (net(x, noise, classes) == 0).all()
    torch.nn.init.normal_(net.outputs.weight)
    before = net(x, noise, classes)
    assert before.shape == (4, 7)
    for changed in (
        net(x + 1, noise, classes),
        net(x, noise + 1, classes),
        net(x, noise, classes[[1, 2, 0, 1]]),
    ):
        assert (changed - before).abs().amax(1).min() > 1e-4


def test_noise_embedding_tells_levels_apart():
    embedding = NoiseEmbedding(64)(torch.linspace(-2, 1, 100))
    assert embedding.shape == (100, 64)
    distance = torch.cdist(embedding, embedding) + 10 * torch.eye(100)
    assert distance.min() > 0.1
