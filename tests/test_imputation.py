"""Filling gaps."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer


def make_gappy(n_rows=1500, seed=0):
    """A table whose price follows its size, and the same with gaps."""
    whole = make_mixed(n_rows, seed).dropna().reset_index(drop=True)
    gone = np.random.default_rng(seed).random(whole.shape) < 0.3
    gappy = whole.astype({"pieces": float, "gift": object}).mask(gone)
    return whole, gappy


@pytest.fixture(scope="module")
def imputer():
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=900, conditional=1.0)
    return DiffusionImputer(synthesizer, random_state=0).fit(make_gappy()[1])


def test_fills_hang_together(imputer):
    whole, gappy = make_gappy()
    filled = imputer.transform(gappy)
    assert not filled.isna().any(axis=None)
    pd.testing.assert_series_equal(filled.dtypes, gappy.dtypes)
    known = gappy.notna().to_numpy()
    assert (filled == gappy).to_numpy()[known].all()
    lost = gappy["price"].isna() & gappy["size"].notna()
    error = np.log(filled["price"] / whole["price"])[lost]
    assert error.std() < 0.55
    spread = np.log(whole["price"]).std()
    assert np.log(filled["price"][lost]).std() == pytest.approx(spread, rel=0.15)
    lost = gappy["size"].isna() & gappy["price"].notna()
    assert (filled["size"] == whole["size"])[lost].mean() > 0.85


def test_means_are_nearer_and_modes_more_often_right(imputer):
    whole, gappy = make_gappy()
    draw = imputer.transform(gappy)
    mean = imputer.set_params(strategy="mean").transform(gappy)
    imputer.set_params(strategy="draw")
    lost = gappy["price"].isna()
    errors = [((f["price"] - whole["price"])[lost] ** 2).mean() for f in (mean, draw)]
    assert errors[0] < 0.8 * errors[1]
    lost = gappy["gift"].isna()
    right = [(f["gift"] == whole["gift"])[lost].mean() for f in (mean, draw)]
    assert right[0] > right[1]
    assert (mean["day"].dt.normalize() == mean["day"]).all()


def test_few_rows_are_filled_nearly_as_well_as_can_be():
    # Six numbers that a common factor drives, so the best fills are known.
    covariance = np.full((6, 6), 0.7) + 0.3 * np.eye(6)
    errors = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        whole = rng.multivariate_normal(np.zeros(6), covariance, 150)
        gone = rng.random(whole.shape) < 0.3
        imputer = DiffusionImputer(strategy="mean", random_state=0)
        filled = imputer.fit_transform(np.where(gone, np.nan, whole))
        best = np.zeros_like(whole)
        for row, lost in enumerate(gone):
            known = covariance[np.ix_(~lost, ~lost)]
            weights = covariance[np.ix_(lost, ~lost)] @ np.linalg.inv(known)
            best[row, lost] = weights @ whole[row, ~lost]
        errors.append([(part - whole)[gone].std() for part in (filled, best)])
    ours, least = np.mean(errors, axis=0)
    assert ours < 1.12 * least


def test_several_imputations_differ_only_in_the_gaps(imputer):
    _, gappy = make_gappy()
    tables = imputer.set_params(n_imputations=3).impute(gappy)
    assert len(tables) == 3
    known = gappy.notna().to_numpy()
    for table in tables[1:]:
        same = (table == tables[0]).to_numpy()
        assert same[known].all()
        assert 0.1 < same[~known].mean() < 0.9


def test_seeds(imputer):
    _, gappy = make_gappy()
    first, second = (imputer.transform(gappy[:50]) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_completed_tables_are_not_one(imputer):
    _, gappy = make_gappy()
    first, second = imputer.set_params(n_imputations=2).impute(gappy.dropna())
    first.loc[:, "price"] = 0
    assert (second["price"] != 0).any()


def test_rows_without_gaps_come_back_untouched(imputer):
    _, gappy = make_gappy(seed=9)
    same = gappy.dropna().assign(price=1e6)
    same.index = same.index + 5
    pd.testing.assert_frame_equal(imputer.transform(same), same)
    before = gappy.copy()
    imputer.transform(gappy)
    pd.testing.assert_frame_equal(gappy, before)
    # even those that fit never saw
    strange = gappy.assign(size="huge", pieces=77.0)
    filled = imputer.transform(strange)
    assert (filled["size"] == "huge").all()
    assert (filled["pieces"] == 77).all()
    assert not filled.isna().any(axis=None)


def test_gaps_in_columns_that_had_none(fast):
    table = make_mixed(300)[["discount", "day"]]
    gappy = table.copy()
    gappy.loc[::3, "day"] = pd.NaT
    filled = DiffusionImputer(fast(conditional=True)).fit(table).transform(gappy)
    assert filled["day"].between(table["day"].min(), table["day"].max()).all()


def test_containers(fast):
    table = make_mixed(100)
    filled = DiffusionImputer(fast(conditional=True)).fit_transform(
        pl.from_pandas(table)
    )
    assert isinstance(filled, pl.DataFrame)
    assert filled.null_count().to_numpy().sum() == 0
    array = table[["price", "discount"]].to_numpy()
    imputer = DiffusionImputer(fast(conditional=True))
    assert isinstance(imputer.fit_transform(array), np.ndarray)
    framed = imputer.set_output(transform="pandas").fit_transform(array)
    assert list(framed) == list(imputer.get_feature_names_out()) == ["x0", "x1"]


def test_columns_of_another_dtype_that_are_all_missing(fast):
    table = make_mixed(150)[["size", "gift", "day", "pieces"]].dropna()
    imputer = DiffusionImputer(fast(conditional=True), random_state=0).fit(table)
    for name in table:
        filled = imputer.transform(table.head(9).assign(**{name: np.nan}))
        assert filled[name].dtype == table[name].dtype
        if name != "day":  # others may be drawn
            assert filled[name].isin(table[name]).all()


def test_frames_of_fewer_categories_get_those_they_need(fast):
    table = make_mixed(150)[["size", "discount"]].dropna()
    table["size"] = table["size"].astype("category")
    imputer = DiffusionImputer(fast(conditional=True), random_state=0).fit(table)
    few = table[table["size"] == "M"].copy()
    few["size"] = few["size"].cat.remove_unused_categories()
    few.iloc[1:, 0] = np.nan
    filled = imputer.transform(few)
    assert len(set(filled["size"])) > 1
    assert set(filled["size"].cat.categories) <= set(table["size"].cat.categories)


def test_in_a_pipeline(fast):
    table = make_mixed(150)[["price", "discount", "pieces"]]
    y = table["price"].fillna(0) > 2
    model = make_pipeline(
        DiffusionImputer(fast(conditional=True), random_state=0),
        RandomForestClassifier(10, random_state=0),
    )
    assert cross_val_score(model, table, y, cv=2).mean() > 0.7


def test_bad_input(fast, mixed):
    with pytest.raises(NotFittedError):
        DiffusionImputer().transform(mixed)
    with pytest.raises(ValueError, match="'price' has no values at all"):
        DiffusionImputer(fast(conditional=True)).fit(mixed.assign(price=np.nan))
    with pytest.raises(ValueError, match="'size' has no values at all"):
        DiffusionImputer(fast(conditional=True)).fit(mixed.assign(size=None))
    failed = DiffusionImputer(fast(conditional=True))
    with pytest.raises(ValueError, match="no values at all"):
        failed.fit(mixed.assign(price=np.nan))
    assert not hasattr(failed, "synthesizer_")
    with pytest.raises(ValueError, match="must have conditional=True"):
        DiffusionImputer(fast()).fit(mixed)
    with pytest.raises(ValueError, match="'strategy' parameter"):
        DiffusionImputer(fast(conditional=True), strategy="median").fit(mixed)
    imputer = DiffusionImputer(fast(conditional=True)).fit(mixed)
    with pytest.raises(ValueError, match="feature names"):
        imputer.transform(mixed.drop(columns="size"))
