"""Numbers that are smooth functions of two others: found, drawn and asked for."""

import numpy as np
import pandas as pd
import pytest
from conftest import find_relations, find_texts

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._relations._surfaces import Scale, Surface


def dew_point(celsius, humidity):
    """Return where water falls out of air (Magnus)."""
    part = np.log(humidity / 100) + 17.62 * celsius / (243.12 + celsius)
    return 243.12 * part / (17.62 - part)


def make_weather(n_rows=2000, seed=0):
    """Temperatures and humidities, and the dew point that both make."""
    rng = np.random.default_rng(seed)
    celsius = rng.normal(12, 9, n_rows).round(1)
    humidity = (100 - 3 * rng.gamma(4, 3, n_rows)).clip(12, 98).round()
    table = pd.DataFrame({"celsius": celsius, "humidity": humidity})
    table["dew"] = dew_point(celsius, humidity).round(1)
    table["wind"] = (rng.gamma(2, 2, n_rows) + 0.1 * celsius.clip(0)).round(1)
    return table


def make_places(n_rows=2000, seed=0):
    """Places on a map of meters, with their degrees north and east."""
    rng = np.random.default_rng(seed)
    east = 10.0 * rng.normal(53_000, 900, n_rows).round()
    north = 10.0 * rng.normal(18_000, 700, n_rows).round()
    table = pd.DataFrame({"east": east, "north": north})
    latitude = 49.9 + north / 111_200 + 3e-12 * (east - 4e5) ** 2
    degrees = (east - 4e5) / (111_320 * np.cos(np.radians(latitude)))
    table["latitude"] = latitude.round(6)
    table["longitude"] = (degrees - 2).round(6)
    return table


def check(rows):
    """Assert that dew points are what they should be."""
    made = dew_point(rows["celsius"], rows["humidity"])
    assert np.abs(rows["dew"] - made).quantile(0.99) < 0.15


def test_surfaces_are_found_and_hold_in_new_rows():
    table = make_weather()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=200, conditional=True, random_state=0
    ).fit(table)
    [relation] = synthesizer.relations_
    assert relation.kind == "function"
    assert relation.source == ("celsius", "humidity")
    assert relation.share > 0.99
    assert str(relation).startswith("dew is a function of celsius, humidity")
    rows = synthesizer.sample(3000)
    check(rows)
    assert rows["dew"].std() == pytest.approx(table["dew"].std(), rel=0.1)
    rows = synthesizer.sample(300, conditions={"dew": 5.0})
    assert (rows["dew"] == 5).all()
    check(rows)
    rows = synthesizer.sample(300, conditions={"dew": 5.0, "humidity": 60.0})
    assert (rows["humidity"] == 60).all()
    assert dew_point(rows["celsius"], 60.0).to_numpy() == pytest.approx(5, abs=0.15)


def test_filled_gaps_hold():
    table = make_weather()
    complete = table.head(200).copy()
    for start, name in enumerate(table.columns[:3]):
        table.loc[table.index % 10 == start, name] = np.nan
    synthesizer = DiffusionSynthesizer(conditional=1.0, hidden_dim=32, max_iter=100)
    imputer = DiffusionImputer(synthesizer, random_state=0).fit(table)
    rows = imputer.transform(table.head(200))
    check(rows)
    off = np.abs(rows - complete)[["celsius", "humidity", "dew"]].max()
    # What the other two leave no choice of, but for their rounding.
    assert off.to_numpy() == pytest.approx(0, abs=2)


def test_places_come_from_coarser_ones_though_a_few_are_mistaken():
    table = make_places()
    table.loc[::400, "latitude"] *= 1000
    relations = find_relations(table)
    assert {relation.target: relation.source for relation in relations} == {
        "latitude": ("east", "north"),
        "longitude": ("east", "north"),
    }
    assert all("in 99.8% of the rows" in str(relation) for relation in relations[:1])


def test_gaps_and_what_has_no_logarithm_are_no_contradiction():
    table = make_weather()
    table.loc[::7, "dew"] = np.nan
    table.loc[3::11, "celsius"] = np.nan
    table.loc[::300, "humidity"] = 0.0
    table.loc[::300, "dew"] = -20.0
    [text] = find_texts(table)
    assert text.startswith("dew is a function of celsius, humidity in 99.")


def test_the_ends_of_sources_are_not_given_out_by_a_protected_table():
    how = {"hidden_dim": 8, "max_iter": 5, "random_state": 0}
    synthesizer = DiffusionSynthesizer(protect_values=True, **how)
    assert synthesizer.fit(make_weather()).relations_ == []


@pytest.mark.parametrize("change", ["noise", "coarse", "few", "flat", "one", "mixed"])
def test_what_only_seems_a_surface_is_none(change):
    table, rng = make_weather(), np.random.default_rng(1)
    if change == "noise":
        table["dew"] = (table["dew"] + rng.normal(0, 0.3, len(table))).round(1)
    elif change == "coarse":
        table["dew"] = table["dew"].round(-1)
    elif change == "few":
        table = table.head(80)
    elif change == "flat":  # a sum, and what a tenth more or less may be
        table["dew"] = table["celsius"] + table["humidity"] / 2
        table["dew"] = (table["dew"] + 0.1 * rng.integers(-1, 2, len(table))).round(1)
    elif change == "one":
        table["dew"] = (table["celsius"] ** 2 / 10).round(1)
    else:
        table["dew"] = rng.permutation(table["dew"])
    assert not [r for r in find_relations(table) if r.source == ("celsius", "humidity")]


def test_slopes_and_inverses_belong_to_what_is_made():
    table = make_weather()
    sources = [table[name].to_numpy() for name in ("celsius", "humidity")]
    scales = tuple(
        Scale.of(part, log) for part, log in zip(sources, (False, True), strict=True)
    )
    weights = np.array([[0.5, 2.0, 0.1], [3.0, 0.2, 0.0], [0.1, 0.0, 0.0]])
    surface = Surface(2, (0, 1), scales, weights)
    for place, slope in enumerate(surface.slopes(*sources)):
        moved = [s + 1e-6 * (i == place) for i, s in enumerate(sources)]
        rise = (surface.made(*moved) - surface.made(*sources)) / 1e-6
        np.testing.assert_allclose(slope, rise, rtol=1e-4, atol=1e-6)
        away = [s if i != place else s[::-1] for i, s in enumerate(sources)]
        back = surface.invert(place, surface.made(*sources), away)
        np.testing.assert_allclose(back, sources[place], rtol=1e-6)


def test_columns_of_hardly_any_numbers_are_no_matter():
    table = make_weather(200).assign(rare=np.nan)
    table.loc[[3, 9], "rare"] = [1.5, 2.25]
    assert find_texts(table) == find_texts(make_weather(200))
