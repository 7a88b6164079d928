"""Errors of single columns and of pairs."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tabsyn.metrics import (
    anchors,
    fidelity_errors,
    missingness_error,
    shape_error,
    shape_errors,
    trend_error,
    trend_errors,
)
from sklearn_tabsyn.metrics._alike import read_alike

ERRORS = [shape_error, trend_error, missingness_error]


def make_reference(seed, n_rows):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 50, n_rows)
    return pd.DataFrame(
        {
            "x": x,
            "y": x * 0.5 + rng.integers(0, 20, n_rows),
            "k": np.array(list("abc"))[(x + rng.integers(0, 30, n_rows)) // 27],
            "l": np.array(["u", "v"])[rng.integers(0, 2, n_rows)],
        }
    )


def test_errors_agree_with_sdmetrics():
    # Means over 1 - KSComplement or TVComplement, and over 1 - CorrelationSimilarity
    # or ContingencySimilarity with the numbers as continuous columns, of SDMetrics
    # 0.32.0, which cannot be installed beside pandas 3.
    real, synthetic = make_reference(0, 400), make_reference(1, 300)
    synthetic["k"] = synthetic["k"].to_numpy()[::-1]
    assert shape_error(real, synthetic) == pytest.approx(0.0320833333333333, abs=1e-9)
    assert trend_error(real, synthetic) == pytest.approx(0.1521957423689632, abs=1e-9)
    # of the pair of x and k in its QualityReport, printed to 6 digits
    each = trend_errors(real, synthetic, bins="each")
    assert 1 - each.loc["x", "k"] == pytest.approx(0.593333, abs=1e-6)


def test_shape_by_hand():
    real = pd.DataFrame({"n": [1.0, 2.0, 3.0, np.nan], "c": ["a", "a", "b", None]})
    synthetic = pd.DataFrame({"c": ["a", "z", "z", "z"], "n": [3.0, 3.0, 3.0, 3.0]})
    errors = shape_errors(real, synthetic)
    assert errors.to_dict() == pytest.approx({"n": 2 / 3, "c": 0.75})


def test_missingness_by_hand():
    real = pd.DataFrame({"n": [1.0, np.nan], "c": ["a", None]})
    synthetic = pd.DataFrame({"n": [1.0, 2.0], "c": ["z", None]})
    assert missingness_error(real, synthetic) == 0.25


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    "convert", [pd.DataFrame, pl.from_pandas, lambda X: X.to_numpy(dtype=object)]
)
def test_errors_read_any_container(error, convert):
    real, synthetic = make_mixed(), make_mixed(seed=1)
    expected = error(real, synthetic)
    assert error(convert(real), convert(synthetic)) == pytest.approx(expected)


def test_one_read_gives_the_errors_of_all(mixed):
    synthetic = make_mixed(150, 1)
    errors = fidelity_errors(mixed, synthetic, n_bins=5)
    pd.testing.assert_series_equal(errors.shape, shape_errors(mixed, synthetic))
    expected = trend_errors(mixed, synthetic, n_bins=5)
    pd.testing.assert_frame_equal(errors.trend, expected)
    assert errors.missingness.mean() == missingness_error(mixed, synthetic) > 0
    with pytest.raises(ValueError, match="bins must be"):
        fidelity_errors(mixed, mixed, bins="own")


def test_text_is_read_alike_in_any_dtype():
    real = pd.DataFrame({"a": ["x", "y", None, "x"], "b": ["u", "u", "v", "v"]})
    synthetic = pd.DataFrame({"a": ["y", "z", "x", None], "b": ["v", "u", "v", "w"]})
    expected = fidelity_errors(real, synthetic)
    assert expected.shape.tolist() == [0.25, 0.25]
    for dtype in (object, "string", "category"):
        for other in (object, "string", "category"):
            errors = fidelity_errors(real.astype(dtype), synthetic.astype(other))
            pd.testing.assert_series_equal(errors.shape, expected.shape)
            pd.testing.assert_frame_equal(errors.trend, expected.trend)


@pytest.mark.parametrize("bins", ["real", "each"])
def test_trend_by_pandas(bins):
    rng = np.random.default_rng(0)
    tables = []
    for n_rows in (300, 200):
        x = rng.normal(size=n_rows).round(1)
        k = rng.choice(list("abc"), n_rows)
        # the mean of so many 0.1 is not quite 0.1
        made = {"x": x, "y": x + rng.normal(size=n_rows), "k": k, "c": 0.1}
        tables.append(pd.DataFrame(made))
    errors = trend_errors(*tables, n_bins=4, bins=bins)
    real, synthetic = (X["x"].corr(X["y"]) for X in tables)
    assert errors.loc["x", "y"] == pytest.approx(abs(real - synthetic) / 2, abs=1e-12)
    assert errors.loc["x", "c"] == 0
    joint = []
    for X in tables:
        source = X if bins == "each" else tables[0]
        edges = np.linspace(source["x"].min(), source["x"].max(), 5)
        edges = edges[1:] if bins == "each" else edges[1:-1]
        codes = np.searchsorted(edges, X["x"], side="right")
        joint.append(pd.crosstab(codes, X["k"].to_numpy(), normalize=True))
    gap = joint[0].sub(joint[1], fill_value=0).abs().to_numpy().sum() / 2
    assert errors.loc["x", "k"] == pytest.approx(gap, abs=1e-12)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_errors_keep_their_properties(seed):
    real, synthetic = make_mixed(30, seed), make_mixed(20, seed + 1)
    before = real.copy()
    for error in ERRORS:
        value = error(real, synthetic)
        assert 0 <= value <= 1
        assert error(real, real) == 0
        shuffled = synthetic.sample(frac=1, random_state=0)
        assert error(real, shuffled) == pytest.approx(value)
    assert shape_error(synthetic, real) == pytest.approx(shape_error(real, synthetic))
    pd.testing.assert_frame_equal(real, before)


def test_trend_errors_are_symmetric(mixed):
    errors = trend_errors(mixed, make_mixed(seed=1)).to_numpy()
    np.testing.assert_array_equal(errors, errors.T)
    assert np.isnan(np.diag(errors)).all()
    assert np.isfinite(errors[np.triu_indices(len(errors), 1)]).all()


def test_constant_and_empty_columns_have_defined_errors():
    real = pd.DataFrame({"a": [1.0, 1.0], "b": [np.nan, np.nan], "c": [None, None]})
    filled = pd.DataFrame({"a": [2.0, 2.0], "b": [3.0, 3.0], "c": ["x", "y"]})
    assert shape_errors(real, filled).tolist() == [1, 1, 1]
    for error in ERRORS:
        assert error(real, real) == 0
        assert 0 <= error(real[:1], filled) <= 1


def test_many_levels_count_only_those_that_occur():
    real = pd.DataFrame({c: np.arange(500).astype(str) for c in "ab"})
    assert trend_error(real, real[::-1]) == 0
    swapped = real.assign(b=real["b"].to_numpy()[::-1])
    assert trend_error(real, swapped) == pytest.approx(1)


def test_bad_tables_are_refused():
    real = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    with pytest.raises(ValueError, match=r"lacks \['b'\], and only it has \['z'\]"):
        shape_error(real, real.rename(columns={"b": "z"}))
    with pytest.raises(ValueError, match=r"synthetic is not a table.*0 sample"):
        shape_error(real, real[:0])
    with pytest.raises(ValueError, match=r"'a' of synthetic is (str|object)"):
        shape_error(real, real.assign(a="text"))
    with pytest.raises(ValueError, match="at least 2 columns"):
        trend_error(real[["a"]], real[["a"]])
    with pytest.raises(ValueError, match="bins must be"):
        trend_error(real, real, bins="own")
    with pytest.raises(ValueError, match="found 1"):
        shape_error(real, real.to_numpy()[:, :1])


@pytest.mark.parametrize("metric", ["shape", "missingness"])
def test_anchors_of_columns_are_those_of_independent_ones(metric):
    independent, real = anchors(metric, make_mixed(900), random_state=0)
    assert 0 < real < 0.05
    assert independent == pytest.approx(real)


def test_anchors_lie_apart(mixed):
    independent, real = anchors("trend", mixed, random_state=0)
    assert real < independent
    assert anchors(trend_error, mixed, random_state=0) == (independent, real)
    with pytest.raises(ValueError, match="metric must be"):
        anchors("charm", mixed)
    with pytest.raises(ValueError, match="at least 3 rows"):
        anchors("dcr", mixed[:2])


def test_schemas_of_columns_agree_with_their_values(mixed):
    columns = read_alike(real=mixed, synthetic=mixed[:50], target="pieces")
    for column in columns:
        real = column.values[0]
        if not column.is_category:
            read = column.schema.read_known(mixed[column.name])
            np.testing.assert_array_equal(read, real)
            continue
        levels = np.array([*map(str, column.schema.levels), "missing"])
        cells = mixed[column.name].astype(object)
        expected = cells.map(str, na_action="ignore").fillna("missing")
        assert levels[real].tolist() == expected.tolist()
    price = next(column for column in columns if column.name == "price")
    assert price.schema.decimals == 2
