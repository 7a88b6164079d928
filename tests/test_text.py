"""Dates and numbers that are written as text."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import find_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._inference import learn_column
from sklearn_tabsyn._table import TableSchema
from sklearn_tabsyn._text import DATES, TextDate, TextNumber, find_form
from sklearn_tabsyn.metrics import shape_error

DTYPES = ["str", "object", "string", "string[pyarrow]", pd.ArrowDtype(pa.string())]
RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.lognormal(6, 1, 60)
MOMENTS = [
    datetime.datetime(2015, 1, 1) + datetime.timedelta(seconds=int(seconds))
    for seconds in RANDOM.integers(0, 10**8, 60)
]
FORMS = {
    **{form.pattern: [form(day) for day in MOMENTS] for form in DATES if form.padded},
    "unpadded": [f"{m.month}/{m.day}/{m.year}" for m in MOMENTS],
    "unpadded hours": [f"{m.month}/{m.day}/{m.year} {m:%-H:%M}" for m in MOMENTS],
    "dollars": [f"${number:,.2f}" for number in NUMBERS],
    "dollars of a country": [f"US$ {number:.0f}" for number in NUMBERS],
    "percent": [f"{number / 100:.2f}%" for number in NUMBERS],
    "trimmed": [f"{round(number / 100, 2):g} kg" for number in NUMBERS],
    "whole": [f"{number:.0f} CC" for number in NUMBERS],
    "grouped": [f"{number:,.0f}" for number in NUMBERS],
    "space": [f" {number:.0f} months" for number in NUMBERS],
    "negative": [f"{number - 400:.1f} °C" for number in NUMBERS],
}
NAMES = {
    "digits": [f"{number:05.0f}" for number in NUMBERS],
    "decimals": [f"{number:.2f}" for number in NUMBERS],
    "letters before": [f"P{number:.0f}" for number in NUMBERS],
    "words before": [f"Store {number:.0f}" for number in NUMBERS],
    "leading zeros": [f"{number:08.0f} km" for number in NUMBERS],
    "ranges": [f"{number:.0f}-{number + 5:.0f}" for number in NUMBERS],
    "two units": [
        f"{number:.0f} {'km' if number > 500 else 'm'}" for number in NUMBERS
    ],
    "decimal commas": [f"{number:.1f} €".replace(".", ",") for number in NUMBERS],
    "versions": [f"1.{number:.0f}.2" for number in NUMBERS],
    "few values": [f"{12 * (number > 400) + 24} months" for number in NUMBERS],
    "one that is none": [*(f"{number:.0f}%" for number in NUMBERS), "none"],
    "no day of the year": [*(f"{m:%Y-%m-%d}" for m in MOMENTS), "2015-02-30"],
    "two ways": [f"{m:%Y-%m-%d}" if m.day > 9 else f"{m:%d/%m/%Y}" for m in MOMENTS],
    "words": [f"number {number}" for number in "abcdefghijklmnop"],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("texts", FORMS.values(), ids=FORMS)
def test_text_comes_back(texts, dtype):
    column = pd.Series([*texts, None], dtype=dtype)
    schema = pickle.loads(pickle.dumps(learn_column(column, "it")))
    assert schema.kind == "number"
    values = schema.read(column)
    assert len(np.unique(values[:-1])) > 10
    pd.testing.assert_series_equal(schema.restore(values), column)
    # what lies between is written alike
    between = schema.restore(values[:1] / 2 + values[1:2] / 2)[0]
    assert schema.python.read([between]).dtype.kind in "Mf"


@pytest.mark.parametrize("texts", NAMES.values(), ids=NAMES)
def test_what_is_not_sure_to_be_a_number_is_a_name(texts):
    column = pd.Series(texts)
    assert learn_column(column, "it").kind == "category"


def test_a_user_can_call_text_a_category():
    column = pd.Series(FORMS["percent"])
    assert learn_column(column, "it", category=True).kind == "category"


@settings(deadline=None)
@given(
    st.sampled_from(DATES),
    st.lists(st.datetimes(datetime.datetime(1700, 1, 1)), min_size=1),
)
def test_all_dates_come_back(form, moments):
    texts = [form(moment) for moment in moments]
    dates = form.read(texts)
    assert [form(date) for date in dates.tolist()] == texts


@settings(deadline=None)
@given(
    st.sampled_from(["", "$", "US$ "]),
    st.sampled_from(["", "%", " kg"]),
    st.integers(0, 6),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(-(10**9), 10**9), min_size=1),
)
def test_all_numbers_come_back(before, after, decimals, grouped, padded, integers):
    form = TextNumber(before, after, decimals, grouped, padded)
    numbers = np.array(integers) / 10**decimals
    assert form.read([form(number) for number in numbers]).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("name", "texts", "message"),
    [
        ("percent", ["3.50%", "much"], "like '1234.50%' in fit; found 'much'"),
        ("%d/%m/%Y", ["2015-02-03"], "like '31/12/2024' in fit; found '2015-02-03'"),
    ],
)
def test_other_text_is_refused_by_name(name, texts, message):
    schema = learn_column(pd.Series(FORMS[name]), "it")
    with pytest.raises(ValueError, match=f"Column 'it' .*{message}"):
        schema.read(pd.Series(texts))


def make_orders(n_rows=1500, seed=0):
    """Orders as a file of text holds them: dates, prices and rates."""
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(
        rng.integers(0, 500, n_rows), "D"
    )
    later = day + pd.to_timedelta(rng.integers(0, 9, n_rows), "D")
    price = rng.lognormal(4, 1, n_rows).round(2)
    pieces = rng.integers(1, 6, n_rows)
    hour = np.where(rng.random(n_rows) < 0.5, rng.integers(8, 12, n_rows), 18)
    table = pd.DataFrame(
        {
            "ordered": day.strftime("%d/%m/%Y"),
            "sent": later.strftime("%d/%m/%Y"),
            "weekday": day.day_name(),
            "time": [
                f"{h:02d}:{m:02d}"
                for h, m in zip(hour, rng.integers(0, 60, n_rows), strict=True)
            ],
            "price": [f"${number:,.2f}" for number in price],
            "pieces": pieces,
            "amount": [f"${number:,.2f}" for number in (price * pieces).round(2)],
            "discount": [f"{rate}%" for rate in rng.integers(0, 30, n_rows)],
        }
    )
    table.loc[rng.random(n_rows) < 0.1, "discount"] = None
    return table


def check_orders(rows):
    """Assert that rows are written and hang together as orders do."""
    ordered, sent = (
        pd.to_datetime(rows[name], format="%d/%m/%Y") for name in ("ordered", "sent")
    )
    assert (ordered <= sent).all()
    assert (rows["weekday"] == ordered.dt.day_name()).all()
    assert rows["time"].str.fullmatch(r"(08|09|10|11|18):[0-5]\d").mean() > 0.95
    assert rows["discount"].dropna().str.fullmatch(r"\d{1,2}%").all()
    price, amount = (
        rows[name].str.replace(r"[$,]", "", regex=True).astype(float)
        for name in ("price", "amount")
    )
    np.testing.assert_allclose(amount, price * rows["pieces"], atol=0.00501)


def test_relations_hold_between_text():
    table = make_orders()
    before = table.copy()
    texts = find_texts(table)
    assert "amount = price * pieces" in texts
    assert "weekday is a function of ordered" in texts
    assert "ordered <= sent" in texts
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=300, conditional=True, random_state=0
    ).fit(table)
    pd.testing.assert_frame_equal(table, before)
    rows = synthesizer.sample(1000)
    check_orders(rows)
    assert (rows.dtypes == table.dtypes).all()
    # other prices than those of the table, of which about as many are missing
    assert not rows["price"].isin(table["price"]).all()
    assert rows["discount"].isna().mean() == pytest.approx(0.1, abs=0.04)
    assert shape_error(table, rows) < 0.08
    asked = {"ordered": "03/04/2023", "price": ("$20.00", 50)}
    rows = synthesizer.sample(200, conditions=asked)
    assert (rows["ordered"] == "03/04/2023").all()
    assert (rows["weekday"] == "Monday").all()
    assert rows["price"].str[1:].astype(float).between(20, 50).all()
    assert np.isfinite(synthesizer.score_samples(table.head(20))).all()
    with pytest.raises(
        ValueError, match=r"Column 'price' was written like '\$1,234.50'"
    ):
        synthesizer.sample(2, conditions={"price": "cheap"})


def test_polars_and_protected_values():
    columns = make_orders(400).to_dict("list").items()
    missing = {name: [None if c != c else c for c in cells] for name, cells in columns}
    table = pl.DataFrame(missing)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=30, protect_values=True, random_state=0
    ).fit(table)
    rows = synthesizer.sample(100)
    assert rows.schema == table.schema
    assert rows["discount"].null_count()
    dearest = table["price"].str.replace_all(r"[$,]", "").cast(float).max()
    assert rows["price"].str.replace_all(r"[$,]", "").cast(float).max() < dearest


def test_arrays_and_targets_of_text():
    X = make_orders(200)[["ordered", "price"]].to_numpy(dtype=str)
    y = np.array(FORMS["percent"] * 4)[:200]
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=20, random_state=0)
    rows, classes = synthesizer.fit(X, y).sample(50)
    assert rows.dtype.kind == "U"
    assert find_form(pd.Series(rows[:, 0])) == TextDate("%d/%m/%Y")
    assert np.isin(classes, y).all()  # a target of text is a class


def test_new_text_of_an_array_may_be_longer():
    X = np.array([[text] for text in [*(f"{n / 8:g}%" for n in range(9)), "12%"] * 30])
    schema = TableSchema.from_table(X)
    assert schema.columns[0].kind == "number"
    assert schema.restore(pd.DataFrame([[11.625], [2.0]])).tolist() == [
        ["11.625%"],
        ["2%"],
    ]
    assert schema.restore(schema.read(X)).dtype == X.dtype


def test_other_text_of_other_tables_counts_as_new_levels():
    table = make_orders(300)
    other = table.assign(price="much")
    assert shape_error(table[["price"]], other[["price"]]) == 1.0
    near = table.assign(price=["$0.01", *table["price"][1:]])
    assert shape_error(table[["price"]], near[["price"]]) < 0.01
