"""Single columns of every dtype in and out, and generated values of them."""

import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn._inference import learn_column

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DATES = pd.date_range("1969-12-30", periods=5, freq="7h")
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
    "no_object": pd.Series([None, None], dtype=object),
    "string": with_gap(["a", "", "a"], "string"),
    "str": with_gap(["a", "b c"], "str"),
    "object_text": with_gap(["b", "a"], object),
    "object_nan": with_gap(["b", "a"], object, np.nan),
    "category": pd.Series(pd.Categorical(["b", None, "a"], categories=list("cba"))),
    "ordered": pd.Series(pd.Categorical([3, 1], categories=[5, 3, 1], ordered=True)),
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
    "python_lengths": with_gap([datetime.timedelta(hours=1)], object),
    "decimals": with_gap([Decimal("1.50"), Decimal("-2.25")], object),
    "python_ints": pd.Series([3, 5, 7], dtype=object),
    "python_floats": with_gap([3.5, 5.0], object),
    "mixed": pd.Series([1, True, 1.0, "1", (1, 2), None], dtype=object),
    "bytes": pd.Series([b"a", b"b"], dtype=object),
    "arrow_int": with_gap([1, 2], "int64[pyarrow]"),
    "arrow_float": with_gap([1.5, 2.5], "double[pyarrow]"),
    "arrow_text": with_gap(["a", "b"], "string[pyarrow]"),
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
    schema = learn_column(pd.Series([100, 150, 400], dtype="int16"), "it")
    back = schema.restore(np.array([0.4, 0.6, 99.0, -3.0]))
    assert back.tolist() == [100, 150, 400, 100]
    assert back.dtype == "int16"


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
    ],
)
def test_bad_columns_are_named(column, error, message):
    with pytest.raises(error, match=message):
        learn_column(column, "it")


def test_new_numbers_may_lie_outside():
    schema = learn_column(pd.Series([10, 20, 30]), "it")
    np.testing.assert_array_equal(schema.read(pd.Series([0, 10, 40])), [-1, 0, 3])
