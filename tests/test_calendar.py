"""Columns that tell a part of a date: found, drawn and asked for."""

import datetime

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._relations._calendar import (
    dates_with_parts,
    find_parts,
    wall_times,
)
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._table import TableSchema


def make_rides(n_rows=3000, zone=None, seed=0):
    """Rides in a town: many at eight, and more from Friday to Sunday."""
    rng = np.random.default_rng(seed)
    minutes = 6 * 60 * rng.integers(0, 4, n_rows) + rng.integers(0, 60, n_rows)
    minutes += 24 * 60 * rng.integers(0, 2 * 365, n_rows)
    when = pd.Timestamp("2023-01-02 02:00") + pd.to_timedelta(minutes, unit="min")
    when = pd.DatetimeIndex(when).tz_localize(zone, nonexistent="shift_forward")
    mean = 10 + 30 * (when.hour == 8) + 40 * (when.day_of_week > 3)
    return pd.DataFrame(
        {
            "when": when,
            "month": when.month_name(),
            "day": when.day_name(),
            "hour": when.hour,
            "rides": rng.poisson(mean),
        }
    )


def check_rides(rows):
    """Assert that it is known when there are many rides."""
    late = rows["day"].isin(["Friday", "Saturday", "Sunday"])
    mean = rows.groupby([late, rows["hour"] == 8])["rides"].mean().to_numpy()
    assert mean == pytest.approx([10, 40, 50, 80], abs=8)


def find(table):
    """Return the relations of a table, as text."""
    schema = TableSchema.from_table(table)
    kinds = ["nominal" if c.kind == "category" else "discrete" for c in schema.columns]
    for j, column in enumerate(table):
        if column in ("when", "date", "number", "end"):
            kinds[j] = "continuous"
    relations = find_relations(schema.columns, kinds, schema.read(table))
    return {str(relation) for relation in relations.listed}


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_parts_of_dates_are_found_and_kept(zone):
    table = make_rides(zone=zone)
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    found = {str(relation) for relation in synthesizer.relations_}
    assert found == {
        f"{name} is a function of when" for name in ("month", "day", "hour")
    }
    when = rows["when"].dt
    assert (when.month_name() == rows["month"]).all()
    assert (when.day_name() == rows["day"]).all()
    assert (when.hour == rows["hour"]).all()
    assert rows["when"].between(table["when"].min(), table["when"].max()).all()
    # What rides have to do with day and hour is learned, though dates are unique.
    check_rides(rows)


def test_parts_that_do_not_hold_everywhere_are_none():
    table = make_rides()
    table.loc[7, "hour"] = (table.loc[7, "hour"] + 1) % 24
    table["day"] = make_rides(seed=1)["day"]
    assert find(table) == {"month is a function of when"}


def test_all_kinds_of_dates_have_parts():
    table = make_rides()
    when = table["when"]
    table["when"] = when.dt.to_pydatetime().astype(object)
    assert len(find(table)) == 3
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(k) for k in range(3000)]
    dates = pd.DataFrame({"when": pd.Series(days, dtype=object)})
    dates["quarter"] = [(day.month + 2) // 3 for day in days]
    dates["weekend"] = [day.weekday() > 4 for day in days]
    assert find(dates) == {
        f"{name} is a function of when" for name in dates.columns[1:]
    }


def test_hours_that_a_day_does_not_have_are_drawn_on_another():
    table = make_rides(zone="America/New_York")
    schema = TableSchema.from_table(table)
    column, frame = schema.columns[0], schema.read(table)
    parts = find_parts(schema.columns, frame, np.arange(len(table)), [0], [2, 3])
    # Clocks are put forward from two to three, and no ride starts at one.
    forward = pd.Series([pd.Timestamp("2024-03-10 01:42", tz="America/New_York")])
    made = {
        part.target: part.made(pd.DatetimeIndex(["2024-01-07 02:00"])) for part in parts
    }
    wished = [made[part.target] for part in parts]
    found = dates_with_parts(column.read(forward), parts, wished)
    assert wall_times(column, found)[0] == pd.Timestamp("2024-03-17 02:42")


def test_given_parts_and_dates_stay():
    table = make_rides(2000)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=150, conditional=True, random_state=0
    ).fit(table)
    rows = synthesizer.sample(200, conditions={"day": "Sunday", "hour": 14})
    assert (rows["when"].dt.day_name() == "Sunday").all()
    assert (rows["when"].dt.hour == 14).all()
    when = table["when"].iloc[[5]]
    rows = synthesizer.sample(conditions=pd.DataFrame({"when": when}))
    assert rows["when"].tolist() == when.tolist()
    assert rows["hour"].tolist() == when.dt.hour.tolist()


def test_gaps_of_parts_are_filled_by_dates():
    table = make_rides(1000)
    gaps = table.astype({"hour": float})
    gaps.loc[::3, "hour"] = np.nan
    gaps.loc[1::3, "when"] = pd.NaT
    imputer = DiffusionImputer(
        DiffusionSynthesizer(max_iter=30, conditional=True, random_state=0)
    )
    filled = imputer.fit(table).set_output(transform="pandas").transform(gaps)
    assert (filled["when"].dt.hour == filled["hour"]).all()
    assert (filled["when"].dt.day_name() == filled["day"]).all()
    known = gaps["hour"].notna()
    assert (filled["hour"] == gaps["hour"])[known].all()


def test_protected_values_are_not_told_by_dates():
    table = make_rides()
    schema = TableSchema.from_table(table)
    frame = schema.read(table)
    few = table["day"].value_counts().min()
    rows = np.arange(len(table))
    for min_count, n_found in ((few, 1), (few + 1, 0)):
        parts = find_parts(schema.columns, frame, rows, [0], [2], min_count)
        assert len(parts) == n_found
