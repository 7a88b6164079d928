"""Values of a few rows are not given out, and not kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from sklearn_tabsyn import NormalScoreTransformer


@st.composite
def columns(draw):
    """Return a column with rare and frequent values, and a number of rows."""
    least = draw(st.integers(2, 7))
    n_rows = draw(st.integers(2 * least, 100))
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    column = rng.normal(size=n_rows).round(draw(st.sampled_from([0, 1, 2, 15])))
    if draw(st.booleans()):
        column[rng.random(n_rows) < 0.4] = draw(st.sampled_from([0.0, -3.0, 3.0]))
    return column + 0.0, least  # no minus zeros


def rare_and_frequent(column, least):
    values, counts = np.unique(column, return_counts=True)
    return values[counts < least], values[counts >= least]


@settings(max_examples=100, deadline=None)
@given(columns())
def test_knots_are_no_rare_values_and_lie_within_the_coded_ends(case):
    column, least = case
    scores = NormalScoreTransformer(min_count=least).fit(column[:, None])
    knots = scores.values_[0]
    rare, frequent = rare_and_frequent(column, least)
    assert not np.isin(rare, knots).any()
    assert np.isin(frequent, knots).all()
    ordered = np.sort(column)
    assert knots[0] >= ordered[:least].mean() - 1e-12
    assert knots[-1] <= ordered[-least:].mean() + 1e-12
    assert (np.diff(knots) > 0).all()


@settings(max_examples=100, deadline=None)
@given(columns())
def test_rare_values_are_spread_over_groups(case):
    column, least = case
    scores = NormalScoreTransformer(min_count=least).fit(column[:, None])
    low, high = scores.intervals(column[:, None])
    rare, frequent = rare_and_frequent(column, least)
    ends = scores.values_[0][[0, -1]]
    # Beyond a frequent value at an end there is only this.
    coded = np.isin(column.clip(*ends), frequent)
    spread = np.isin(column, rare) & ~coded
    assert (low[spread] < high[spread]).all()
    # What takes as many ranks as rows comes back with its share.
    ranks = (np.arange(1_000) + 0.5)[:, None] / 1_000
    drawn = scores.inverse_transform(ndtri(ranks))
    assert not np.isin(drawn, rare).any()
    for value in frequent:
        share = np.mean(column == value)
        beyond = np.mean(np.isin(column, rare)) if value in drawn[[0, -1]] else 0
        assert share - 1e-3 <= np.mean(drawn == value) <= share + beyond + 1e-3


def test_a_group_of_tied_values_has_enough_rows():
    column = np.repeat(np.arange(30.0), 4)  # no value in 5 rows
    scores = NormalScoreTransformer(min_count=5).fit(column[:, None])
    rows = np.diff(scores.edges_[0]) * len(column)
    assert rows.min() >= 5 - 1e-9
    assert rows.sum() == pytest.approx(len(column))


def test_long_columns_get_larger_groups():
    column = np.random.default_rng(0).normal(size=(1_000, 1))
    scores = NormalScoreTransformer(min_count=2, max_knots=50).fit(column)
    assert len(scores.values_[0]) == 50
    there_and_back = scores.inverse_transform(scores.transform(column))
    np.testing.assert_allclose(
        there_and_back.clip(-1, 1), column.clip(-1, 1), atol=1e-6
    )


def test_columns_of_too_few_values_are_refused():
    column = np.array([[1.0], [2.0], [np.nan], [np.nan]])
    message = "Column 0 has values in 2 rows, but min_count=3"
    with pytest.raises(ValueError, match=message):
        NormalScoreTransformer(min_count=3).fit(column)
    column[:] = np.nan  # nothing to keep
    assert NormalScoreTransformer(min_count=3).fit(column).values_[0].size == 0
