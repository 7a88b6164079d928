"""Tests of the normal-score transformer."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import ndtr, ndtri
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_tabsyn._normal_score import NormalScoreTransformer

MAX = np.finfo(float).max
TINY = 5e-324


def as_column(*values):
    """Return values as a matrix of one column."""
    return np.array(values, dtype=float).reshape(-1, 1)


def make_zero_inflated(n_samples=4000, seed=0):
    """Return a column with 60 % zeros and a continuous rest."""
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(3, 1.5, (n_samples, 1))
    amounts[rng.random(n_samples) < 0.6] = 0
    return amounts


def make_integers(n_samples=4000, seed=0):
    """Return a column of small counts, some common and some rare, all tied."""
    return np.random.default_rng(seed).poisson(6, (n_samples, 1)).clip(0.0, 14.0)


AWKWARD = {
    "one row": as_column(3.7),
    "one missing row": as_column(np.nan),
    "constant": as_column(*[0.1] * 7),
    "two values": as_column(0, 1, 1, 0, 1),
    "two unique values": as_column(-1, 1),
    "all missing": as_column(*[np.nan] * 4),
    "some missing": as_column(1, np.nan, 2, 2, np.nan),
    "whole float range": as_column(-MAX, MAX, 0, -1, 1, TINY, -TINY),
    "denormals": as_column(0, TINY, 2 * TINY, 3 * TINY, 3 * TINY),
    "neighbouring floats": as_column(1, np.nextafter(1, 2), np.nextafter(1, 0)),
    "mixed ties": as_column(1, 1, 2, 3, 3, 3, 4, 5, 6, 6),
    "zero inflated": make_zero_inflated(),
    "integers": make_integers(),
    "many unique": np.random.default_rng(0).standard_cauchy((100_000, 1)),
}


@parametrize_with_checks([NormalScoreTransformer()])
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("X", AWKWARD.values(), ids=AWKWARD)
def test_round_trip_is_exact(X):
    scores = NormalScoreTransformer().fit(X)
    Z = scores.transform(X)
    assert_array_equal(np.isnan(Z), np.isnan(X))
    assert not np.isinf(Z).any()
    assert_array_equal(scores.inverse_transform(Z), X)


# scikit-learn's check for infinities sums the matrix, which may overflow both ways.
ignore_overflow = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")

columns = arrays(
    float,
    st.tuples(st.integers(1, 40), st.integers(1, 2)),
    elements=st.one_of(
        st.floats(allow_infinity=False),
        st.sampled_from([0.0, 1.0, -1.0, MAX, -MAX, TINY, -TINY, np.nan]),
    ),
)


@ignore_overflow
@settings(max_examples=200, deadline=None)
@given(X=columns)
def test_round_trip_is_exact_on_any_column(X):
    scores = NormalScoreTransformer().fit(X)
    assert_array_equal(scores.inverse_transform(scores.transform(X)), X)


@ignore_overflow
@settings(max_examples=200, deadline=None)
@example(X=as_column(-TINY, TINY), other=[0.0])
@example(X=as_column(3 * TINY, 5 * TINY, MAX), other=[4 * TINY])
@example(X=as_column(-MAX, MAX), other=[-1.0, 1.0])
@example(X=as_column(-7e28, -1.0, *[0.0] * 8), other=[-(2.0**42)])
@given(X=columns, other=st.lists(st.floats(allow_infinity=False), min_size=1))
def test_both_directions_are_monotone_and_finite(X, other):
    scores = NormalScoreTransformer().fit(X)
    seen = scores.n_samples_seen_ > 0
    points = np.concatenate([X.ravel(), other, [-MAX, MAX]])
    points = np.sort(points[~np.isnan(points)])
    Z = scores.transform(np.tile(points[:, None], X.shape[1]))[:, seen]
    assert np.isfinite(Z).all()
    assert (np.diff(Z, axis=0) >= 0).all()
    grid = np.linspace(-9, 9, 501)
    back = scores.inverse_transform(np.tile(grid[:, None], X.shape[1]))[:, seen]
    assert (back[1:] >= back[:-1]).all()
    assert_array_equal(back[0], np.nanmin(X[:, seen], axis=0))
    assert_array_equal(back[-1], np.nanmax(X[:, seen], axis=0))


def test_float32_scores_keep_tied_values_exact_and_others_close():
    rng = np.random.default_rng(0)
    pairs = np.repeat(rng.normal(size=25_000), 2)
    X = np.concatenate([pairs, rng.normal(size=50_000)])[:, None]
    scores = NormalScoreTransformer().fit(X)
    back = scores.inverse_transform(scores.transform(X).astype(np.float32))
    assert_array_equal(back[:50_000], X[:50_000])
    ordered = np.unique(X)
    place = np.searchsorted(ordered, X[50_000:, 0]).clip(1, len(ordered) - 2)
    gap = ordered[place + 1] - ordered[place - 1]
    assert (np.abs(back - X)[50_000:, 0] <= 0.01 * gap).all()


@pytest.mark.parametrize("draw", ["lognormal", "standard_cauchy", "random"])
def test_scores_of_continuous_data_are_standard_normal(draw):
    X = getattr(np.random.default_rng(0), draw)(size=(2000, 1))
    Z = NormalScoreTransformer().fit_transform(X)
    assert stats.kstest(Z[:, 0], "norm").statistic < 1e-3
    fresh = getattr(np.random.default_rng(1), draw)(size=(2000, 1))
    Z = NormalScoreTransformer().fit(X).transform(fresh)
    assert stats.kstest(Z[:, 0], "norm").pvalue > 0.01


def test_whole_interval_of_a_tie_decodes_to_it():
    X = make_zero_inflated()
    share = np.mean(X == 0)
    scores = NormalScoreTransformer().fit(X)
    inside = ndtri(np.linspace(0, share, 1001)[1:-1, None])
    assert (scores.inverse_transform(inside) == 0).all()
    assert scores.inverse_transform([[ndtri(share + 1 / len(X))]]) > 0


def test_uniform_ranks_decode_to_a_zero_inflated_column():
    X = make_zero_inflated()
    Z = np.random.default_rng(1).standard_normal((20_000, 1))
    decoded = NormalScoreTransformer().fit(X).inverse_transform(Z)
    error = np.sqrt(0.24 / len(Z))
    assert abs(np.mean(decoded == 0) - np.mean(X == 0)) < 3 * error
    assert stats.kstest(decoded[decoded > 0], X[X > 0]).pvalue > 0.01


def test_uniform_ranks_decode_to_an_integer_column():
    X = make_integers()
    Z = np.random.default_rng(1).standard_normal((20_000, 1))
    decoded = NormalScoreTransformer().fit(X).inverse_transform(Z)
    values, counts = np.unique(X, return_counts=True)
    observed = (decoded == values).sum(axis=0)
    assert observed.sum() == len(Z)
    expected = counts / len(X) * len(Z)
    assert stats.chisquare(observed, expected).pvalue > 0.01


def test_interpolates_only_beside_unique_values():
    X = as_column(0, 0, 10, 10, 20, 30, 40, 40)
    scores = NormalScoreTransformer().fit(X)
    grid = ndtri(np.linspace(0, 1, 2003)[1:-1, None])
    decoded = scores.inverse_transform(grid)
    known = np.isin(decoded, X)
    assert (decoded[~known] > 10).all()
    for low, high in [(10, 20), (20, 30), (30, 40)]:
        assert ((decoded > low) & (decoded < high)).any()
    assert_allclose(ndtr(scores.transform([[15], [25], [5]])).ravel() * 8, [4.25, 5, 2])
    assert_allclose(
        scores.inverse_transform(ndtri([[4.25 / 8], [5 / 8]])), [[15], [25]]
    )


def test_intervals_cover_their_share_and_hold_the_middle():
    X = make_integers()
    scores = NormalScoreTransformer(heavy_tie=1).fit(X)
    values, counts = np.unique(X, return_counts=True)
    low, high = scores.intervals(values[:, None])
    Z = scores.transform(values[:, None])
    tied = counts > 1
    assert (low <= Z).all() and (Z <= high).all()
    assert_array_equal((low < high)[:, 0], tied)
    assert_array_equal(low[1:][tied[1:] & tied[:-1]], high[:-1][tied[1:] & tied[:-1]])
    inner = slice(1, -1)
    assert_allclose((ndtr(high) - ndtr(low))[inner, 0], (counts / len(X) * tied)[inner])
    assert_allclose((ndtr(high) + ndtr(low))[inner] / 2, ndtr(Z)[inner])
    assert_allclose(ndtr([low[0, 0], high[-1, 0]]), [0.25 / len(X), 1 - 0.25 / len(X)])


def test_spread_values_decode_to_themselves():
    X = np.round(np.random.default_rng(0).normal(size=(3000, 1)), 2)
    scores = NormalScoreTransformer().fit(X)
    low, high = scores.intervals(X)
    for part in (0.001, 0.3, 0.999):
        assert_array_equal(scores.inverse_transform(low + part * (high - low)), X)


def test_heavy_ties_are_not_spread():
    X = np.repeat([1.0, 2.0, 3.0, 4.0], [2, 7, 1, 90])[:, None]
    points = as_column(1, 2, 3, 4, 2.5)
    scores = NormalScoreTransformer(heavy_tie=0.07).fit(X)
    low, high = scores.intervals(points)
    assert_array_equal((low < high).ravel(), [True, False, False, False, False])
    assert_array_equal(low[1:], scores.transform(points)[1:])


def test_missing_values_take_no_part():
    X = as_column(1, 2, 2, 5)
    with_missing = as_column(1, np.nan, 2, 2, np.nan, 5)
    scores = NormalScoreTransformer().fit(X)
    missing = NormalScoreTransformer().fit(with_missing)
    assert_array_equal(missing.n_samples_seen_, [4])
    assert_array_equal(missing.transform(X), scores.transform(X))
    for Z in missing.intervals(with_missing):
        assert_array_equal(np.isnan(Z), np.isnan(with_missing))


def test_column_without_values_decodes_to_missing():
    X = np.column_stack([np.full(3, np.nan), [1.0, 2.0, 3.0]])
    scores = NormalScoreTransformer().fit(X)
    assert len(scores.values_[0]) == 0
    points = np.array([[1.0, 2.0]])
    for result in (scores.transform(points), scores.inverse_transform(points)):
        assert_array_equal(np.isnan(result), [[True, False]])


def test_unseen_values_stay_in_range():
    X = as_column(1, 1, 2, 3, 4)
    scores = NormalScoreTransformer().fit(X)
    assert_array_equal(scores.transform([[-MAX], [MAX]]), scores.transform([[1], [4]]))
    assert_array_equal(scores.inverse_transform([[-40], [40]]), [[1], [4]])
    widest = NormalScoreTransformer().fit(as_column(-MAX, MAX))
    assert widest.transform([[0]]) == 0
    assert abs(widest.inverse_transform([[0]])) < 1e-12 * MAX


def test_max_knots_keeps_heavy_ties_and_the_shape():
    X = make_zero_inflated(20_000)
    scores = NormalScoreTransformer(max_knots=500).fit(X)
    values = scores.values_[0]
    assert 450 <= len(values) <= 502
    assert values[0] == 0 and values[-1] == X.max()
    back = scores.inverse_transform(scores.transform(X))
    assert_array_equal(back == 0, X == 0)
    assert stats.kstest(back[:, 0], X[:, 0]).statistic < 2 / 500
    whole = NormalScoreTransformer().fit(X)
    kept = values[:, None]
    assert_array_equal(scores.transform(kept), whole.transform(kept))


def test_max_knots_bounds_a_continuous_column():
    X = np.random.default_rng(0).lognormal(size=(20_000, 1))
    scores = NormalScoreTransformer(max_knots=1000).fit(X)
    assert_array_equal([len(knots) for knots in scores.values_], [1000])
    back = scores.inverse_transform(scores.transform(X))
    assert_array_equal(np.argsort(back[:, 0]), np.argsort(X[:, 0]))
    assert stats.kstest(back[:, 0], X[:, 0]).statistic < 1e-3


def test_max_knots_with_heavy_ties_only():
    X = np.repeat(np.arange(10.0), 3)[:, None]
    scores = NormalScoreTransformer(heavy_tie=0, max_knots=2).fit(X)
    assert_array_equal(scores.values_[0], np.arange(10))


@pytest.mark.parametrize(
    "params",
    [
        {"heavy_tie": -0.1},
        {"heavy_tie": 1.1},
        {"heavy_tie": "a"},
        {"max_knots": 1},
        {"max_knots": 10.5},
    ],
)
def test_bad_parameters(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        NormalScoreTransformer(**params).fit(as_column(1, 2))


@pytest.mark.parametrize("method", ["transform", "intervals", "inverse_transform"])
def test_bad_data(method):
    scores = NormalScoreTransformer().fit(as_column(1, 2))
    for refusing in (getattr(scores, method), clone(scores).fit):
        with pytest.raises(ValueError, match="infinity"):
            refusing([[np.inf]])
    with pytest.raises(ValueError, match="X has 2 features"):
        getattr(scores, method)([[1, 2]])
    with pytest.raises(ValueError, match="not fitted"):
        getattr(clone(scores), method)([[1]])


def test_frames_keep_their_names():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"age": [30, 40, 40], "pay": [1.5, None, 2.0]})
    scores = NormalScoreTransformer().set_output(transform="pandas").fit(X)
    Z = scores.transform(X)
    assert list(Z.columns) == ["age", "pay"]
    assert_array_equal(scores.inverse_transform(Z), X)
    assert_array_equal(scores.inverse_transform(Z.to_numpy()), X)
