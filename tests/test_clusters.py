"""Clusters of rows, against planted ones."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

from sklearn_tabsyn._clusters import Seen, find_clusters, moments_of, odds_of


def seen(numbers=None, levels=None, weights=None):
    """Return rows of numbers and of one column of levels."""
    n_rows = len(numbers if levels is None else levels)
    numbers = np.zeros((n_rows, 0)) if numbers is None else numbers
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    codes = (
        np.zeros((n_rows, 0)) if levels is None else np.eye(levels.max() + 1)[levels]
    )
    varied = codes[:, codes.std(0) > 0]
    scores = np.c_[numbers, (varied - varied.mean(0)) / varied.std(0)]
    weights = np.ones(n_rows) if weights is None else weights
    return Seen(numbers, sp.csr_array(codes), scores, weights)


def planted(n_rows, centers, seed=0, n_columns=4):
    """Return numbers around centers, and the cluster of each row."""
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, len(centers), n_rows)
    numbers = np.array(centers)[clusters][:, None] + rng.normal(
        size=(n_rows, n_columns)
    )
    return numbers, clusters


@pytest.mark.parametrize("centers", [[0], [0, 8], [0, 8, 16]])
def test_planted_clusters_are_found(centers):
    numbers, truth = planted(300, centers)
    belonging = find_clusters(seen(numbers))
    assert belonging.shape == (300, len(centers))
    np.testing.assert_allclose(belonging.sum(1), 1)
    assert adjusted_rand_score(truth, belonging.argmax(1)) == pytest.approx(1)


def test_clusters_of_levels_alone_are_found():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    columns = [
        np.where(rng.random(600) < 0.9, truth, rng.integers(0, 3, 600))
        for _ in range(6)
    ]
    codes = np.concatenate([np.eye(3)[column] for column in columns], 1)
    scores = (codes - codes.mean(0)) / codes.std(0)
    rows = Seen(np.zeros((600, 0)), sp.csr_array(codes), scores, np.ones(600))
    belonging = find_clusters(rows)
    assert belonging.shape[1] >= 2
    assert adjusted_rand_score(truth, belonging.argmax(1)) > 0.5


def test_no_false_alarm_where_rows_are_gaussian_or_columns_independent():
    alarms = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mixed = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
        alarms += find_clusters(seen(mixed)).shape[1] > 1
        alone = seen(rng.normal(size=(200, 3)), rng.integers(0, 3, 200))
        alarms += find_clusters(alone).shape[1] > 1
    assert alarms <= 3


def test_few_rows_of_many_columns_are_one_cluster():
    numbers, _ = planted(60, [0, 9], n_columns=40)
    assert find_clusters(seen(numbers)).shape == (60, 1)


def test_few_rows_of_large_weights_are_one_cluster():
    numbers, _ = planted(300, [0, 8])
    weights = np.r_[np.full(4, 1e3), np.ones(296)]
    assert find_clusters(seen(numbers, weights=weights)).shape == (300, 1)


def test_rows_that_repeat_each_other():
    numbers = np.repeat([[0.0, 1.0], [1.0, 0.0]], 200, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        belonging = find_clusters(seen(numbers))
    assert np.isfinite(belonging).all()
    for part in moments_of(seen(numbers).numbers, np.ones(400), belonging):
        assert np.isfinite(part).all()


def test_rows_that_are_all_the_same_are_one_cluster():
    level, no_scores = sp.csr_array(np.ones((400, 1))), np.zeros((400, 1))
    rows = Seen(np.zeros((400, 0)), level, no_scores, np.ones(400))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_clusters(rows).shape == (400, 1)


def test_a_cluster_has_its_own_moments_and_a_small_one_borrows():
    rng = np.random.default_rng(0)
    sizes = 4_000, 20
    wide = np.diag([4.0, 1.0])
    numbers = np.concatenate(
        [
            rng.multivariate_normal([0, 0], wide, sizes[0]),
            rng.multivariate_normal([3, 3], np.eye(2) / 100, sizes[1]),
        ]
    )
    belonging = np.repeat(np.eye(2), sizes, axis=0)
    shares, centers, covariances = moments_of(numbers, np.ones(len(numbers)), belonging)
    np.testing.assert_allclose(shares, np.array(sizes) / sum(sizes), atol=1e-3)
    np.testing.assert_allclose(centers, [[0, 0], [3, 3]], atol=0.2)
    np.testing.assert_allclose(covariances[0], wide, atol=0.2)
    # a quarter of 20 rows and 6 borrowed ones
    np.testing.assert_allclose(covariances[1], wide * 6 / 26, atol=0.1)


def test_a_row_of_weight_two_counts_as_two():
    rng = np.random.default_rng(0)
    numbers, belonging = rng.normal(size=(50, 2)), rng.dirichlet([1, 1], 50)
    twice = np.arange(50) < 20
    counts = np.where(twice, 2, 1)
    whole = moments_of(
        np.repeat(numbers, counts, 0), np.ones(70), np.repeat(belonging, counts, 0)
    )
    weighted = moments_of(numbers, counts * 1.0, belonging)
    np.testing.assert_allclose(whole[0], weighted[0])
    np.testing.assert_allclose(whole[1], weighted[1])


def test_odds_of_a_rare_level_tell_little():
    levels = np.r_[np.zeros(50, int), np.ones(49, int), 2]
    belonging = np.repeat(np.eye(2), 50, axis=0)
    odds = odds_of(sp.csr_array(np.eye(4)[levels]), np.ones(100), belonging)
    np.testing.assert_allclose(odds[0], [2, 0], atol=0.1)
    np.testing.assert_allclose(odds[1], [0, 2], atol=0.1)
    np.testing.assert_allclose(odds[2], [2 / 3, 4 / 3], atol=0.02)
    np.testing.assert_allclose(odds[3], [1, 1])
