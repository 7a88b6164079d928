"""Sources of many values, such as customers and dates, suit what they tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._relations._alike import is_scattered, likest_keys
from sklearn_tabsyn._relations._functions import Function
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._relations._wishes import is_crossed, nearest_agreeing
from sklearn_tabsyn._table import TableSchema


def make_days(n_rows=3000, seed=0):
    """Rides in a town, numbered, on shared days: more from Friday to Sunday."""
    rng = np.random.default_rng(seed)
    days = pd.to_timedelta(np.sort(rng.integers(0, 2 * 365, n_rows)), unit="D")
    date = pd.DatetimeIndex(pd.Timestamp("2023-01-02") + days)
    return pd.DataFrame(
        {
            "number": np.arange(1, n_rows + 1),
            "date": date,
            "month": date.month_name(),
            "day": date.day_name(),
            "rides": rng.poisson(10 + 40 * (date.day_of_week > 3)),
        }
    )


def make_customers(n_rows=3000, names=True, seed=0):
    """Purchases of customers, of whom men buy more."""
    rng = np.random.default_rng(seed)
    customer = rng.integers(0, 300, n_rows)
    man, region = rng.random(300) < 0.4, rng.integers(0, 5, 300)
    table = pd.DataFrame(
        {
            "customer": rng.permutation(90_000)[customer],
            "sex": np.where(man, "m", "f")[customer],
            "region": np.array(list("NSEWX"))[region[customer]],
            "spent": rng.normal(10 + 10 * man[customer], 6).round(2),
        }
    )
    if names:
        table["customer"] = "C" + table["customer"].astype(str)
    return table


def make_stores(n_rows=3000, names=True, seed=0):
    """Sales of stores in towns, of which larger ones sell more."""
    rng = np.random.default_rng(seed)
    store = rng.integers(0, 200, n_rows)
    size, people = rng.lognormal(6, 0.8, 200).round(), rng.lognormal(10, 1, 200).round()
    table = pd.DataFrame(
        {
            "store": rng.permutation(90_000)[store],
            "size": size[store],
            "people": people[store],
            "sales": (size[store] * rng.lognormal(1, 0.3, n_rows)).round(1),
            "visits": (people[store] * rng.lognormal(-3, 0.3, n_rows)).round(),
        }
    )
    if names:
        table["store"] = "S" + table["store"].astype(str)
    return table


@pytest.mark.parametrize("names", [False, True])
def test_what_stores_sell_is_as_their_size(names):
    table = make_stores(names=names)
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=600, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    assert {str(relation) for relation in synthesizer.relations_} == {
        "size is a function of store",
        "people is a function of store",
    }
    stores = table.groupby("store").first()
    for name in "size", "people":
        assert (rows[name] == stores[name].loc[rows["store"]].to_numpy()).all()
    assert rows["store"].nunique() > 190
    old, new = (t.rank().corr(numeric_only=True) for t in (table, rows))
    most = 0.12 if names else 0.05
    assert abs(new - old).loc["size", "sales"] < most
    assert abs(new - old).loc["people", "visits"] < most


def test_what_a_shared_date_tells_is_learned():
    table = make_days()
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    assert [str(relation) for relation in synthesizer.relations_] == [
        "month is a function of date",
        "day is a function of date",
        "date is a function of number",
    ]
    assert (rows["date"].dt.day_name() == rows["day"]).all()
    assert (rows["date"].dt.month_name() == rows["month"]).all()
    dates = table.set_index("number")["date"]
    assert (dates.loc[rows["number"]].to_numpy() == rows["date"].to_numpy()).all()
    late = rows["day"].isin(["Friday", "Saturday", "Sunday"])
    mean = rows.groupby(late)["rides"].mean().to_numpy()
    assert mean == pytest.approx([10, 50], abs=5)
    assert rows["date"].nunique() > 500


@pytest.mark.parametrize("names", [True, False])
def test_what_customers_are_is_learned(names):
    table = make_customers(names=names)
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    known = table.drop_duplicates("customer").set_index("customer")
    for name in ("sex", "region"):
        told = known.loc[rows["customer"], name].to_numpy()
        assert (told == rows[name].to_numpy()).all()
    mean = rows.groupby("sex")["spent"].mean()
    assert mean.to_numpy() == pytest.approx([10, 20], abs=1.5)
    assert rows["customer"].nunique() > 250


def test_long_runs_are_drawn_where_they_are():
    keys = np.arange(200)
    bins, weekdays = keys // 70, keys % 7
    assert not is_crossed(bins.astype(float))
    assert is_crossed(weekdays.astype(float))
    assert is_crossed(np.where(keys == 50, 1.0, 0.0))  # as a holiday
    rng = np.random.default_rng(0)
    size = np.repeat(keys, 20).astype(float)
    table = pd.DataFrame({"size": size, "class": size // 70})
    schema = TableSchema.from_table(table)
    frame = schema.read(table)
    relations = find_relations(schema.columns, ["continuous", "discrete"], frame)
    assert [str(r) for r in relations.listed] == ["class is a function of size"]
    drawn = frame.copy()
    drawn[1] = rng.permutation(frame[1])
    rows = relations.repair(drawn, np.zeros(frame.shape, dtype=bool))
    pd.testing.assert_frame_equal(rows, frame)


@given(st.data())
def test_the_nearest_key_that_makes_most_is_taken(data):
    n_keys = data.draw(st.integers(2, 12))
    small = st.integers(0, 2)
    made = [
        np.array(data.draw(st.lists(small, min_size=n_keys, max_size=n_keys)), float)
        for _ in range(2)
    ]
    wished = [np.array([data.draw(st.integers(0, 3))], dtype=float) for _ in range(2)]
    place = np.array([data.draw(st.integers(0, n_keys - 1))])
    [found] = nearest_agreeing(made, wished, place)
    worth = np.zeros(n_keys)
    for values, wish in zip(made, wished, strict=True):
        worth += (values == wish) * -np.log(np.mean(values == wish) or 1)
        worth += (values == wish) * 1e-12
    best = np.flatnonzero(np.isclose(worth, worth.max()))
    assert found in best
    assert abs(found - place[0]) == np.abs(best - place[0]).min()


def test_the_likest_key_is_taken():
    keys = np.arange(100.0)
    shares = np.full(100, 0.01)
    numbers = np.random.default_rng(0).permutation(100) * 3.0
    numbers[:2] = np.nan
    names = keys % 2
    how = {"shares": shares, "whole": True}
    number = Function(1, 0, keys, numbers, nearest=True, number=True, **how)
    name = Function(2, 0, keys, names, nearest=True, **how)
    assert number.scattered
    assert not name.scattered
    drawn = np.array([50.0, 50.0, 50.0, 1.0])
    wished = np.array([numbers[7] + 1, numbers[7] + 1, numbers[40], np.nan])
    found = likest_keys([number], drawn, [wished])
    # It may be one beside, if that is nearer to the drawn key.
    assert abs(numbers[found[:2].astype(int)] - numbers[7]).max() <= 9
    assert abs(numbers[int(found[2])] - numbers[40]) <= 9
    assert found[3] in (0, 1)
    odd = likest_keys([number, name], drawn, [wished, np.array([0.0, 1, 0, 0])]) % 2
    assert odd.tolist() == [0, 1, 0, 0]


def test_numbers_that_follow_their_keys_are_not_scattered():
    keys = np.arange(1.0, 301)
    random = np.random.default_rng(0).normal(size=300)
    assert is_scattered(random)
    assert not is_scattered(np.log(keys))
    assert not is_scattered(np.sin(keys / 30))
    assert not is_scattered(random[:60])
