"""The start of few rows: clusters of rows instead of independent columns."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from sklearn_tabsyn import DiffusionSynthesizer, _evidence
from sklearn_tabsyn._batches import Batch, RowDataset
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._clusters import Clusters
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._evidence import ClusterEvidence, learn_clusters
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._observation import N_KINDS, Layout, Observation
from sklearn_tabsyn._sizes import FEW, FEW_IF_GIVEN, FEW_OF_WIDE, FEW_PER_COLUMN


def make_rows(n_rows=1_500, seed=0):
    """Return two numbers and a level that all hang together."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 2, n_rows)
    first = rng.normal(size=n_rows)
    second = 0.8 * first + 0.6 * rng.normal(size=n_rows) + level
    values = np.stack([first, second], 1).astype(np.float32)
    return Rows(values, values, level[:, None].astype(np.int32))


def make_denoiser(rows, observation=None):
    blocks = describe_columns(rows, [(2, False)], np.ones(len(rows.levels)))
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=8), observation).eval()


# Two numbers and a column of levels, each made of itself.
LAYOUT = Layout(np.array([-1]), *np.split(np.eye(3, dtype=bool), [2]))
NO_LEVELS = np.zeros((0, 1))
COVARIANCE = np.array([[1.0, 0.6, 0.2], [0.6, 2.0, 0.5], [0.2, 0.5, 0.5]])


def told_of(evidence, x, levels):
    """Return mean and variance of each clean deviation that the evidence leads to."""
    pull, precision, log_odds = evidence(x, levels, [])
    variance = 1 / (1 / evidence.variance + precision)
    return variance * pull, variance.expand_as(pull), log_odds


def conditional(x, covariance, j, s):
    """Return mean and variance of coordinate j of Gaussian rows, by noisy others."""
    others = np.arange(len(x)) != j
    noise = np.diag(np.broadcast_to(s, len(x))[others] ** 2)
    inverse = np.linalg.inv(covariance[np.ix_(others, others)] + noise)
    weight = covariance[j, others] @ inverse
    return weight @ x[others], covariance[j, j] - weight @ covariance[others, j]


@pytest.mark.parametrize(
    "levels",
    [
        [[0.05], [0.3], [1.0], [20.0]],
        [[0.3]],
        [[0.05, 0.3, 1.0], [1e-4, 2.0, 2.0], [0.7, 0.7, 0.7], [1e-4, 1e-4, 20.0]],
        [[1e-4, 0.3, 0.3]] * 4,
    ],
)
def test_evidence_of_one_cluster_is_that_of_the_other_coordinates(levels):
    mean, variance = torch.tensor([0.5, -1.0, 0.0]), torch.tensor([1.0, 2.0, 0.5])
    clusters = Clusters(np.ones(1), np.zeros((1, 3)), COVARIANCE[None], NO_LEVELS)
    evidence = ClusterEvidence(clusters, mean, variance, torch.arange(3), 3, books=[])
    x, levels = torch.randn(4, 3), torch.tensor(levels)
    means, variances, _ = told_of(evidence, x, levels)
    for i, s in enumerate(levels.expand(4, -1).numpy()):
        for j in range(3):
            center, left = conditional((x[i] - mean).numpy(), COVARIANCE, j, s)
            np.testing.assert_allclose(means[i, j], center, rtol=1e-2, atol=1e-4)
            np.testing.assert_allclose(variances[i, j], left, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("level", [[0.4], [0.4, 1e-4, 0.9]])
def test_evidence_of_clusters_has_the_moments_of_their_mixture(level):
    shares = np.array([0.3, 0.7])
    centers = np.array([[1.4, -0.7, 2.1], [-0.6, 0.3, -0.9]])
    covariances = np.stack([COVARIANCE, np.diag([0.3, 0.4, 0.2])])
    moments = covariances.diagonal(0, 1, 2) + centers**2
    variance = torch.tensor(shares @ moments).float()
    evidence = ClusterEvidence(
        Clusters(shares, centers, covariances, np.zeros((0, 2))),
        torch.zeros(3),
        variance,
        torch.arange(3),
        3,
        books=[],
    )
    torch.manual_seed(0)
    x, level = 2 * torch.randn(200, 3), torch.tensor(level)
    means, variances, _ = told_of(evidence, x, level.expand(200, -1))
    level = level.expand(3).numpy()
    compared = 0
    for i in range(200):
        for j in range(3):
            row, others = x[i].numpy(), np.arange(3) != j
            parts = [
                conditional(row - c, each, j, level)
                for c, each in zip(centers, covariances, strict=True)
            ]
            noisy = [
                multivariate_normal(
                    c[others],
                    each[np.ix_(others, others)] + np.diag(level[others] ** 2),
                )
                for c, each in zip(centers, covariances, strict=True)
            ]
            odds = shares * [normal.pdf(row[others]) for normal in noisy]
            odds /= odds.sum()
            told, left = np.array(parts).T
            told = told + centers[:, j]
            mean = odds @ told
            left = odds @ (left + (told - mean) ** 2)
            if left < variance[j]:
                compared += 1
                np.testing.assert_allclose(means[i, j], mean, rtol=0.02, atol=2e-3)
                np.testing.assert_allclose(variances[i, j], left, rtol=0.02, atol=2e-3)
    assert compared > 300


def test_levels_and_numbers_tell_the_cluster_of_levels():
    # one number, then two columns of two levels; clusters differ in all of them
    shares = np.array([0.4, 0.6])
    odds = np.array([[2.0, 0.5], [0.25, 1.5], [0.3, 1.4], [1.6, 0.6]])
    centers = np.zeros((2, 5))
    centers[:, 0] = 1.5, -1
    evidence = ClusterEvidence(
        Clusters(shares, centers, np.stack([np.eye(5)] * 2), odds),
        torch.zeros(5),
        torch.ones(5),
        torch.tensor([0, 1, 1, 2, 2]),
        1,
        books=[(2, 2)],
    )
    x, level = torch.zeros(1, 5), torch.tensor([[0.5]])
    x[0, 0] = 0.8
    belief = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]])
    _, _, [log_odds] = evidence(x, level, [belief.log()])
    number = norm.pdf(0.8, centers[:, 0], np.sqrt(1.25))
    by_first = shares * number * (0.9 * odds[0] + 0.1 * odds[1])
    np.testing.assert_allclose(
        log_odds[0, 1], np.log(odds[2:] @ (by_first / by_first.sum())), rtol=1e-4
    )
    by_second = shares * number * (0.2 * odds[2] + 0.8 * odds[3])
    np.testing.assert_allclose(
        log_odds[0, 0], np.log(odds[:2] @ (by_second / by_second.sum())), rtol=1e-4
    )


def test_untrained_denoiser_knows_what_hangs_together():
    rows = make_rows()
    denoiser = make_denoiser(rows)
    seen = RowDataset(rows).__getitems__(np.arange(1_500))[0]
    errors = {}
    for start in ("independent", "clusters"):
        if start == "clusters":
            denoiser.learn_from(learn_clusters(denoiser, RowDataset(rows)))
        torch.manual_seed(0)
        for sigma in (0.05, 0.5):
            clean = denoiser.encode(seen)
            noisy = clean + sigma * torch.randn_like(clean)
            level = torch.full((len(clean),), sigma)
            with torch.no_grad():
                error = (denoiser(noisy, level) - clean).square().mean(0)
            errors[start, sigma] = error.numpy()
    for sigma, most in {0.05: 1.02, 0.5: 0.95}.items():
        numbers = [errors[start, sigma][:2] for start in ("clusters", "independent")]
        assert (numbers[0] < most * numbers[1]).all()


def test_untrained_denoiser_knows_what_is_given():
    rows = make_rows()
    denoiser = make_denoiser(rows, Observation(LAYOUT))
    denoiser.learn_from(learn_clusters(denoiser, RowDataset(rows)))
    seen = RowDataset(rows).__getitems__(np.arange(1_500))[0]
    # The second number and the level of half the rows; of others nothing.
    units = torch.zeros(1_500, 3, dtype=torch.bool)
    units[::2, 1:] = True
    labels = denoiser.labels(*denoiser.observation.encoded(seen, units))
    torch.manual_seed(0)
    clean, sigma = denoiser.encode(seen), torch.full((1_500,), 20.0)
    noisy = clean + 20 * torch.randn_like(clean)
    noisy = torch.where(denoiser.given(labels), clean, noisy)
    with torch.no_grad():
        told = denoiser(noisy, sigma, labels)
        alone = [
            denoiser(noisy[i : i + 1], sigma[:1], labels[i : i + 1]) for i in range(9)
        ]
    np.testing.assert_allclose(told[:9], torch.cat(alone), rtol=1e-3, atol=1e-3)
    error = (told - clean)[:, 0].square() / clean[:, 0].var()
    # A regression of the second number on the first and the level leaves 0.36 of 1.
    assert error[::2].mean() < 0.45
    assert error[1::2].mean() > 0.8


def test_rare_levels_tell_little():
    # Two columns that are the same: half of the rows have one level, 2 % another.
    correlations = {}
    for times in (4, 40):
        level = np.repeat([0, 1, 2], times * np.array([24, 25, 1])).astype(np.int32)
        none = np.zeros((len(level), 0), np.float32)
        rows = Rows(none, none, np.stack([level, level], 1))
        denoiser = Denoiser(
            describe_columns(rows, [(3, False)] * 2, np.ones(len(level))),
            partial(ResidualMLP, hidden_dim=8),
        )
        clusters = learn_clusters(denoiser, RowDataset(rows), given=True)
        [covariance] = clusters.covariances
        deviations = np.sqrt(np.diag(covariance))
        correlation = covariance / deviations / deviations[:, None]
        correlations[times] = correlation[1, 4], correlation[2, 5]
    often, rarely = np.divide(correlations[4], correlations[40])
    assert 0 < rarely < 0.5 < 0.8 < often < 1


def test_rows_of_which_columns_are_given_are_one_cluster():
    values = np.random.default_rng(0).normal(size=(900, 1)).astype(np.float32)
    values = np.hstack([values, values**2])
    rows = Rows(values, values, np.zeros((900, 1), np.int32))
    denoiser = make_denoiser(rows)
    n_clusters = [
        len(learn_clusters(denoiser, RowDataset(rows), given=given).shares)
        for given in (False, True)
    ]
    assert n_clusters[0] > 2 and n_clusters[1] == 1


def test_few_kinds_of_rows_share_what_is_given_and_its_noise():
    observation = Observation(LAYOUT, share=0.5)
    assert observation.kinds(50).tolist() == list(range(50))
    observation.few_kinds = True
    assert observation.kinds(N_KINDS).tolist() == list(range(N_KINDS))
    found = torch.stack([observation.kinds(50) for _ in range(99)])
    assert (found.max() < 50) and len(found.unique()) > 40
    kinds = found[0]
    assert len(kinds.unique()) == N_KINDS
    seen = RowDataset(make_rows(50)).__getitems__(np.arange(50))[0]
    given = torch.cat(observation.draw(seen, kinds), 1)
    for kind in kinds.unique():
        same = given[kinds == kind]
        assert len(same[same.any(1)].unique(dim=0)) <= 1
    assert 0 < given.any(1).float().mean() < 1


def test_covariance_of_few_rows_is_shrunk():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 2)).astype(np.float32)
    rows = Rows(values, values, np.zeros((50, 1), np.int32))
    denoiser = Denoiser(
        describe_columns(rows, [(1, False)], np.ones(50)),
        partial(ResidualMLP, hidden_dim=8),
    )
    clusters = learn_clusters(denoiser, RowDataset(rows))
    [covariance] = clusters.covariances
    deviations = np.sqrt(denoiser.variance.numpy())
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), deviations, rtol=1e-5)
    own = np.corrcoef(values.T)[0, 1] * deviations[0] * deviations[1]
    assert abs(covariance[0, 1]) < 0.9 * abs(own)
    denoiser.learn_from(clusters)
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
        (200, 2, True, True),
        (FEW_IF_GIVEN, 2, 1.0, True),
        (FEW_IF_GIVEN + 1, 2, 1.0, False),
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
    assert (synthesizer.denoiser_.evidence is not None) == starts


def test_it_is_kept_by_pickles_and_left_out_of_wide_tables(mixed, fast, monkeypatch):
    synthesizer = fast().fit(mixed)
    again = pickle.loads(pickle.dumps(synthesizer))
    assert again.sample(9, random_state=1).equals(synthesizer.sample(9, random_state=1))
    monkeypatch.setattr(_evidence, "MAX_COORDINATES", 2)
    assert fast().fit(mixed).denoiser_.evidence is None
