"""Classifiers and regressors that are fitted to synthetic rows too."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from conftest import make_mixed
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sklearn_tabsyn import AugmentedClassifier, AugmentedRegressor
from sklearn_tabsyn._resampling import balanced_counts

IRIS = load_iris(return_X_y=True)


class Recorder(BaseEstimator):
    """A classifier or regressor that remembers what it was fitted to."""

    def fit(self, X, y, sample_weight=None, **others):
        self.X_, self.y_, self.weight_ = X, y, sample_weight
        return self

    def predict(self, X):
        return np.full(len(X), np.asarray(self.y_)[0])


class Repeater(BaseEstimator):
    """A synthesizer that notes what it is fitted to, and repeats it."""

    fits = []

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        self.fits.append(np.asarray(X))
        self.X_, self.y_ = X, y
        return self

    def sample(self, n_samples, random_state=None):
        places = np.arange(n_samples) % len(self.X_)
        return self.X_[places], self.y_.iloc[places]


@pytest.fixture
def fits():
    """The tables that repeaters are fitted to."""
    Repeater.fits.clear()
    return Repeater.fits


def labelled(n_rows=200):
    """Return a mixed table without gaps, and text classes of it, some of them rare."""
    table = make_mixed(n_rows).assign(price=lambda t: t["price"].fillna(0.0))
    rare = np.random.default_rng(1).random(n_rows) < 0.15
    return table, pd.Series(np.where(rare, "rare", "common"), name="kind")


def test_ratio_0_is_the_bare_estimator(fast):
    X, y = labelled()
    numbers = X[["price", "pieces"]].to_numpy()
    bare = LogisticRegression(C=0.3)
    augmented = AugmentedClassifier(bare, fast(), ratio=0)
    expected = clone(bare).fit(numbers, y)
    found = augmented.fit(numbers, y)
    assert found.synthesizer_ is None
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(
            getattr(found, method)(numbers), getattr(expected, method)(numbers)
        )
    np.testing.assert_array_equal(found.predict(numbers), expected.predict(numbers))
    assert found.score(numbers, y) == expected.score(numbers, y)
    # not even its input is touched
    recorder = AugmentedClassifier(Recorder(), ratio=0).fit(X, y)
    assert recorder.estimator_.X_ is X
    assert recorder.estimator_.y_ is y
    assert AugmentedClassifier(Recorder(), fast(), ratio=1e-9).fit(X, y)


@pytest.mark.parametrize("container", ["pandas", "polars", "numpy"])
def test_real_rows_come_first_and_synthetic_ones_are_alike(fast, container):
    X, y = labelled()
    X = X.assign(size=X["size"].astype("category"))
    if container == "polars":
        X, y = pl.from_pandas(X), pl.from_pandas(y)
    elif container == "numpy":
        X, y = X.to_numpy(dtype=object), y.to_numpy()
    found = AugmentedClassifier(Recorder(), fast(), ratio=0.5).fit(X, y).estimator_
    assert type(found.X_) is type(X)
    assert type(found.y_) is type(y)
    assert found.X_.shape == (300, 6)
    assert len(found.y_) == 300
    if container == "pandas":
        pd.testing.assert_frame_equal(found.X_[:200], X)
        pd.testing.assert_series_equal(found.y_[:200], y)
        assert list(found.X_.index) == list(range(300))
        assert found.X_.dtypes.tolist() == X.dtypes.tolist()
    elif container == "polars":
        assert found.X_.schema == X.schema
        assert found.X_[:200].equals(X)
        assert found.y_[:200].equals(y)
    else:
        np.testing.assert_array_equal(found.y_[:200], y)
    assert set(found.y_) == {"common", "rare"}


def test_classes_keep_their_share_or_are_balanced(fast):
    X, y = labelled(400)
    shares = {}
    for balance in (False, True):
        synthesizer = fast(conditional=balance)
        augmented = AugmentedClassifier(Recorder(), synthesizer, balance=balance)
        found = augmented.fit(X, y).estimator_
        shares[balance] = (found.y_[400:] == "rare").mean(), (found.y_ == "rare").mean()
    assert shares[False][0] == pytest.approx((y == "rare").mean(), abs=0.06)
    assert shares[True][1] == 0.5
    # with a seed of its own, whatever that of the synthesizer
    again = [
        AugmentedClassifier(Recorder(), fast(random_state=seed), random_state=5)
        .fit(X, y)
        .estimator_.X_
        for seed in (0, 1)
    ]
    pd.testing.assert_frame_equal(*again)


@pytest.mark.parametrize(
    ("counts", "n_new", "expected"),
    [
        ([90, 10], 80, [0, 80]),
        ([90, 10], 100, [10, 90]),
        ([90, 10], 30, [0, 30]),
        ([50, 30, 10], 40, [0, 10, 30]),
        ([10, 10, 10], 4, [2, 1, 1]),
        ([10, 0, 2], 5, [0, 0, 5]),
        ([1.5, 0.5], 1, [0, 1]),
    ],
)
def test_balanced_counts(counts, n_new, expected):
    assert balanced_counts(np.array(counts), n_new).tolist() == expected


def test_no_validation_row_reaches_the_synthesizer(fits):
    X = np.arange(60.0)[:, None]
    y = (X[:, 0] % 3 == 0).astype(int)
    folds = KFold(4, shuffle=True, random_state=0)
    cross_val_score(AugmentedClassifier(SVC(), Repeater()), X, y, cv=folds)
    splits = list(folds.split(X))
    assert len(fits) == len(splits)
    for seen, (train, validation) in zip(fits, splits, strict=True):
        assert set(seen.ravel()) == set(X[train].ravel())
        assert not set(seen.ravel()) & set(X[validation].ravel())
    # the same inside a pipeline and a search
    fits.clear()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), AugmentedClassifier(SVC(), Repeater())),
        {"augmentedclassifier__ratio": [0, 0.5]},
        cv=folds,
        refit=False,
    )
    search.fit(X, y)
    assert [len(seen) for seen in fits] == [45] * 4


def test_memory_fits_a_synthesizer_once_for_all_ratios(tmp_path, fits):
    X, y = IRIS
    augmented = AugmentedClassifier(SVC(), Repeater(), memory=str(tmp_path))
    grid = {"ratio": [0, 0.5, 1, 2], "estimator__C": [0.1, 1]}
    search = GridSearchCV(augmented, grid, cv=3, refit=False).fit(X, y)
    assert len(fits) == 3
    without = GridSearchCV(augmented.set_params(memory=None), grid, cv=3, refit=False)
    without.fit(X, y)
    assert len(fits) == 3 + 3 * 3 * 2
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], without.cv_results_["mean_test_score"]
    )


def test_memory_gives_the_same_rows(tmp_path, fast):
    X, y = labelled()
    memory = str(tmp_path)
    kept = AugmentedClassifier(Recorder(), fast(), memory=memory, random_state=0)
    first, second = (clone(kept).fit(X, y).estimator_ for _ in range(2))
    plain = clone(kept).set_params(memory=None).fit(X, y).estimator_
    pd.testing.assert_frame_equal(first.X_, second.X_)
    pd.testing.assert_frame_equal(first.X_, plain.X_)


def test_searches(fast):
    X, y = IRIS
    augmented = AugmentedClassifier(
        LogisticRegression(max_iter=500), fast(), random_state=0
    )
    grid = {"ratio": [0, 1], "synthesizer__hidden_dim": [8, 16], "balance": [False]}
    assert GridSearchCV(augmented, grid, cv=2).fit(X, y).best_score_ > 0.8
    halving = HalvingGridSearchCV(augmented, {"ratio": [0, 1]}, cv=2, random_state=0)
    assert halving.fit(X, y).best_score_ > 0.8


def test_a_pipeline_with_names_inside(fast):
    X, y = labelled(300)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["size"]),
        (StandardScaler(), make_column_selector(dtype_include="float")),
    )
    inner = make_pipeline(encode, LogisticRegression())
    y = pd.Series(np.where(X["price"] > 2, "dear", "cheap"))
    augmented = AugmentedClassifier(inner, fast(), random_state=0)
    assert cross_val_score(augmented, X, y, cv=2).mean() > 0.8
    fitted = augmented.fit(X, y)
    assert list(fitted.classes_) == ["cheap", "dear"]
    assert list(fitted.feature_names_in_) == list(X)
    assert fitted.n_features_in_ == 6


def test_only_what_the_estimator_can_do():
    assert not hasattr(AugmentedClassifier(SVC()), "predict_proba")
    assert hasattr(AugmentedClassifier(SVC()), "decision_function")
    assert not hasattr(AugmentedRegressor(Ridge()), "predict_proba")


def test_weights_reach_both(fast):
    X, y = labelled()
    weights = np.where(y == "rare", 3.0, 1.0)
    augmented = AugmentedClassifier(Recorder(), fast(), ratio=2)
    found = augmented.fit(X, y, sample_weight=weights).estimator_
    np.testing.assert_array_equal(found.weight_[:200], weights)
    np.testing.assert_array_equal(found.weight_[200:], weights.mean())
    share = weights[y == "rare"].sum() / weights.sum()
    assert (found.y_[200:] == "rare").mean() == pytest.approx(share, abs=0.08)
    # in the weighted balance a class without weight has no part
    weights = np.where(y == "rare", 0.0, 1.0)
    augmented = AugmentedClassifier(Recorder(), fast(conditional=True), balance=True)
    found = augmented.fit(X, y, sample_weight=weights).estimator_
    assert set(found.y_[200:]) == {"common"}


def test_metadata_goes_where_it_is_requested(fast):
    X, y = labelled()
    weights = np.ones(200)
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Recorder().set_fit_request(sample_weight=True)
        plain = fast().set_fit_request(sample_weight=False)
        found = AugmentedClassifier(inner, plain).fit(X, y, sample_weight=weights)
        assert len(found.estimator_.weight_) == 400
        refusing = AugmentedClassifier(Recorder(), plain)
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
            refusing.fit(X, y, sample_weight=weights)
        score = HistGradientBoostingClassifier().set_score_request(sample_weight=True)
        numbers = X[["price", "pieces"]]
        fitted = AugmentedClassifier(score, ratio=0).fit(numbers, y)
        assert fitted.score(numbers, y, sample_weight=weights) > 0.5


def test_what_has_a_value_for_each_row_is_refused(fast):
    X, y = labelled()
    augmented = AugmentedClassifier(Recorder(), fast())
    with pytest.raises(ValueError, match="groups has one value for each of the 200"):
        augmented.fit(X, y, groups=np.zeros(200))
    assert augmented.fit(X, y, note="not per row").synthesizer_


@pytest.mark.parametrize("make", [np.asarray, pd.Series, np.ndarray.tolist])
def test_regressors(fast, make):
    X, y = load_diabetes(return_X_y=True)
    found = AugmentedRegressor(Recorder(), fast()).fit(X, make(y)).estimator_
    assert len(found.y_) == len(found.X_) == 2 * len(y)
    np.testing.assert_array_equal(found.y_[: len(y)], y)
    new = np.asarray(found.y_)[len(y) :]
    assert y.min() <= new.min() < new.max() <= y.max()
    whole = AugmentedRegressor(Recorder(), fast()).fit(X, make(y.astype(int)))
    assert np.asarray(whole.estimator_.y_).dtype == int
    score = cross_val_score(AugmentedRegressor(LinearRegression(), fast()), X, y, cv=2)
    assert score.mean() > 0.3


def test_bad_input(fast):
    X, y = labelled()
    augmented = AugmentedClassifier(DummyClassifier(), fast())
    with pytest.raises(NotFittedError):
        augmented.predict(X)
    with pytest.raises(ValueError, match="requires y to be passed"):
        augmented.fit(X, None)
    with pytest.raises(ValueError, match="at least two classes; got one class, 'a'"):
        augmented.fit(X, np.repeat("a", 200))
    with pytest.raises(ValueError, match="Unknown label type"):
        augmented.fit(X, np.random.default_rng(0).random(200))
    with pytest.raises(ValueError, match="'ratio' parameter"):
        clone(augmented).set_params(ratio=-1).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        augmented.fit(X, y[:-1])
    with pytest.raises(ValueError, match="balance=True draws rows of given classes"):
        clone(augmented).set_params(balance=True).fit(X, y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        AugmentedRegressor(Ridge(), fast()).fit(X, np.full(200, np.nan))
    with pytest.raises(ValueError, match="0 sample"):
        augmented.fit(X[:0], y[:0])
    # few rows of many classes, and a column without any value
    tiny = X[:6].assign(price=np.nan)
    assert augmented.fit(tiny, list("abcdef")).predict(tiny).shape == (6,)
