"""Values of a few rows are not given out, and not kept."""

import copy
import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from sklearn_tabsyn import (
    DiffusionImputer,
    DiffusionSynthesizer,
    NormalScoreTransformer,
)
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._table import TableSchema


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
    # The odd start keeps them off rounded values.
    ranks = (np.arange(1_000) + 1 / np.pi)[:, None] / 1_000
    drawn = scores.inverse_transform(ndtri(ranks))
    assert not np.isin(drawn, rare).any()
    for value in frequent:
        share = np.mean(column == value)
        beyond = np.mean(np.isin(column, rare)) if value in drawn[[0, -1]] else 0
        assert share - 1e-3 <= np.mean(drawn == value) <= share + beyond + 1e-3


@settings(max_examples=100, deadline=None)
@given(columns())
def test_whatever_is_decoded_is_rare_nowhere(case):
    column, least = case
    column = column * np.pi  # not rounded
    table = pd.DataFrame({"x": column, "name": (10 * column).astype(int).astype(str)})
    table.loc[: least - 1, "name"] = "often"
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema, min_count=least)
    encoder.fit(schema.read(table))
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, encoder.n_values_))
    sizes = [size for size, _ in encoder.codebooks_]
    rows = schema.restore(
        encoder.decode(values, rng.integers(0, sizes, (300, len(sizes))))
    )
    for name in table:
        assert not np.isin(rows[name], rare_and_frequent(table[name], least)[0]).any()
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)


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


def make_secret(n_rows=300, seed=0):
    """Return a table with something rare in every kind of column."""
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        rng.integers(0, 900, n_rows), "D"
    )
    table = pd.DataFrame(
        {
            "score": np.where(rng.random(n_rows) < 0.3, 0.25, rng.normal(size=n_rows)),
            "salary": rng.integers(200, 900, n_rows) * 100,
            "children": rng.poisson(1, n_rows).clip(0, 3),
            "day": day,
            "city": rng.choice(["Rome", "Oslo"], n_rows),
            "rank": pd.Categorical(rng.choice(["low", "high"], n_rows), ordered=True),
            "member": rng.random(n_rows) < 0.5,
        }
    )
    table["rank"] = table["rank"].cat.set_categories(["low", "noble", "high", "none"])
    table.loc[7, ["score", "salary", "children"]] = 123.4375, 7_654_300, 11
    table.loc[7, ["day", "city", "rank"]] = pd.Timestamp("2031-05-06"), "Zzyzx", "noble"
    table.loc[[3, 5], "score"] = np.nan  # too few gaps
    table.loc[rng.random(n_rows) < 0.2, "city"] = None
    return table


@pytest.fixture(scope="module")
def protected():
    """A synthesizer that knows nothing rare; read only."""
    synthesizer = DiffusionSynthesizer(
        protect_values=True, conditional=True, max_iter=30, hidden_dim=16, n_blocks=1
    ).set_params(num_steps=8, random_state=0)
    table = make_secret()
    before = table.copy(deep=True)
    synthesizer.fit(table)
    pd.testing.assert_frame_equal(table, before)
    return synthesizer


def test_nothing_rare_is_drawn(protected):
    table, rows = make_secret(), protected.sample(3_000)
    rare, _ = rare_and_frequent(table["score"].dropna(), 5)
    assert not rows["score"].isin(rare).any()
    assert set(rows["children"]) == {0, 1, 2, 3}
    assert set(rows["city"].dropna()) == {"Rome", "Oslo"}
    assert set(rows["rank"]) == {"low", "high"}
    for name in ("score", "salary", "day"):
        ordered = table[name].dropna().sort_values()
        lowest, highest = ordered.head(5).mean(), ordered.tail(5).mean()
        rounding = 1e-9 * (highest - lowest)
        assert lowest - rounding <= rows[name].min()
        assert rows[name].max() <= highest + rounding


def test_dtypes_resolution_and_shares_stay(protected):
    table, rows = make_secret(), protected.sample(3_000)
    same = [name for name in table if name != "rank"]
    pd.testing.assert_series_equal(rows[same].dtypes, table[same].dtypes)
    # a dtype lists no level that is not given out
    assert rows["rank"].dtype == pd.CategoricalDtype(["low", "high"], ordered=True)
    assert (rows["salary"] % 100 == 0).all()
    assert (rows["day"].dt.normalize() == rows["day"]).all()
    assert not rows["score"].isna().any()
    for share in (
        lambda rows: (rows["score"] == 0.25).mean(),
        lambda rows: rows["city"].isna().mean(),
        lambda rows: (rows["children"] == 0).mean(),
    ):
        assert share(rows) == pytest.approx(share(table), abs=0.04)


def test_nothing_rare_is_in_the_pickle(protected):
    table, held = make_secret(), pickle.dumps(protected)
    assert b"Rome" in held
    for name in (b"Zzyzx", b"noble", b"2031"):
        assert name not in held
    rare, frequent = rare_and_frequent(table["score"].dropna(), 5)
    assert frequent[0].tobytes() in held
    for number in [*rare, 7_654_300.0, 11.0]:
        for order in "<>":  # of an array, and of a Python number
            assert np.array(number, dtype=f"{order}f8").tobytes() not in held
    for day in (pd.Timestamp("2031-05-06"), table["day"].min()):
        for unit in ("s", "us", "ns"):
            number = int(day.as_unit(unit).value)
            assert number.to_bytes(8, "little").rstrip(b"\0") not in held


def test_all_is_in_the_pickle_of_an_unprotected_one(fast):
    held = pickle.dumps(fast().fit(make_secret()))
    assert b"Zzyzx" in held
    assert np.float64(7_654_300).tobytes() in held


def test_conditions_on_what_is_protected_are_refused_as_unknown(protected):
    for name, value, message in (
        ("city", "Zzyzx", "not seen in fit: 'Zzyzx'"),
        ("rank", "noble", "not seen in fit: 'noble'"),
        ("children", 11, "the nearest it can be is 3"),
        ("salary", 7_654_300, "the nearest it can be is"),
        ("score", None, "cannot be missing"),
    ):
        with pytest.raises(ValueError, match=message):
            protected.sample(3, conditions={name: value})
    rows = protected.sample(50, conditions={"score": (0.5, 1.0), "city": "Rome"})
    assert rows["score"].between(0.5, 1.0).all()
    assert (rows["city"] == "Rome").all()


def test_protected_values_are_scored_as_unseen_ones(protected):
    table = make_secret()
    scores = protected.score_samples(table)
    assert np.isfinite(scores).all()
    other = table.assign(city=table["city"].replace("Zzyzx", "Paris"))
    np.testing.assert_array_equal(protected.score_samples(other), scores)
    assert scores[7] < np.quantile(scores, 0.02)


def test_warm_start_goes_on_with_rows_that_have_rare_values(protected):
    again = copy.deepcopy(protected).set_params(warm_start=True)
    table = make_secret(200, seed=1)
    again.fit(table)
    assert set(again.sample(500)["city"].dropna()) == {"Rome", "Oslo"}
    assert b"Zzyzx" not in pickle.dumps(again)


def test_gaps_are_filled_by_nothing_rare():
    table = make_secret()
    table.loc[:20, ["salary", "rank"]] = np.nan
    synthesizer = DiffusionSynthesizer(
        protect_values=5, conditional=True, max_iter=30, hidden_dim=16, random_state=0
    )
    imputer = DiffusionImputer(synthesizer, random_state=0)
    filled = imputer.fit_transform(table.drop(columns="city"))
    assert not filled[["salary", "rank", "score"]].isna().any(axis=None)
    assert set(filled["rank"][:20]) <= {"low", "high"}


@pytest.mark.parametrize("protect_values", [2, 9, np.int64(3), np.True_])
def test_rows_are_counted_and_not_weights(fast, protect_values):
    least = 5 if protect_values is np.True_ else int(protect_values)
    names = np.repeat(["often", "enough", "rare"], [50, least, least - 1])
    table = pd.DataFrame({"name": names, "x": np.arange(len(names)) % 2})
    weights = np.where(names == "rare", 1e3, 1.0)
    synthesizer = fast(protect_values=protect_values)
    rows = synthesizer.fit(table, sample_weight=weights).sample(2_000)
    assert set(rows["name"]) == {"often", "enough"}
    # The other names keep their ratio, and x is learned from all rows.
    share = (rows["name"] == "often").mean()
    assert share == pytest.approx(50 / (50 + least), abs=0.06)


def test_rows_without_weight_do_not_count(fast):
    table = pd.DataFrame({"name": ["a"] * 20 + ["b"] * 6})
    weights = np.r_[np.ones(24), 0, 0]
    synthesizer = fast(protect_values=5).fit(table, sample_weight=weights)
    assert set(synthesizer.sample(200)["name"]) == {"a"}


def test_rare_classes_of_a_target_are_not_drawn(fast):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.repeat(["a", "b", "c"], [40, 18, 2])
    synthesizer = fast(protect_values=True).fit(X, y)
    assert set(synthesizer.sample(300)[1]) == {"a", "b"}
    assert np.isfinite(synthesizer.score_samples(X, y)).all()


def test_enums_of_polars_list_what_is_drawn(fast):
    names = ["a"] * 20 + ["b"] * 20 + ["c"]
    column = pl.Series(names, dtype=pl.Enum(["c", "b", "a"]))
    rows = fast(protect_values=True).fit(pl.DataFrame({"name": column})).sample(50)
    assert rows["name"].dtype == pl.Enum(["b", "a"])


def test_numbers_that_are_mostly_rare_are_interpolated(fast):
    rng = np.random.default_rng(0)
    column = np.repeat(rng.normal(size=60), 4)  # few values, each in 4 rows
    rows = fast(protect_values=True).fit(column[:, None]).sample(500)
    assert not np.isin(rows, column).any()
    assert abs(np.median(rows) - np.median(column)) < 0.3


def test_what_cannot_be_protected_is_refused(fast):
    names = pd.DataFrame({"name": [f"name {i}" for i in range(30)]})
    message = "'name' has 30 distinct values, none of them in 5 rows or more"
    with pytest.raises(ValueError, match=message):
        fast(protect_values=True).fit(names)
    few = pd.DataFrame({"x": [1.0, 2.0, 3.0] + [np.nan] * 20})
    with pytest.raises(ValueError, match="'x' has values in 3 rows, and not in 5"):
        fast(protect_values=True).fit(few)
    encoder = ColumnTransformer([("scale", StandardScaler(), ["x"])])
    with pytest.raises(ValueError, match="protect_values needs encoder=None"):
        fast(protect_values=True, encoder=encoder).fit(few)
    with pytest.raises(ValueError, match="protect_values"):
        fast(protect_values=1).fit(few)


NUMBERS = {
    "integers": pd.Series(np.arange(40) * 7 + 3),
    "nullable": pd.Series([*range(40)] + [None] * 10, dtype="Int64"),
    "prices": pd.Series(np.arange(40) * 0.07).round(2),
    "float32": pd.Series(np.arange(40) / 3, dtype="float32"),
    "huge": pd.Series(np.arange(40) * 3 + 2**60),
    "vast": pd.Series(np.linspace(-1.5, 1.5, 40) * 1e307),
    "decimals": pd.Series([Decimal(i) / 100 for i in range(40)]),
    "zoned": pd.Series(pd.date_range("2024-01-01", periods=40, tz="Asia/Tokyo")),
    "spans": pd.Series(pd.to_timedelta(np.arange(40), "h")),
    "dates": pd.Series([datetime.date(2024, 1, 1 + i // 2) for i in range(40)]),
}


@pytest.mark.parametrize("column", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_all_dtypes_are_coded_at_the_ends(fast, column):
    table = column.to_frame("x")
    rows = fast(protect_values=3, max_iter=5).fit(table).sample(200)
    assert rows["x"].dtype == column.dtype
    kept = column.dropna().sort_values()
    drawn = rows["x"].dropna()
    assert type(drawn.iloc[0]) is type(kept.iloc[0])
    assert kept.iloc[0] < drawn.min() <= kept.iloc[3]
    assert kept.iloc[-4] <= drawn.max() < kept.iloc[-1]


def test_numbers_that_copy_another_column_copy_nothing_rare(fast):
    rng = np.random.default_rng(0)
    bill = rng.lognormal(size=200)
    bill[:3] = 1.2345678  # in 3 rows of 200, which is often but not enough
    paid = np.where(rng.random(200) < 0.7, bill, rng.lognormal(size=200))
    table = pd.DataFrame({"bill": bill, "paid": paid})
    synthesizer = fast(protect_values=True).fit(table)
    rows = synthesizer.sample(1_000)
    assert (rows["bill"] == rows["paid"]).mean() > 0.3
    assert not np.isin(rows, table).any()
    held = pickle.dumps(synthesizer)
    assert not any(value.tobytes() in held for value in np.unique(table))
