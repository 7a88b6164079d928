"""Tables in and out: containers, names, and what is refused."""

import copy
import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning

from sklearn_tabsyn._table import MAX_CLASSES, TableSchema, TargetSchema, check_table


def round_trip(X, **kwargs):
    schema = TableSchema.from_table(X, **kwargs)
    schema = pickle.loads(pickle.dumps(schema))
    return schema.restore(schema.read(X))


def test_pandas_frame_comes_back(mixed):
    mixed.columns.name = "things"
    pd.testing.assert_frame_equal(round_trip(mixed), mixed)


def test_index_becomes_a_range(mixed):
    back = round_trip(mixed.set_axis(np.arange(200) * 2 + 7))
    pd.testing.assert_frame_equal(back, mixed)


@pytest.mark.parametrize("names", [[5, 3], [("a", 1), ("b", 2)], ["b", "a"]])
def test_names_and_order_come_back(names):
    table = pd.DataFrame([[1, "x"], [2, "y"]])
    table.columns = pd.Index(names, tupleize_cols=False)
    pd.testing.assert_frame_equal(round_trip(table), table)


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).normal(size=(20, 3)),
        np.random.default_rng(0).normal(size=(20, 2)).astype("f4").round(1),
        np.random.default_rng(0).integers(-5, 5, (20, 2)).astype("i1"),
        np.random.default_rng(0).integers(0, 2**63, (20, 1)).astype("u8") // 2**20,
        np.array([[True, False], [False, False]]),
        np.array([["a", "bcd"], ["", "e"]]),
        np.array([["a", 1.5], [None, 2.5], ["b", 1.5]], dtype=object),
        np.array([[1.5, np.nan], [2.25, np.nan]]),
        np.array([[2**64 - 1, 3], [0, 5]], dtype="u8"),
        np.array([["2020-01-01", "NaT"]] * 2, dtype="M8[D]"),
        np.array([[0.1, 7]], dtype="f2"),
        np.array([[b"ab", b"c"]]),
    ],
    ids=lambda X: str(X.dtype),
)
def test_array_comes_back(X):
    before = copy.deepcopy(X)
    back = round_trip(X)
    assert type(back) is type(X)
    assert back.dtype == X.dtype
    np.testing.assert_array_equal(back, X)
    np.testing.assert_array_equal(X, before)


def test_decimals_of_an_array_are_kept_by_column():
    X = np.array([[0.5, 1.25], [1.5, 2.25], [2.5, 9.75]])
    schema = TableSchema.from_table(X)
    back = schema.restore(np.array([[0.74, 2.246], [np.nan, 1e9]]))
    np.testing.assert_array_equal(back, [[0.7, 2.25], [np.nan, 9.75]])


def test_names_are_not_shared_with_the_caller(mixed):
    schema = TableSchema.from_table(mixed)
    frame = schema.read(mixed)
    mixed.columns.name = "changed"
    back = schema.restore(frame)
    assert back.columns.name is None
    back.columns.name = "changed"
    assert schema.restore(frame).columns.name is None


def test_canonical_frame_has_plain_axes(mixed):
    frame = TableSchema.from_table(mixed).read(mixed.set_axis(range(5, 205)))
    assert (frame.dtypes == np.float64).all()
    pd.testing.assert_index_equal(frame.columns, pd.RangeIndex(6), exact=True)
    pd.testing.assert_index_equal(frame.index, pd.RangeIndex(200), exact=True)


def test_restore_takes_frames_and_arrays(mixed):
    schema = TableSchema.from_table(mixed)
    frame = schema.read(mixed)
    pd.testing.assert_frame_equal(schema.restore(frame.to_numpy()), mixed)
    named = frame.set_axis(list("abcdef"), axis=1)
    pd.testing.assert_frame_equal(schema.restore(named), mixed)


def test_schemas_are_deterministic(mixed):
    dumps = [pickle.dumps(TableSchema.from_table(mixed.copy())) for _ in range(2)]
    assert dumps[0] == dumps[1]


def test_another_number_of_columns_is_refused(mixed):
    schema = TableSchema.from_table(mixed)
    with pytest.raises(ValueError, match="X has 5 columns, but had 6 in fit"):
        schema.read(mixed.iloc[:, :5])


def test_nested_list_becomes_an_array():
    np.testing.assert_array_equal(round_trip([[1, 2], [3, 4]]), [[1, 2], [3, 4]])


@pytest.fixture
def polars_frame():
    day = datetime.date(2020, 1, 31)
    noon = datetime.datetime(2020, 3, 29, 1, 30)
    text = pl.Series(["x", None, "y", "x"])
    number = pl.Series([1, 2, None, 4])
    moment = pl.Series([noon, noon + datetime.timedelta(hours=1), None, noon])
    return pl.DataFrame(
        {
            "i8": number.cast(pl.Int8),
            "u64": pl.Series(
                [2**64 - 1, 2**64 - 4, 2**64 - 7, 2**64 - 1], dtype=pl.UInt64
            ),
            "f32": pl.Series([0.5, None, 1.5, 2.0], dtype=pl.Float32),
            "f64": [0.25, 0.5, 1.0, -3.0],
            "text": text,
            "category": text.cast(pl.Categorical),
            "enum": text.cast(pl.Enum(["y", "x", "never"])),
            "flag": [True, None, False, True],
            "day": [day, None, day + datetime.timedelta(1), day],
            "ms": moment.cast(pl.Datetime("ms")),
            "zone": moment.dt.replace_time_zone("UTC").dt.convert_time_zone(
                "Asia/Tokyo"
            ),
            "length": [datetime.timedelta(1), None, datetime.timedelta(2), None],
            "decimal": pl.Series([Decimal("1.50"), None, Decimal("2.25"), Decimal(0)]),
            "gone": pl.Series([None] * 4, dtype=pl.Float64),
            "i64": pl.Series([2**63 - 1, None, 2**63 - 8, 2**63 - 1]),
            "scale": pl.Series([Decimal("1.5"), None] * 2, dtype=pl.Decimal(20, 4)),
            "clock": [datetime.time(1), None, datetime.time(2), None],
        }
    )


def test_polars_frame_comes_back(polars_frame):
    before = polars_frame.clone()
    back = round_trip(polars_frame)
    assert back.schema == polars_frame.schema
    assert back.equals(polars_frame)
    assert polars_frame.equals(before)


def test_arrow_table_comes_back():
    table = pa.table({"a": [1, 2, None], "b": ["x", None, "y"], "c": [0.5, 1.5, 2.0]})
    back = round_trip(table)
    assert isinstance(back, pa.Table)
    assert back.to_pydict() == table.to_pydict()


def test_names_of_other_frames_are_set(polars_frame):
    for X in (polars_frame, polars_frame[["u64", "f64"]].to_arrow()):
        estimator = BaseEstimator()
        assert check_table(estimator, X, reset=True) is X
        names = X.columns if X is polars_frame else X.column_names
        assert list(estimator.feature_names_in_) == names
        assert estimator.n_features_in_ == len(names)
    with pytest.raises(ValueError, match="feature names should match"):
        check_table(estimator, polars_frame[["f64", "u64"]], reset=False)


def test_lazy_frames_are_refused(polars_frame):
    with pytest.raises(TypeError, match=r"\.collect\(\)"):
        round_trip(polars_frame.lazy())


def test_categorical_features_by_name_index_and_mask():
    table = pd.DataFrame({"a": [1, 2, 1], "b": [0.5, 0.5, 1.5], "c": ["x", "y", "x"]})
    for chosen in (["a"], [0], [-3], [True, False, False], np.array([0])):
        schema = TableSchema.from_table(table, chosen)
        assert [c.kind for c in schema.columns] == ["category", "number", "category"]
        pd.testing.assert_frame_equal(schema.restore(schema.read(table)), table)
    for default in ("from_dtype", None):
        schema = TableSchema.from_table(table, default)
        assert [c.kind for c in schema.columns] == ["number", "number", "category"]
    X = np.array([[1.0, 2.0], [1.0, 3.0]])
    for chosen in ([1], ["x1"], [False, True]):
        schema = TableSchema.from_table(X, chosen)
        assert [c.kind for c in schema.columns] == ["number", "category"]
        assert [c.levels for c in schema.columns] == [None, [2.0, 3.0]]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["nope"], "'nope', which is not in the table.*'a'"),
        ([2], "names the column 2"),
        ([-3], "names the column -3"),
        ("a", "'a'. Put a single name in a list"),
        ([True], r"one entry for each of the 2 columns; got shape \(1,\)"),
    ],
)
def test_wrong_categorical_features(chosen, message):
    table = pd.DataFrame({"a": [1], "b": [2]})
    with pytest.raises(ValueError, match=message):
        TableSchema.from_table(table, chosen)


def test_natural_values_are_those_people_know(mixed):
    schema = TableSchema.from_table(mixed)
    frame = schema.read(mixed)
    natural = schema.natural(frame)
    assert list(natural) == list(mixed)
    kinds = [c.kind for c in schema.columns]
    dtypes = [object if kind == "category" else np.float64 for kind in kinds]
    assert list(natural.dtypes) == dtypes
    known = mixed["day"].min() + pd.to_timedelta(natural["day"], unit="D")
    np.testing.assert_array_equal(known, mixed["day"])
    np.testing.assert_array_equal(natural["price"], mixed["price"])
    np.testing.assert_array_equal(natural["pieces"], mixed["pieces"])
    known = mixed["size"].notna()
    assert (natural["size"] == mixed["size"])[known].all()
    assert natural["size"][~known].isna().all()
    pd.testing.assert_frame_equal(schema.from_natural(natural), frame)
    natural.loc[0, "size"] = "XXL"
    with pytest.raises(ValueError, match=r"'size' holds values that were not .* 'XXL'"):
        schema.from_natural(natural)


def test_natural_names_of_an_array_are_those_of_scikit_learn():
    X = np.array([[1.0, 2.0]])
    schema = TableSchema.from_table(X)
    assert list(schema.natural(schema.read(X))) == ["x0", "x1"]


BAD_TABLES = {
    "doubled": (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        ValueError,
        r"found more than once: \['a'\].*Rename",
    ),
    "multi_index": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        ValueError,
        "2 levels of names. Join them",
    ),
    "mixed_names": (pd.DataFrame([[1, 2]], columns=["a", 1]), TypeError, "string"),
    "no_rows": (
        pd.DataFrame({"a": []}),
        ValueError,
        r"0 sample\(s\) \(shape=\(0, 1\)\)",
    ),
    "no_columns": (pd.DataFrame(index=[0]), ValueError, r"0 feature\(s\)"),
    "empty_array": (np.empty((0, 2)), ValueError, r"0 sample\(s\)"),
    "flat": (np.arange(3.0), ValueError, "Reshape your data"),
    "series": (pd.Series([1]), ValueError, r"\.to_frame\(\)"),
    "polars_series": (pl.Series([1]), ValueError, r"\.to_frame\(\)"),
    "deep": (np.zeros((2, 2, 2)), ValueError, "dim 3|3 dim"),
    "scalar": (3.0, ValueError, "Expected 2D array"),
    "sparse": (sparse.eye(3).tocsr(), TypeError, "Sparse data was passed"),
    "infinite": (np.array([[1, np.inf]]), ValueError, "Column 1 contains infinity"),
    "infinite_frame": (
        pd.DataFrame({"a": [1.0], "b": np.array([-np.inf], dtype="f4")}),
        ValueError,
        "'b' contains infinity",
    ),
    "complex": (np.array([[1j]]), ValueError, "Complex data not supported"),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables(X, error, message):
    with pytest.raises(error, match=message):
        check_table(BaseEstimator(), X, reset=True)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (pd.DataFrame({"a": [1j]}), ValueError, "Complex data not supported: .*'a'"),
        (pl.DataFrame({"a": [np.inf]}), ValueError, "'a' contains infinity"),
        (
            np.array([[{"a": 1}, 2.0], [3.0, 4.0]], dtype=object),
            TypeError,
            "argument must be .* string.* number",
        ),
    ],
)
def test_bad_cells(X, error, message):
    with pytest.raises(error, match=message):
        TableSchema.from_table(check_table(BaseEstimator(), X, reset=True))


def test_names_that_are_not_text_are_left_out():
    estimator = BaseEstimator()
    check_table(estimator, pd.DataFrame([[1, 2]]), reset=True)
    assert estimator.n_features_in_ == 2
    assert not hasattr(estimator, "feature_names_in_")


def test_names_are_checked_against_those_of_fit(mixed):
    estimator = BaseEstimator()
    check_table(estimator, mixed, reset=True)
    assert estimator.n_features_in_ == mixed.shape[1]
    assert list(estimator.feature_names_in_) == list(mixed)
    with pytest.raises(ValueError, match="feature names should match"):
        check_table(estimator, mixed.rename(columns={"price": "cost"}), reset=False)
    with pytest.raises(ValueError, match="feature names should match"):
        check_table(estimator, mixed[mixed.columns[::-1]], reset=False)


TARGETS = {
    "text": (np.array(["b", "a", "b"]), "category"),
    "bool": (np.array([True, False, True]), "category"),
    "few_integers": (np.arange(MAX_CLASSES), "category"),
    "many_integers": (np.arange(MAX_CLASSES + 1), "number"),
    "floats": (np.array([0.5, 1.0, 1.0]), "number"),
    "series": (pd.Series(["x", "y"], name="label"), "category"),
    "categories": (pd.Series(["x", "y"], dtype="category"), "category"),
    "polars": (pl.Series("label", ["x", "y"]), "category"),
    "polars_numbers": (pl.Series("label", [0.5, 1.0]), "number"),
    "whole_floats": (np.array([0.0, 1.0, 1.0]), "number"),
    "objects": (np.array(["b", 1, "b"], dtype=object), "category"),
    "python_integers": (np.array([3, 5], dtype=object), "category"),
    "nullable": (pd.Series([3, 5], dtype="Int8"), "category"),
    "days": (np.array(["2020-01-01", "2020-01-03"], dtype="M8[D]"), "number"),
}


@pytest.mark.parametrize(("y", "kind"), TARGETS.values(), ids=TARGETS)
def test_target_comes_back(y, kind):
    schema = TargetSchema.from_target(y)
    assert schema.column.kind == kind
    back = schema.restore(schema.read(y))
    assert type(back) is type(y)
    if isinstance(y, pd.Series):
        pd.testing.assert_series_equal(back, y)
    elif isinstance(y, pl.Series):
        assert back.name == y.name
        assert back.dtype == y.dtype
        assert back.equals(y)
    else:
        assert back.dtype == y.dtype
        np.testing.assert_array_equal(back, y)


def test_target_becomes_one_column():
    schema = TargetSchema.from_target(pd.Series(["b", "a", "b"], index=[5, 7, 9]))
    frame = schema.read(["a", "b"])
    pd.testing.assert_frame_equal(frame, pd.DataFrame({0: [0.0, 1.0]}))
    pd.testing.assert_series_equal(schema.restore(np.array([0.0])), pd.Series(["a"]))


def test_target_may_be_a_list_or_a_matrix_of_one_column():
    schema = TargetSchema.from_target([1, 2, 1])
    np.testing.assert_array_equal(schema.restore([0, 1]), [1, 2])
    with pytest.warns(DataConversionWarning):
        schema = TargetSchema.from_target(np.array([[0.5], [1.5]]))
    np.testing.assert_array_equal(schema.restore([0.5]), [0.5])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, np.nan], "Input y contains NaN"),
        (["a", None], "Input y contains NaN"),
        ([0.5, np.inf], "Input y contains infinity"),
        ([[1, 2], [3, 4]], "1d array.* Multi-output targets are not supported"),
    ],
)
def test_bad_targets(y, message):
    with pytest.raises(ValueError, match=message):
        TargetSchema.from_target(np.array(y))


SECONDS = st.datetimes(
    datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1)
).map(lambda moment: moment.replace(microsecond=0))
NAMES = st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True)
COLUMNS = st.sampled_from(
    [
        st.integers(-(2**52), 2**52),
        st.integers(2**63 - 2**53, 2**63 - 1),
        st.integers(-(2**63), 2**53 - 2**63),
        st.floats(allow_infinity=False, width=32),
        st.text(max_size=4),
        st.booleans(),
        SECONDS,
        st.dates(),
        st.decimals(-1000, 1000, places=2),
        st.none() | st.integers(0, 3),
        st.none() | st.text(max_size=2),
        st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=1),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_table_of_objects_comes_back(data):
    n_rows = data.draw(st.integers(1, 8))
    cells = {}
    for name in data.draw(
        st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True)
    ):
        column = data.draw(COLUMNS)
        cells[name] = data.draw(st.lists(column, min_size=n_rows, max_size=n_rows))
    table = pd.DataFrame(
        {name: pd.Series(column, dtype=object) for name, column in cells.items()}
    )
    back = round_trip(table)
    pd.testing.assert_frame_equal(back, table)
    for name in table:
        present = table[name].notna()
        kinds = [list(map(type, t[name][present])) for t in (table, back)]
        assert kinds[0] == kinds[1]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_table_of_inferred_dtypes_comes_back(data):
    n_rows = data.draw(st.integers(1, 8))
    columns = [
        data.draw(st.lists(data.draw(COLUMNS), min_size=n_rows, max_size=n_rows))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    table = pd.DataFrame({f"c{j}": column for j, column in enumerate(columns)})
    before = copy.deepcopy(table)
    pd.testing.assert_frame_equal(round_trip(table), before)
    pd.testing.assert_frame_equal(table, before)
