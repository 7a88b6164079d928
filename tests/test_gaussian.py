"""The start of few rows: Gaussian coordinates instead of independent columns."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from sklearn_tabsyn import DiffusionSynthesizer, _gaussian
from sklearn_tabsyn._batches import FEW, FEW_OF_WIDE, FEW_PER_COLUMN, Batch, RowDataset
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser, ResidualMLP
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._gaussian import GaussianEvidence, learn_covariance


def make_rows(n_rows=1_500, seed=0):
    """Return two numbers and a level that all hang together."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 2, n_rows)
    first = rng.normal(size=n_rows)
    second = 0.8 * first + 0.6 * rng.normal(size=n_rows) + level
    values = np.stack([first, second], 1).astype(np.float32)
    return Rows(values, values, level[:, None].astype(np.int32))


def make_denoiser(rows):
    blocks = describe_columns(rows, [(2, False)], np.ones(len(rows.levels)))
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()


def test_evidence_is_that_of_the_other_coordinates():
    covariance = np.array([[1.0, 0.6, 0.2], [0.6, 2.0, 0.5], [0.2, 0.5, 0.5]])
    mean, variance = torch.tensor([0.5, -1.0, 0.0]), torch.tensor([1.0, 2.0, 0.5])
    evidence = GaussianEvidence(covariance, mean, variance)
    x, sigma = torch.randn(4, 3), torch.tensor([0.05, 0.3, 1.0, 20.0])
    pull, precision = evidence(x, sigma)
    for i, s in enumerate(sigma.numpy()):
        for j in range(3):
            others = np.arange(3) != j
            inverse = np.linalg.inv(
                covariance[np.ix_(others, others)] + s**2 * np.eye(2)
            )
            weight = covariance[j, others] @ inverse
            left = covariance[j, j] - weight @ covariance[others, j]
            center = weight @ (x[i] - mean).numpy()[others]
            np.testing.assert_allclose(pull[i, j], center / left, rtol=1e-2, atol=1e-4)
            more = 1 / left - 1 / covariance[j, j]
            np.testing.assert_allclose(precision[i, j], more, rtol=1e-2, atol=1e-4)


def test_untrained_denoiser_knows_what_hangs_together():
    rows = make_rows()
    denoiser = make_denoiser(rows)
    seen = RowDataset(rows).__getitems__(np.arange(1_500))[0]
    errors = {}
    for start in ("independent", "gaussian"):
        if start == "gaussian":
            denoiser.learn_from(learn_covariance(denoiser, RowDataset(rows)))
        torch.manual_seed(0)
        for sigma in (0.05, 0.5):
            clean = denoiser.encode(seen)
            noisy = clean + sigma * torch.randn_like(clean)
            level = torch.full((len(clean),), sigma)
            with torch.no_grad():
                error = (denoiser(noisy, level) - clean).square().mean(0)
            errors[start, sigma] = error.numpy()
    for sigma, most in {0.05: 1.02, 0.5: 0.95}.items():
        numbers = [errors[start, sigma][:2] for start in ("gaussian", "independent")]
        assert (numbers[0] < most * numbers[1]).all()


def test_covariance_of_few_rows_is_shrunk():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 2)).astype(np.float32)
    rows = Rows(values, values, np.zeros((50, 1), np.int32))
    denoiser = Denoiser(
        describe_columns(rows, [(1, False)], np.ones(50)),
        partial(ResidualMLP, hidden_dim=8),
    )
    covariance = learn_covariance(denoiser, RowDataset(rows))
    deviations = np.sqrt(denoiser.variance.numpy())
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), deviations, rtol=1e-5)
    own = np.corrcoef(values.T)[0, 1] * deviations[0] * deviations[1]
    assert abs(covariance[0, 1]) < 0.9 * abs(own)
    denoiser.learn_from(covariance)
    batch = Batch(
        torch.tensor(values),
        torch.zeros(50, 1).long(),
        torch.ones(50, 2),
        torch.ones(50, 1),
    )
    x = denoiser.encode(batch)
    assert torch.isfinite(denoiser(x, torch.full((50,), 1e-3))).all()


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "conditional", "starts"),
    [
        (FEW, 2, False, True),
        (FEW + 1, 2, False, False),
        (200, 2, True, False),
        (20 * FEW_PER_COLUMN, 20, False, True),
        (20 * FEW_PER_COLUMN + 1, 20, False, False),
        (FEW_OF_WIDE + 1, 80, False, False),
    ],
)
def test_only_few_rows_start_from_it(n_rows, n_columns, conditional, starts):
    X = np.random.default_rng(0).normal(size=(n_rows, n_columns)).cumsum(1)
    synthesizer = DiffusionSynthesizer(
        max_iter=1, hidden_dim=8, conditional=conditional, random_state=0
    ).fit(X)
    assert (synthesizer.denoiser_.gaussian is not None) == starts


def test_it_is_kept_by_pickles_and_left_out_of_wide_tables(mixed, fast, monkeypatch):
    synthesizer = fast().fit(mixed)
    again = pickle.loads(pickle.dumps(synthesizer))
    assert again.sample(9, random_state=1).equals(synthesizer.sample(9, random_state=1))
    monkeypatch.setattr(_gaussian, "MAX_COORDINATES", 2)
    assert fast().fit(mixed).denoiser_.gaussian is None
