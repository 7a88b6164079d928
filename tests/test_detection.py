"""Classifiers between real and synthetic rows, and models trained on synthetic rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from scipy.stats import norm
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.naive_bayes import GaussianNB

from sklearn_tabsyn.metrics import anchors, detection_auc, utility


@pytest.mark.parametrize("classifier", ["boosted", "logistic", GaussianNB()])
def test_detection_nears_the_auc_of_two_gaussians(classifier):
    real, synthetic = np.random.default_rng(0).normal(size=(2, 1500, 1))
    auc = detection_auc(real, synthetic + 1, classifier=classifier, random_state=0)
    assert auc == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.06)


def test_only_trees_see_dependence():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(800, 1)) * [1, 1], rng.normal(size=(800, 2))
    assert detection_auc(real, synthetic, random_state=0) > 0.9
    assert detection_auc(real, synthetic, classifier="logistic", random_state=0) < 0.6


@pytest.mark.parametrize("classifier", ["boosted", "logistic"])
def test_detection_reads_mixed_tables(mixed, classifier):
    how = {"classifier": classifier, "random_state": 0}
    auc = detection_auc(mixed, make_mixed(150, 1), **how)
    assert auc == detection_auc(mixed, make_mixed(150, 1), **how)
    assert abs(auc - 0.5) < 0.15


def test_detection_refuses_what_it_cannot_do(mixed):
    with pytest.raises(ValueError, match="n_splits=3 rows"):
        detection_auc(mixed, mixed[:2])
    with pytest.raises(ValueError, match="classifier must be"):
        detection_auc(mixed, mixed, classifier="forest")


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, lambda X: X.to_numpy(dtype=object)]
)
@pytest.mark.parametrize("metric", [detection_auc, utility])
def test_detection_and_utility_read_any_container(mixed, metric, convert):
    real, synthetic = make_mixed(120, 1), mixed[:120]
    params = {"target": 3} if metric is utility else {}
    expected = metric(real, synthetic, random_state=0, **params)
    tables = convert(real), convert(synthetic)
    assert metric(*tables, random_state=0, **params) == pytest.approx(expected)


@pytest.mark.parametrize("target", ["gift", "pieces"])
def test_utility_of_what_cannot_be_predicted_is_bounded(mixed, target):
    assert utility(make_mixed(seed=1), mixed, target, random_state=0) <= 1


def test_utility_of_numbers_nears_the_means_of_the_real_groups(mixed):
    real = make_mixed(seed=1)
    size = real["size"].fillna("none")
    mean = real.groupby(size)["price"].transform("mean")
    priced = real["price"].notna()
    best = r2_score(real["price"][priced], mean[priced])
    assert best - 0.1 < utility(real, mixed, "price", random_state=0) <= 1


def test_utility_of_classes_beats_the_ratio_of_their_prices(mixed):
    real = make_mixed(seed=1).dropna(subset="size")
    aucs = []
    for size, price in {"S": 1, "M": 3, "L": 9}.items():
        # Unknown prices are in the middle.
        distance = np.log(real["price"].fillna(3) / price).abs()
        aucs.append(roc_auc_score(real["size"] == size, -distance))
    naive = np.mean(aucs)
    assert naive < utility(real, mixed, "size", random_state=0) <= 1


def test_utility_of_lost_classes_is_chance(mixed):
    collapsed = mixed.assign(size="S")
    assert utility(mixed, collapsed, "size") == 0.5
    assert utility(mixed, mixed, "size", estimator=GaussianNB()) > 0.8


def test_utility_refuses_unknown_and_constant_targets(mixed):
    with pytest.raises(ValueError, match=r"target must name a column.*'weight'"):
        utility(mixed, mixed, "weight")
    with pytest.raises(ValueError, match=r"'size' must have at least 2 .* in real"):
        utility(mixed.assign(size="S"), mixed, "size")
    with pytest.raises(ValueError, match="found none"):
        utility(mixed[["gift"]], mixed[["gift"]], "gift")


def test_anchors_of_utility():
    X = pd.DataFrame({"a": np.arange(300.0), "b": np.arange(300) > 150})
    independent, real = anchors("utility", X, target="b", random_state=0)
    assert real > 0.95 > 0.8 > independent


@pytest.mark.parametrize("classifier", ["boosted", "logistic"])
def test_columns_of_gaps_can_be_told_apart(classifier):
    empty = np.column_stack([np.arange(90.0), np.full(90, np.nan)])
    full = empty.copy()
    full[:, 1] = 3
    how = {"classifier": classifier, "random_state": 0}
    assert detection_auc(empty, full, **how) == 1
    full[5:, 1] = np.nan
    assert detection_auc(empty, full, **how) < 0.7
    assert detection_auc(empty, empty, **how) < 0.7
    y = np.repeat([0.0, 1.0], 45)
    tables = (np.column_stack([table, y]) for table in (full, empty))
    assert utility(*tables, target=2, random_state=0) > 0.9


def test_detection_anchors_are_chance_for_real_rows_only():
    independent, real = anchors("detection", make_mixed(900), random_state=0)
    assert abs(real - 0.5) < 0.06
    assert independent > 0.65
