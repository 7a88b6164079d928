"""Synthetic rows of rare classes for imbalanced-learn."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import parametrize_with_checks
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_tabsyn import DiffusionOverSampler, DiffusionSynthesizer

SMALL = DiffusionSynthesizer(hidden_dim=8, n_blocks=1, max_iter=3, conditional=True)


@parametrize_with_checks([DiffusionOverSampler(synthesizer=SMALL, random_state=0)])
def test_checks_of_imbalanced_learn(estimator, check):
    check(estimator)


def imbalanced(n_rows=300):
    """Return a mixed table with gaps, and classes of 70, 20 and 10 %."""
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], n_rows, p=[0.7, 0.2, 0.1])
    table = make_mixed(n_rows)
    table["mark"] = pd.Series(y).map({"a": 0.0, "b": 5.0, "c": 9.0}) + rng.random(
        n_rows
    )
    table["size"] = table["size"].astype("category")
    return table, pd.Series(y, name="class")


@pytest.fixture
def sampler(fast):
    synthesizer = fast(conditional=1.0, hidden_dim=64, max_iter=300)
    return DiffusionOverSampler(synthesizer=synthesizer, random_state=0)


def test_frames_keep_their_rows_and_dtypes(sampler):
    X, y = imbalanced()
    before = X.copy()
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(X_new[:300], X)
    pd.testing.assert_series_equal(y_new[:300], y)
    pd.testing.assert_series_equal(X_new.dtypes, X.dtypes)
    assert list(X_new.index) == list(y_new.index) == list(range(len(y_new)))
    assert len(set(y_new.value_counts())) == 1
    marks = X_new["mark"][300:].groupby(y_new[300:]).median()
    assert 4.5 < marks["b"] < 6.5
    assert 8 < marks["c"] < 10
    again = sampler.fit_resample(X, y)[0]
    pd.testing.assert_frame_equal(X_new, again)


def test_polars(sampler):
    X, y = imbalanced()
    X, y = pl.from_pandas(X), pl.from_pandas(y)
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.schema == X.schema
    assert X_new[:300].equals(X)
    assert isinstance(y_new, pl.Series)
    assert y_new[:300].equals(y)
    assert len(set(y_new.value_counts()["count"])) == 1


@pytest.mark.parametrize(
    ("strategy", "added"),
    [
        ("minority", {"c"}),
        ("not majority", {"b", "c"}),
        ("not minority", {"b"}),
        ("all", {"b", "c"}),
        (dict.fromkeys("abc", 400), {"a", "b", "c"}),
        ({"c": 99}, {"c"}),
        (lambda y: {"b": 150}, {"b"}),
    ],
)
def test_strategies_mean_what_they_do_in_imbalanced_learn(strategy, added, fast):
    X, y = imbalanced()
    sampler = DiffusionOverSampler(
        sampling_strategy=strategy, synthesizer=fast(conditional=True)
    )
    _, y_new = sampler.fit_resample(X, y)
    grown = y_new.value_counts() - y.value_counts()
    assert set(grown[grown > 0].index) == added
    for label, count in strategy.items() if isinstance(strategy, dict) else ():
        assert (y_new == label).sum() == count


def test_a_float_is_a_ratio_of_two_classes(fast):
    X, y = imbalanced()
    y = y == "c"
    sampler = DiffusionOverSampler(
        sampling_strategy=0.5, synthesizer=fast(conditional=True)
    )
    _, y_new = sampler.fit_resample(X, y)
    assert y_new.sum() / (~y_new).sum() == pytest.approx(0.5, abs=0.01)
    assert y_new.dtype == y.dtype


def test_nothing_to_add(fast):
    X, y = imbalanced(90)
    y = np.repeat(["a", "b", "c"], 30)
    sampler = DiffusionOverSampler(synthesizer=fast(conditional=True))
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new, X)
    np.testing.assert_array_equal(y_new, y)
    assert sampler.synthesizer_ is None


def test_in_a_pipeline_and_a_search(fast):
    X, y = imbalanced()
    X = X[["price", "mark", "pieces"]]
    model = make_pipeline(
        DiffusionOverSampler(synthesizer=fast(conditional=True), random_state=0),
        HistGradientBoostingClassifier(max_iter=20),
    )
    assert cross_val_score(model, X, y, cv=2).mean() > 0.9
    grid = {"diffusionoversampler__sampling_strategy": ["minority", "all"]}
    assert GridSearchCV(model, grid, cv=2).fit(X, y).best_score_ > 0.9


def test_bad_input(fast):
    X, y = imbalanced(60)
    sampler = DiffusionOverSampler(synthesizer=fast(conditional=True))
    with pytest.raises(ValueError, match="needs to have more than 1 class"):
        sampler.fit_resample(X, np.repeat("a", 60))
    with pytest.raises(ValueError, match="requires y to be passed"):
        sampler.fit_resample(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        sampler.fit_resample(X, y[:-1])
    with pytest.raises(ValueError, match="must have conditional=True"):
        DiffusionOverSampler(synthesizer=fast()).fit_resample(X, y)
    with pytest.raises(ValueError, match="'synthesizer' parameter"):
        DiffusionOverSampler(synthesizer="smote").fit_resample(X, y)
    with pytest.raises(ValueError, match="'synthesizer' parameter"):
        DiffusionOverSampler(synthesizer="smote").fit_resample(pl.from_pandas(X), y)
    with pytest.raises(ValueError, match="unique"):
        sampler.fit_resample(pd.concat([X, X], axis=1), y)
    # fewer rows than it takes to learn a class are still enough to draw some
    few = DiffusionOverSampler(synthesizer=fast(conditional=True))
    _, y_new = few.fit_resample(X[:4], ["a", "a", "a", "b"])
    assert sorted(y_new) == ["a"] * 3 + ["b"] * 3


def test_without_imbalanced_learn():
    code = (
        "import sys; sys.modules['imblearn'] = None\n"
        "from sklearn_tabsyn import DiffusionOverSampler\n"
        "try:\n    DiffusionOverSampler()\n"
        "except ImportError as error:\n    print(error)"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "pip install imbalanced-learn" in found
