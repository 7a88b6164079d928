"""Columns that follow a number of many values: found, drawn and asked for."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionSynthesizer


def make_weather(n_rows=1500, seed=0):
    """Weather, with columns that say the same in another way."""
    rng = np.random.default_rng(seed)
    celsius = rng.normal(12, 9, n_rows).round(2)
    seconds = pd.to_timedelta(rng.integers(0, 2 * 10**8, n_rows), unit="s")
    time = pd.Timestamp("2019-01-01") + seconds
    table = pd.DataFrame({"celsius": celsius, "time": time})
    table["fahrenheit"] = (1.8 * celsius + 32).round(3)
    table["year"] = time.year
    table["feels"] = np.where(celsius > 20, "hot", np.where(celsius < 5, "cold", None))
    table["log"] = np.log(celsius - celsius.min() + 1)
    table["less"] = -(celsius**3)
    table["other"] = celsius + rng.normal(0, 0.01, n_rows)
    table.loc[::7, "fahrenheit"] = np.nan
    return table


def check(rows):
    """Assert that what follows a number does."""
    made = 1.8 * rows["celsius"] + 32
    there = rows["fahrenheit"].notna()
    np.testing.assert_allclose(rows["fahrenheit"][there], made[there], atol=2e-3)
    assert there.mean() == pytest.approx(6 / 7, abs=0.1)
    assert (rows["year"] == rows["time"].dt.year).mean() > 0.995
    seen = make_weather()["celsius"]
    expected = np.log(rows["celsius"] - seen.min() + 1)
    assert np.abs(rows["log"] - expected).quantile(0.95) < 1e-3
    # Classes change somewhere between two numbers that were seen.
    assert (rows["celsius"][rows["feels"] == "hot"] > seen[seen <= 20].max()).all()
    assert (rows["celsius"][rows["feels"] == "cold"] < seen[seen >= 5].min()).all()
    assert rows["less"].rank().add(rows["celsius"].rank()).std() < 2


@pytest.fixture(scope="module")
def weather():
    """A synthesizer of weather; read only."""
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=200, conditional=True, random_state=0
    )
    return synthesizer.fit(make_weather())


def test_curves_are_found_and_hold_in_new_rows(weather):
    texts = {str(relation) for relation in weather.relations_}
    follow = {f"{name} is a function of celsius" for name in ("feels", "log", "less")}
    others = {"fahrenheit = 1.8 * celsius + 32", "year is a function of time"}
    assert texts == follow | others
    check(weather.sample(3000))


@pytest.mark.parametrize(
    "conditions",
    [
        {"fahrenheit": 60.8},
        {"fahrenheit": (40.0, 50.0)},
        {"year": 2021},
        {"less": (-8.0, 0.0)},
        {"log": 2.5, "year": [2022, 2023]},
    ],
    ids=str,
)
def test_sources_follow_what_is_given_of_curves(weather, conditions):
    rows = weather.sample(300, conditions=conditions)
    for name, asked in conditions.items():
        if isinstance(asked, tuple):
            assert rows[name].between(*asked).all()
        else:
            asked = asked if isinstance(asked, list) else [asked]
            assert np.isin(rows[name].round(9), asked).all()
    there = rows["fahrenheit"].notna()
    made = 1.8 * rows["celsius"] + 32
    error = np.abs(rows["fahrenheit"] - made)[there]
    assert error.max() < 0.02  # the source is rounded to hundredths
    assert (rows["year"] == rows["time"].dt.year).mean() > 0.99


def test_classes_of_a_number_are_levels_one_by_one():
    rng = np.random.default_rng(0)
    income = rng.lognormal(10, 1, 1000)
    edges = [0, 10_000, 30_000, 90_000, np.inf]
    labels = ["medium", "low", "high", "very high"]
    table = pd.DataFrame({"income": income, "free": rng.permutation(income)})
    table["class"] = pd.cut(income, edges, labels=labels).astype(str)
    table["taxed"] = income > 25_000
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=50, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    texts = {str(relation) for relation in synthesizer.relations_}
    assert texts == {f"{name} is a function of income" for name in ("class", "taxed")}
    expected = pd.cut(rows["income"], edges, labels=labels).astype(str)
    assert (rows["class"] == expected).mean() > 0.99
    assert (rows["taxed"] == (rows["income"] > 25_000)).mean() > 0.99


def test_the_ends_of_curves_are_not_given_out_by_a_protected_table():
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=20, protect_values=True, random_state=0
    )
    synthesizer.fit(make_weather()[["celsius", "less", "log"]])
    assert synthesizer.relations_ == []


def test_noise_however_small_makes_no_curve():
    rng = np.random.default_rng(0)
    first = rng.normal(size=300)
    table = pd.DataFrame({"a": first, "b": first + rng.normal(0, 1e-3, 300)})
    table["rare"] = np.arange(300) == 150
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=5, random_state=0)
    assert synthesizer.fit(table).relations_ == []
