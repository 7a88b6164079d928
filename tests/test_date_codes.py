"""Weekdays and hours of dates are learned, though nothing else tells them."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._relations._calendar import wall_times
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._table import TableSchema


def make_nights(n_rows=2000, zone=None, seed=0):
    """Temperatures of a year, which is cold at night."""
    rng = np.random.default_rng(seed)
    minutes = rng.integers(0, 365 * 24 * 60, n_rows)
    when = pd.DatetimeIndex(
        pd.Timestamp("2025-01-01") + pd.to_timedelta(minutes, unit="min"), tz=zone
    )
    night = (when.hour < 6) | (when.hour >= 20)
    degrees = 15 - 12 * night + rng.normal(0, 2, n_rows)
    return pd.DataFrame({"when": when, "degrees": degrees.round(1)})


def find_codes(table):
    """Return the parts of dates that are drawn too, by column and name."""
    schema = TableSchema.from_table(table)
    kinds = [
        "nominal" if c.kind == "category" else "continuous" for c in schema.columns
    ]
    codes = find_relations(schema.columns, kinds, schema.read(table)).date_codes
    return {(schema.columns[code.source].name, code.name) for code in codes}


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_new_nights_are_cold(zone):
    table = make_nights(zone=zone)
    table.loc[::5, "when"] = pd.NaT
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    assert rows["when"].isna().mean() == pytest.approx(0.2, abs=0.03)
    assert rows["when"].min() >= table["when"].min()
    assert rows["when"].max() <= table["when"].max()
    hour = rows["when"].dropna().dt.hour
    mean = rows["degrees"].groupby((hour < 6) | (hour >= 20)).mean()
    assert mean.to_numpy() == pytest.approx([15, 3], abs=1.5)


def test_months_start_on_the_first_and_nothing_is_traded_on_sundays():
    rng = np.random.default_rng(0)
    months = pd.date_range("1990-01-01", periods=400, freq="MS")
    days = pd.date_range("2020-01-01", periods=1200, freq="B")[::3]
    table = pd.DataFrame({"month": months, "day": days, "price": rng.normal(size=400)})
    table = table.sample(frac=1, random_state=0, ignore_index=True)
    assert find_codes(table) == {
        ("month", "day of the month"),
        ("day", "day of the week"),
    }
    synthesizer = DiffusionSynthesizer(max_iter=60, random_state=0).fit(table)
    rows = synthesizer.sample(1000)
    assert (rows["month"].dt.day == 1).all()
    assert rows["month"].nunique() > 200
    assert (rows["day"].dt.day_of_week < 5).all()
    assert synthesizer.relations_ == []


def test_days_that_many_rows_share_have_weekdays():
    rng = np.random.default_rng(0)
    days = pd.date_range("2020-01-01", periods=365)[rng.integers(0, 365, 3000)]
    late = days.day_of_week > 3
    table = pd.DataFrame({"day": days, "guests": rng.poisson(10 + 20 * late)})
    assert find_codes(table) == {("day", "day of the week")}
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    mean = rows["guests"].groupby(rows["day"].dt.day_of_week > 3).mean()
    assert mean.to_numpy() == pytest.approx([10, 30], abs=3)


def test_dates_that_could_be_any_have_no_codes():
    rng = np.random.default_rng(0)
    table = make_nights().assign(degrees=lambda t: rng.permutation(t["degrees"]))
    table["name"] = rng.choice(list("abc"), len(table))
    table["other"] = rng.permutation(table["when"])
    assert find_codes(table) == set()
    assert find_codes(table.head(50)) == set()


def test_what_columns_tell_of_a_date_has_no_code():
    table = make_nights()
    table["hour"] = table["when"].dt.hour.astype(str)
    assert find_codes(table) == set()
    # Neither has what they nearly tell, as the hour of another time zone.
    summer = table["when"].dt.month.between(4, 10)
    hour = (table["when"].dt.hour + np.where(summer, 5, 4)) % 24
    table["hour"] = hour.astype(str)
    assert find_codes(table) == set()


def test_days_that_differ_do_not_make_weekdays_differ():
    rng = np.random.default_rng(0)
    days, level = pd.date_range("2025-01-01", periods=300), rng.normal(size=300)
    each = rng.choice(300, 5000, p=rng.dirichlet(np.ones(300)))
    table = pd.DataFrame({"day": days[each], "level": level[each]})
    assert find_codes(table) == set()


def test_dates_with_codes_are_given_scored_and_filled():
    table = make_nights(1000)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=300, conditional=True, random_state=0
    ).fit(table)
    noon, midnight = pd.Timestamp("2025-06-02 12:00"), pd.Timestamp("2025-06-02 00:10")
    means = []
    for when in (noon, midnight):
        rows = synthesizer.sample(300, conditions={"when": when})
        assert (rows["when"] == when).all()
        means.append(rows["degrees"].mean())
    assert means == pytest.approx([15, 3], abs=3)
    cold = synthesizer.sample(500, conditions={"degrees": (0, 5)})["when"].dt.hour
    assert ((cold < 6) | (cold >= 20)).mean() > 0.7
    real = pd.DataFrame({"when": [noon, midnight], "degrees": [15.0, 3.0]})
    odd = real.assign(degrees=[3.0, 15.0])
    assert (synthesizer.score_samples(real) > synthesizer.score_samples(odd)).all()
    imputer = DiffusionImputer(synthesizer).set_output(transform="pandas")
    gaps = table.copy()
    gaps.loc[::2, "degrees"] = np.nan
    gaps.loc[1::2, "when"] = pd.NaT
    filled = imputer.fit(table).transform(gaps)
    night = (filled["when"].dt.hour < 6) | (filled["when"].dt.hour >= 20)
    assert filled["degrees"].groupby(night).mean().to_numpy() == pytest.approx(
        [15, 3], abs=4.5
    )
    known = gaps["when"].notna()
    assert (filled["when"] == gaps["when"])[known].all()


def test_hours_are_those_of_the_place():
    table = make_nights(zone="Asia/Tokyo")
    table["when"] = table["when"].dt.as_unit("us")
    arrow = table.astype({"when": "timestamp[us, tz=Asia/Tokyo][pyarrow]"})
    for frame in (table, arrow):
        schema = TableSchema.from_table(frame)
        canonical = schema.read(frame)
        times = wall_times(schema.columns[0], canonical[0].to_numpy())
        np.testing.assert_array_equal(times.hour, table["when"].dt.hour)


def test_protected_dates_have_codes_of_many_rows():
    table = make_nights()
    table.loc[0, "when"] = table.loc[0, "when"].replace(hour=3)
    synthesizer = DiffusionSynthesizer(
        max_iter=30, protect_values=True, random_state=0
    ).fit(table)
    rows = synthesizer.sample(100)
    assert rows["when"].notna().all()
