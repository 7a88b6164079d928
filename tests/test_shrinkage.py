"""Covariances of few rows, against known ones and scikit-learn's shrinkage."""

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from sklearn_tabsyn._shrinkage import shrunk_covariance


def shrunk(rows):
    """Return the shrunk covariance of centred rows."""
    n_free = len(rows) - 1
    return shrunk_covariance(rows.T @ rows / n_free, n_free)


def factor_rows(n_rows, n_columns, seed=0):
    """Return centred rows of five factors, and their true covariance."""
    rng = np.random.default_rng(seed)
    loads = rng.normal(size=(n_columns, 5))
    covariance = loads @ loads.T + np.eye(n_columns)
    rows = rng.multivariate_normal(np.zeros(n_columns), covariance, n_rows)
    return rows - rows.mean(0), covariance


@pytest.mark.parametrize(("n_rows", "n_columns"), [(50, 200), (120, 60), (400, 150)])
def test_it_is_nearer_to_the_truth_than_others(n_rows, n_columns):
    errors = np.zeros(3)
    for seed in range(5):
        rows, truth = factor_rows(n_rows, n_columns, seed)
        sample = rows.T @ rows / (n_rows - 1)
        linear, _ = ledoit_wolf(rows, assume_centered=True)
        found = sample, linear, shrunk(rows)
        errors += [((each - truth) ** 2).sum() for each in found]
    assert errors[2] < 0.95 * errors[:2].min()


def test_many_rows_are_believed():
    rows, _ = factor_rows(50_000, 6)
    sample = rows.T @ rows / (len(rows) - 1)
    np.testing.assert_allclose(shrunk(rows), sample, atol=0.02)


@pytest.mark.parametrize(
    ("n_rows", "n_columns"), [(2, 1), (2, 7), (3, 3), (8, 7), (8, 8), (7, 8)]
)
def test_hardly_any_rows(n_rows, n_columns):
    rows, _ = factor_rows(n_rows, n_columns)
    found = shrunk(rows)
    np.testing.assert_allclose(found, found.T, atol=1e-9)
    assert np.trace(found) == pytest.approx((rows**2).sum() / (n_rows - 1))
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_directions_without_variance_get_none():
    rng = np.random.default_rng(0)
    codes = np.eye(3)[rng.choice(3, 200, p=[0.5, 0.3, 0.2])]
    rows = np.c_[codes, np.ones(200), rng.normal(size=200)]
    found = shrunk(rows - rows.mean(0))
    np.testing.assert_allclose(found[:3].sum(0), 0, atol=1e-9)
    np.testing.assert_allclose(found[3], 0, atol=1e-9)
    assert (np.diag(found)[[0, 1, 2, 4]] > 0.1).all()


def test_nothing_varies():
    np.testing.assert_array_equal(shrunk(np.zeros((9, 4))), 0)
