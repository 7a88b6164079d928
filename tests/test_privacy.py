"""Copies, members, and where rows lie."""

import numpy as np
import polars as pl
import pytest
from conftest import make_mixed

from sklearn_tabsyn.metrics import (
    alpha_precision,
    anchors,
    beta_recall,
    dcr_share,
    membership_inference_auc,
)


@pytest.mark.parametrize("metric", [dcr_share, membership_inference_auc])
def test_copies_are_found_and_new_rows_are_not(metric):
    real, synthetic, holdout = (make_mixed(600, seed) for seed in range(3))
    assert metric(real, real, holdout, random_state=0) > 0.9
    assert abs(metric(real, synthetic, holdout, random_state=0) - 0.5) < 0.06
    assert metric(real, holdout, holdout) < metric(real, real, holdout)


@pytest.mark.parametrize("metric", [dcr_share, membership_inference_auc])
def test_fewer_references_miss_copies(metric):
    real, holdout = make_mixed(600), make_mixed(400, 2)
    shares = [
        metric(real, real, holdout, max_references=n, random_state=0)
        for n in (60, 10_000)
    ]
    assert 0.5 < shares[0] < 0.7 < shares[1]
    with pytest.raises(ValueError, match="max_references"):
        metric(real, real, holdout, max_references=0)


def test_as_many_training_rows_as_held_out_are_searched():
    real, synthetic, holdout = make_mixed(900), make_mixed(900, 1), make_mixed(90, 2)
    assert abs(dcr_share(real, synthetic, holdout, random_state=0) - 0.5) < 0.1


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, lambda X: X.to_numpy(dtype=object)]
)
@pytest.mark.parametrize("metric", [dcr_share, membership_inference_auc])
def test_privacy_reads_any_container(metric, convert):
    tables = [make_mixed(100, seed) for seed in range(3)]
    assert metric(*map(convert, tables)) == pytest.approx(metric(*tables))


def test_ties_count_half(mixed):
    assert dcr_share(mixed, mixed, mixed) == 0.5
    assert membership_inference_auc(mixed[:1], mixed[:1], mixed[:1]) == 0.5


@pytest.mark.parametrize("metric", [alpha_precision, beta_recall])
def test_support_of_the_same_law_and_of_a_collapsed_one(metric):
    real, alike = np.random.default_rng(0).normal(size=(2, 1000, 2))
    assert metric(real, real) > 0.99
    assert metric(real, alike) > 0.9
    assert metric(real, 0.05 * alike) < 0.3
    assert metric(real, alike + 20) == 0


@pytest.mark.parametrize("metric", [alpha_precision, beta_recall])
def test_support_of_mixed_tables(mixed, metric):
    assert metric(mixed, mixed) > 0.99
    assert 0.7 < metric(mixed, make_mixed(150, 1)) <= 1


def test_recall_needs_two_rows(mixed):
    with pytest.raises(ValueError, match="at least 2 rows"):
        beta_recall(mixed[:1], mixed)


@pytest.mark.parametrize("metric", ["dcr", "membership"])
def test_anchors_of_privacy_are_near_half(metric):
    table = make_mixed(900)
    assert abs(anchors(metric, table, random_state=0).real - 0.5) < 0.08


@pytest.mark.parametrize("metric", ["alpha_precision", "beta_recall"])
def test_anchors_of_support_are_near_one(metric):
    table = make_mixed(900)
    independent, real = anchors(metric, table, random_state=0)
    assert real > 0.93
    if metric == "beta_recall":  # the other looks at the distance from the center only
        assert independent < real - 0.01
