"""Weighted sums of numbers: found, drawn and asked for, and none by chance."""

import numpy as np
import pandas as pd
import pytest
from conftest import find_relations, find_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._relations._sums import WeightedSum

PARTS = ["read", "count", "draw", "sing", "swim"]


def make_marks(n_rows=1000, seed=0):
    """Points of five tasks, what they make together, and temperatures."""
    rng = np.random.default_rng(seed)
    skill = rng.normal(size=(n_rows, 1))
    points = (50 + 12 * skill + 10 * rng.normal(size=(n_rows, 5))).round().clip(0, 100)
    table = pd.DataFrame(points.astype(int), columns=PARTS)
    table.insert(0, "points", table[PARTS].sum(axis=1))
    table["mean"] = (points[:, :3].sum(1) / 3).round(2)
    table["celsius"] = rng.normal(12, 8, n_rows).round(3)
    table["fahrenheit"] = (1.8 * table["celsius"] + 32).round(4)
    return table


def assert_sums(rows):
    """Assert that all sums are what they should be."""
    np.testing.assert_array_equal(rows["points"], rows[PARTS].sum(axis=1))
    mean = rows[PARTS[:3]].mean(axis=1)
    np.testing.assert_allclose(rows["mean"], mean, atol=0.00501)
    fahrenheit = 1.8 * rows["celsius"] + 32
    np.testing.assert_allclose(rows["fahrenheit"], fahrenheit, atol=1e-9)


def test_sums_are_found_and_hold_in_new_rows():
    table = make_marks()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=True, random_state=0
    ).fit(table)
    points, mean, fahrenheit = synthesizer.relations_
    assert str(points) == "points = read + count + draw + sing + swim"
    assert (points.kind, points.weights, points.constant) == ("sum", (1.0,) * 5, None)
    assert mean.target == "mean"
    np.testing.assert_allclose(mean.weights, 1 / 3)
    assert str(fahrenheit) == "fahrenheit = 1.8 * celsius + 32"
    rows = synthesizer.sample(2000)
    assert_sums(rows)
    assert rows["points"].mean() == pytest.approx(table["points"].mean(), rel=0.05)
    rows = synthesizer.sample(300, conditions={"points": 260, "swim": 40})
    assert (rows["points"] == 260).all()
    assert (rows["swim"] == 40).all()
    assert_sums(rows)


@pytest.mark.parametrize("change", ["rows", "coarse", "unrelated", "few", "one value"])
def test_what_only_seems_a_sum_is_none(change):
    table = make_marks()[["points", *PARTS]]
    if change == "rows":
        table.loc[::90, "points"] += 1
    elif change == "coarse":
        table["points"] = (table["points"] / 10).round() * 10
    elif change == "unrelated":
        table["points"] = make_marks(seed=1)["points"]
    elif change == "few":
        table = table.head(50)
    else:  # what is left of one row is a column of its own
        table = table[["points", "read"]].assign(other=0.0, next=0.0)
        table.loc[3, ["next", "other"]] = 7.0, 5.0
    assert not [text for text in find_texts(table) if "+" in text]


def test_gaps_of_a_few_rows_are_no_contradiction():
    table = make_marks(5000)
    table.loc[[1, 2], "points"] = np.nan
    assert not table["points"].isna()[even_rows(5000, 1000)].any()
    assert "points = read + count + draw + sing + swim" in find_texts(table)


def make_marks_with_gaps(n_rows=3000):
    """Marks of which each may be missing, and whole ones made of some of them."""
    rng = np.random.default_rng(0)
    table = make_marks(n_rows)[PARTS].astype(float)
    table = table.mask(rng.random(table.shape) < 0.2)
    half = table["read"] / 2 + table["count"] / 2
    table["half"] = (half + 0.01).round()
    table["music"] = table["sing"] + table["draw"]
    table.loc[[7, 2000], "half"] += 1
    return table


def test_sums_with_gaps_are_found_and_missing_where_a_part_is():
    table = make_marks_with_gaps()
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    texts = [str(relation) for relation in synthesizer.relations_]
    assert len(texts) == 2
    assert texts[0].startswith("half = 0.5 * read + 0.5 * count")
    assert texts[1] == "music = draw + sing"
    half = rows["read"] / 2 + rows["count"] / 2
    np.testing.assert_allclose(rows["half"], half, atol=0.501)
    np.testing.assert_array_equal(rows["music"], rows["draw"] + rows["sing"])
    gaps = rows.isna().mean() - table.isna().mean()
    assert gaps.abs().max() < 0.04


def test_gaps_of_a_sum_stay_its_own_if_they_are():
    table = make_marks_with_gaps().drop(columns="half")
    table.loc[::9, "music"] = np.nan
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=800, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    assert [str(found) for found in synthesizer.relations_] == ["music = draw + sing"]
    gaps = rows["music"].isna(), rows[["draw", "sing"]].isna().any(axis=1)
    assert (gaps[0] & ~gaps[1]).mean() == pytest.approx(0.64 / 9, abs=0.03)
    assert not (gaps[1] & ~gaps[0]).any()
    there = rows[~gaps[0]]
    np.testing.assert_array_equal(there["music"], there["draw"] + there["sing"])


def test_gaps_are_filled_by_sums():
    table = make_marks_with_gaps()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=50, conditional=True, random_state=0
    ).fit(table)
    whole = table.dropna().reset_index(drop=True)
    gappy = whole.copy()
    gappy.loc[:99, "music"] = np.nan
    gappy.loc[100:199, "read"] = np.nan
    filled = DiffusionImputer(synthesizer, random_state=0).fit(table).transform(gappy)
    np.testing.assert_array_equal(filled["music"], filled["draw"] + filled["sing"])
    assert (filled["read"] + filled["count"] - 2 * filled["half"]).abs().max() <= 3


def test_a_few_rows_may_be_mistaken():
    table = make_marks()
    table.loc[[5, 600], "points"] += 30
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=40, random_state=0)
    rows = synthesizer.fit(table).sample(500)
    [points] = [found for found in synthesizer.relations_ if found.target == "points"]
    assert points.share == pytest.approx(0.998)
    assert_sums(rows)


def test_what_has_more_values_is_computed():
    rng = np.random.default_rng(0)
    ours, theirs = rng.choice([1.69, 1.79, 1.86, 1.99, 2.09, 2.18], (2, 900))
    table = pd.DataFrame({"ours": ours, "theirs": theirs})
    table["more"] = (ours - theirs).round(2)
    assert find_texts(table) == ["more = ours - theirs"]


def test_equal_parts_are_no_contradiction():
    rng = np.random.default_rng(0)
    above = rng.lognormal(7, 0.5, 3000).round()
    below = np.where(rng.random(3000) < 0.6, 0, (above * rng.random(3000)).round())
    table = pd.DataFrame({"living": above + below, "above": above, "below": below})
    assert find_texts(table) == ["living = above + below", "below <= above"]
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    np.testing.assert_array_equal(rows["living"], rows["above"] + rows["below"])
    assert (rows["living"] == rows["above"]).mean() == pytest.approx(0.6, abs=0.03)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.integers(-999, 999).filter(lambda n: abs(n) > 9), min_size=2, max_size=4
    ),
    st.integers(-500, 500),
    st.integers(0, 100),
)
def test_weights_of_few_digits_are_found(hundredths, constant, seed):
    rng = np.random.default_rng(seed)
    parts = rng.gamma(2, 50, (600, len(hundredths))).round(2)
    weights = np.array(hundredths) / 100
    table = pd.DataFrame(parts).rename(columns=str)
    table["sum"] = (parts @ weights + constant).round(4)
    [relation] = find_relations(table)
    # Whichever of the columns is the target, the sum is right.
    made = table[[*relation.source]] @ relation.weights + (relation.constant or 0)
    assert np.abs(made - table[relation.target]).max() < 0.01


def test_a_sum_that_misses_by_more_than_the_last_digit_is_none():
    rng = np.random.default_rng(0)
    good = rng.random(3000).round(9)
    # Two rates and what they leave, all written with nine digits; the rest is told a
    # few units of the last too low.
    table = pd.DataFrame({"good": good, "bad": (1 - good).round(9)})
    table["all"] = (1 - rng.integers(0, 9, 3000) * 1e-9).round(9)
    table.loc[::60, ["good", "bad", "all"]] = 0.0
    texts = [str(relation) for relation in find_relations(table)]
    assert texts[0] == "good + bad = 1 in 98.3% of the rows"
    assert set(texts[1:]) <= {"good <= all", "bad <= all"}


def test_a_sum_of_numbers_of_so_many_digits_is_found():
    rng = np.random.default_rng(0)
    parts = rng.lognormal(0, 6, (1000, 2))
    table = pd.DataFrame(parts, columns=["a", "b"])
    table["c"] = parts @ [1, 2]
    table = table.map(lambda number: float(f"{number:.9g}"))
    assert find_texts(table) == ["c = a + 2 * b"]


def test_what_a_source_should_be_makes_the_target():
    weighted = WeightedSum(0, (1, 2), (0.3, -2.0), 5.0)
    sources, target = [np.array([10.0, 20.0]), np.array([1.0, 2.0])], np.array([4.0, 9])
    for place in range(2):
        moved = list(sources)
        moved[place] = weighted.invert(place, target, sources)
        np.testing.assert_allclose(weighted.made(*moved), target)


def test_round_numbers_are_sources():
    rng = np.random.default_rng(0)
    amount = 1000.0 * rng.integers(1, 40, 2000)
    paid = (amount * rng.beta(1, 3, 2000)).round(2)
    table = pd.DataFrame({"amount": amount, "paid": paid})
    table["balance"] = (table["amount"] - table["paid"]).round(2)
    table["net"] = (0.5 * amount + rng.lognormal(7, 1, 2000).round(2)).round(2)
    texts = find_texts(table)
    assert any(text == "balance = amount - paid" for text in texts)
