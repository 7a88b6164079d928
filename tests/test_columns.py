"""Single columns of every dtype in and out, and generated values of them."""

import datetime
import pickle
import time
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sklearn_tabsyn._inference import learn_column

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DATES = pd.date_range("1969-12-30", periods=5, freq="7h")
HERE = ZoneInfo("Europe/Berlin")
BERLIN = pd.date_range("2024-10-27", periods=5, freq="h", tz="Europe/Berlin")


def with_gap(values, dtype, missing=None):
    return pd.Series([*values, missing], dtype=dtype)


COLUMNS = {
    **{kind: pd.Series([0, 5, 100, 5], dtype=kind) for kind in INTEGERS},
    **{kind: with_gap([1, 7, 7], kind) for kind in ("Int8", "UInt16", "Int64")},
    "int64_ends": pd.Series([-(2**63), -(2**63) + 3], dtype="int64"),
    "uint64_end": pd.Series([2**64 - 1, 2**64 - 6], dtype="uint64"),
    "float64": with_gap([0.5, 1.25, -3.0], "float64"),
    "float32": with_gap([0.1, 0.25, 1e10], "float32"),
    "int64_whole": pd.Series([2, -(2**53) + 1], dtype="int64"),
    "Int64_ends": with_gap([2**63 - 1, -(2**63)], "Int64"),
    "UInt64_end": with_gap([2**64 - 1, 0], "UInt64"),
    "float16": with_gap([0.1, 2.5], "float16"),
    "sparse": pd.Series([0.0, 1.5, 0.0], dtype="Sparse[float]"),
    "unrounded": pd.Series([np.pi, np.e, -1 / 3]),
    "huge": pd.Series([1e300, -1e-300, 0.0]),
    "Float64": with_gap([0.5, 1.25], "Float64"),
    "Float32": with_gap([0.5, 1.25], "Float32"),
    "bool": pd.Series([True, False, True]),
    "boolean": with_gap([True, False], "boolean"),
    "constant": pd.Series([7, 7, 7]),
    "single": pd.Series([2.5]),
    "no_float": pd.Series([np.nan, np.nan]),
    "no_Int64": pd.Series([None, None], dtype="Int64"),
    "no_date": pd.Series([None, None], dtype="datetime64[ns]"),
    "no_zone": pd.Series([None, None], dtype="datetime64[us, UTC]"),
    "no_string": pd.Series([None, None], dtype="string"),
    "no_category": pd.Series(pd.Categorical([None], categories=["a"])),
    "no_arrow": pd.Series([None, None], dtype="int64[pyarrow]"),
    "no_object": pd.Series([None, None], dtype=object),
    "string": with_gap(["a", "", "a"], "string"),
    "string_python": with_gap(["a", "b"], "string[python]"),
    "string_pyarrow": with_gap(["a", "b"], "string[pyarrow]"),
    "str": with_gap(["a", "b c"], "str"),
    "object_text": with_gap(["b", "a"], object),
    "object_nan": with_gap(["b", "a"], object, np.nan),
    "category": pd.Series(pd.Categorical(["b", None, "a"], categories=list("cba"))),
    "ordered": pd.Series(pd.Categorical([3, 1], categories=[5, 3, 1], ordered=True)),
    "flag_category": pd.Series(pd.Categorical([True, None, False])),
    "mixed_category": pd.Series(pd.Categorical([1, "a"], categories=["a", 1, "z"])),
    "bins": pd.Series(pd.cut([1.0, 2.0, 3.0, np.nan], 2)),
    "date_category": pd.Series(pd.Categorical(DATES[:2])),
    **{
        f"date_{u}": with_gap(DATES, f"datetime64[{u}]")
        for u in ("s", "ms", "us", "ns")
    },
    "zone": with_gap(BERLIN, BERLIN.dtype),
    "timedelta": with_gap([pd.Timedelta("1h"), pd.Timedelta("-3h")], "timedelta64[s]"),
    "period": pd.Series(pd.period_range("2020-01", periods=3, freq="M")),
    "python_dates": with_gap(
        [datetime.date(1900, 1, 1), datetime.date(2020, 2, 29)], object
    ),
    "python_times": with_gap([datetime.datetime(2020, 1, 1, 5)], object),
    "python_zone": with_gap(
        [datetime.datetime(2024, 10, 27, 2, 30, tzinfo=HERE, fold=f) for f in (0, 1)],
        object,
    ),
    "stamps": with_gap([pd.Timestamp("1969-12-31 23:59:59.999999999")], object, pd.NaT),
    "stamps_zone": with_gap([t.tz_convert(HERE) for t in BERLIN], object),
    "pandas_lengths": with_gap([pd.Timedelta("1ns")], object),
    "clock": with_gap([datetime.time(1), datetime.time(2, 30)], object),
    "python_lengths": with_gap([datetime.timedelta(hours=1)], object),
    "decimals": with_gap([Decimal("1.50"), Decimal("-2.25")], object),
    "long_decimals": with_gap([Decimal("123456789012345.678"), Decimal("0.1")], object),
    "round_decimals": pd.Series([Decimal("1E+3"), Decimal("1.5")], dtype=object),
    "huge_ints": with_gap([2**63, 1], object),
    "low_ints": with_gap([-(2**63), 2**62 + 1], object),
    "endless_ints": with_gap([2**70, -1], object),
    "fractions": with_gap([Fraction(1, 3)], object),
    "tuples": with_gap([(1, 2), (1,)], object),
    "flags": with_gap([True, False], object),
    "python_ints": pd.Series([3, 5, 7], dtype=object),
    "python_floats": with_gap([3.5, 5.0], object),
    "mixed": pd.Series([1, True, 1.0, "1", (1, 2), None], dtype=object),
    "bytes": pd.Series([b"a", b"b"], dtype=object),
    "arrow_int": with_gap([1, 2], "int64[pyarrow]"),
    "arrow_float": with_gap([1.5, 2.5], "double[pyarrow]"),
    "arrow_flag": with_gap([True, False], "bool[pyarrow]"),
    "arrow_end": with_gap([2**64 - 1, 3], "uint64[pyarrow]"),
    "arrow_day": with_gap([datetime.date(2020, 1, 1)], "date32[pyarrow]"),
    "arrow_time": with_gap([DATES[0], DATES[2]], "timestamp[us][pyarrow]"),
    "arrow_zone": with_gap(BERLIN, pd.ArrowDtype(pa.timestamp("us", "Europe/Berlin"))),
    "arrow_decimal": with_gap([Decimal("1.50")], pd.ArrowDtype(pa.decimal128(5, 2))),
}


def there_and_back(column, **kwargs):
    schema = pickle.loads(pickle.dumps(learn_column(column, "it", **kwargs)))
    values = schema.read(column)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(values), column.isna())
    return schema, values, schema.restore(values)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_column_comes_back(column):
    before = column.copy(deep=True)
    _, _, back = there_and_back(column)
    pd.testing.assert_series_equal(back, before)
    if column.dtype == object:
        assert list(map(type, back)) == list(map(type, before))
    pd.testing.assert_series_equal(column, before)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_column_comes_back_as_a_category(column):
    schema, values, back = there_and_back(column, category=True)
    assert schema.kind == "category"
    known = values[~np.isnan(values)]
    assert set(known) == set(range(len(schema.levels)))
    pd.testing.assert_series_equal(back, column)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_natural_values_lead_back(column):
    schema, values, back = there_and_back(column)
    again = schema.from_natural(schema.natural(values))
    pd.testing.assert_series_equal(schema.restore(again), back)


def test_generated_numbers_keep_decimals_and_range():
    schema = learn_column(pd.Series([1.25, 2.5, 9.75]), "it")
    back = schema.restore(np.array([1.2512, 3.14159, 1e6, -1e6, np.nan]))
    np.testing.assert_array_equal(back, [1.25, 3.14, 9.75, 1.25, np.nan])


def test_generated_integers_keep_step_and_range():
    column = pd.Series([100, 150, 400], dtype="int16")
    schema = learn_column(column, "it")
    np.testing.assert_array_equal(schema.read(column), [100, 150, 400])
    back = schema.restore(np.array([120, 126, 1e6, -1e6]))
    assert back.tolist() == [100, 150, 400, 100]
    assert back.dtype == "int16"


@pytest.mark.parametrize("name", ["int64_ends", "uint64_end", "Int64_ends"])
def test_generated_huge_integers_stay_in_range(name):
    column = COLUMNS[name].dropna()
    back = learn_column(column, "it").restore(np.array([-1e30, 1e30]))
    assert back.tolist() == [column.min(), column.max()]


def test_huge_integers_and_dates_are_steps():
    ids = pd.Series([2**60 + 14, 2**60 + 7, 2**60 + 28])
    np.testing.assert_array_equal(learn_column(ids, "it").read(ids), [1, 0, 3])
    days = pd.Series(pd.to_datetime(["1969-12-30", "1970-01-02", None, "1969-12-31"]))
    np.testing.assert_array_equal(
        learn_column(days, "it").read(days), [0, 3, np.nan, 1]
    )


def test_generated_decimals_keep_their_exponent():
    schema = learn_column(pd.Series([Decimal("1.50"), Decimal("2.00")]), "it")
    assert [str(cell) for cell in schema.restore(np.array([1.504, 2.0]))] == [
        "1.50",
        "2.00",
    ]


def test_enormous_numbers_are_not_rounded_away():
    schema = learn_column(pd.Series([1e300, 1.7e308, 0.5]), "it")
    back = schema.restore(np.array([1.234567e308, 1e300, 0.52]))
    np.testing.assert_array_equal(back[:2], [1.234567e308, 1e300])


def test_unrounded_numbers_have_no_decimals():
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1, 1e6, 1e12):
        for dtype in ("float32", "float64"):
            column = pd.Series(rng.normal(size=5) * scale, dtype=dtype)
            assert learn_column(column, "it").decimals is None


@pytest.mark.parametrize("decimals", [0, 1, 2, 5, 9, 12])
def test_decimals_are_counted(decimals):
    values = np.random.default_rng(0).normal(size=300).round(decimals)
    assert learn_column(pd.Series(values), "it").decimals == decimals


def test_zeros_keep_their_sign():
    column = pd.Series([-0.0, 0.0, 1.5])
    _, _, back = there_and_back(column)
    assert np.signbit(back).tolist() == [True, False, False]


def test_columns_that_were_all_missing_stay_so():
    for name in ("no_float", "no_Int64", "no_date", "no_string", "no_arrow"):
        schema = learn_column(COLUMNS[name], "it")
        assert schema.kind == ("category" if name == "no_string" else "number")
        back = schema.restore(np.array([0.0, 5.0, np.nan]))
        assert back.isna().all()
        assert back.dtype == COLUMNS[name].dtype


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_missing_values_need_a_dtype_for_them(dtype):
    schema = learn_column(pd.Series([0, 1, 0], dtype=dtype), "it")
    with pytest.raises(ValueError, match="'it' had no missing values in fit"):
        schema.restore(np.array([0.0, np.nan]))


def test_generated_dates_are_days_where_training_dates_were():
    days = pd.Series(pd.to_datetime(["2020-01-01", "2020-03-01", "2020-03-08"]))
    schema = learn_column(days, "it")
    back = schema.restore(np.arange(0, 60, 7.3))
    assert (back.dt.normalize() == back).all()
    assert back.min() == days.min()
    assert back.max() <= days.max()


def test_float32_decimals_are_seen():
    column = pd.Series(np.round(np.linspace(0, 50, 300), 1), dtype="float32")
    assert learn_column(column, "it").decimals == 1


def test_unused_levels_are_kept_but_never_drawn():
    schema = learn_column(COLUMNS["category"], "it")
    assert schema.levels == ["b", "a"]
    back = schema.restore(np.array([0.0, 1.0, np.nan]))
    assert list(back.cat.categories) == ["c", "b", "a"]
    assert back.tolist()[:2] == ["b", "a"]


def test_levels_of_several_types_stay_apart():
    schema = learn_column(COLUMNS["mixed"], "it")
    assert len(schema.levels) == 5


def test_unknown_levels_name_the_nearest():
    schema = learn_column(pd.Series(["London", "Paris", "Rome"]), "city")
    message = "'city' holds values that were not seen in fit: 'Pariss'.* 'Paris'"
    with pytest.raises(ValueError, match=message):
        schema.read(pd.Series(["Rome", "Pariss"]))


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pd.Series([1j, 2.0]), ValueError, "Complex data not supported: column 'it'"),
        (pd.Series([1j, 2], dtype=object), ValueError, "Complex data not supported"),
        (pd.Series([1.0, np.inf]), ValueError, "'it' contains infinity"),
        (pd.Series([1.0, -np.inf], dtype=object), ValueError, "contains infinity"),
        (pd.Series([[1], [2]]), TypeError, "'it' holds a list; .* string or a number"),
        (pd.Series(["a", {}]), TypeError, "'it' holds a dict"),
        (pd.Series([([],), 1]), TypeError, "'it' holds a tuple of lists"),
        (pd.Series([Decimal("Infinity")]), ValueError, "'it' contains infinity"),
    ],
)
def test_bad_columns_are_named(column, error, message):
    for category in (False, True):
        if category and column.dtype == object and error is ValueError:
            continue  # as names, such objects are as good as others
        with pytest.raises(error, match=message):
            learn_column(column, "it", category)


def test_new_values_may_lie_outside():
    schema = learn_column(pd.Series([10, 20, 30]), "it")
    np.testing.assert_array_equal(schema.read(pd.Series([0, 10.5, 40])), [0, 10.5, 40])
    schema = learn_column(pd.Series([2**60, 2**60 + 10]), "it")
    beyond = pd.Series([2**60 - 20, 2**60 + 50])
    np.testing.assert_array_equal(schema.read(beyond), [-2, 5])
    schema = learn_column(DATES.to_series(), "it")
    earlier = (DATES - pd.Timedelta("14h")).as_unit("ms").to_series()
    np.testing.assert_array_equal(schema.read(earlier), np.arange(5) - 2)


NEW_KINDS = {
    "number": (pd.Series([1.5]), pd.Series(["a"])),
    "number_of_dates": (pd.Series([1.5]), DATES.to_series()),
    "huge": (pd.Series([2**60]), pd.Series(["a"])),
    "huge_of_dates": (pd.Series([2**60]), DATES.to_series()),
    "date": (DATES.to_series(), pd.Series([1])),
    "date_of_lengths": (DATES.to_series(), pd.Series([pd.Timedelta("1h")])),
    "date_of_text": (DATES.to_series(), pd.Series(["noon"])),
}


@pytest.mark.parametrize(("old", "new"), NEW_KINDS.values(), ids=NEW_KINDS)
def test_new_data_of_another_kind_is_refused(old, new):
    schema = learn_column(old, "it")
    with pytest.raises(ValueError, match=r"'it' held .* in fit, and now .* Convert"):
        schema.read(new)


def test_long_text_columns_are_fast():
    words = np.random.default_rng(0).integers(0, 20_000, 100_000).astype(str)
    column = pd.Series(words, dtype="str")
    start = time.process_time()
    schema = learn_column(column, "it")
    schema.restore(schema.read(column))
    # Takes about 0.05 s; a loop over the rows that looks for each level takes minutes.
    assert time.process_time() - start < 2


def test_schemas_are_small():
    schema = learn_column(pd.Series(np.random.default_rng(0).normal(size=10_000)), "it")
    assert len(pickle.dumps(schema)) < 1000
