"""Numbers that add up to the same in all rows but for a few."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._relations._density import Density
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._relations._totals import Total
from sklearn_tabsyn._table import TableSchema

PARTS = ["sand", "silt", "clay", "stone"]


def make_soils(n_rows=1000, seed=0):
    """Soils, whose parts are shares."""
    rng = np.random.default_rng(seed)
    parts = rng.dirichlet([3, 2, 1, 0.5], n_rows)
    table = pd.DataFrame(parts, columns=PARTS)
    table["depth"] = rng.gamma(3, 20 * (1 + table["clay"])).round(1)
    return table


def find_totals_of(table):
    """Return the totals of a table of many values."""
    schema = TableSchema.from_table(table)
    kinds = ["continuous"] * table.shape[1]
    return find_relations(schema.columns, kinds, schema.read(table)).totals


@pytest.mark.parametrize("whole", [1, 100, 250])
def test_parts_add_up_in_new_rows(whole):
    table = make_soils()
    table[PARTS] *= whole
    if whole == 250:  # whole numbers, the last takes what is left
        table[PARTS] = table[PARTS].round().astype(int)
        table["stone"] += whole - table[PARTS].sum(axis=1)
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=100, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    [relation] = synthesizer.relations_
    assert str(relation) == f"sand + silt + clay + stone = {whole}"
    assert (relation.kind, relation.target) == ("total", None)
    np.testing.assert_allclose(rows[PARTS].sum(axis=1), whole, rtol=1e-9)
    assert (rows[PARTS] >= table[PARTS].min()).all(axis=None)
    assert (rows[PARTS] <= table[PARTS].max()).all(axis=None)
    for name in PARTS:
        assert rows[name].mean() == pytest.approx(table[name].mean(), rel=0.1)


def test_given_parts_stay():
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=100, conditional=True, random_state=0
    ).fit(make_soils())
    rows = synthesizer.sample(500, conditions={"clay": 0.25, "sand": (0.3, 0.5)})
    np.testing.assert_allclose(rows["clay"], 0.25)
    assert rows["sand"].between(0.3, 0.5).all()
    np.testing.assert_allclose(rows[PARTS].sum(axis=1), 1, rtol=1e-9)


def test_it_is_found_up_to_rounding_and_beside_others():
    table = make_soils()
    assert find_totals_of(table.round(6)) == [Total((0, 1, 2, 3), 1.0)]
    # hundredths do not add up, and what is not there cannot
    assert not find_totals_of(table.round(2))
    gap = table.copy()
    gap.loc[5, "silt"] = np.nan
    assert not find_totals_of(gap)
    other = table.copy()
    other.loc[:9, "silt"] += 0.01
    assert not find_totals_of(other)
    two = pd.concat([table, make_soils(seed=1)[PARTS].add_suffix("_below")], axis=1)
    found = [total.members for total in find_totals_of(two)]
    assert found == [(0, 1, 2, 3), (5, 6, 7, 8)]


def test_a_few_rows_may_be_empty_or_mistaken():
    table = make_soils()
    table.loc[7, PARTS] = 0
    table.loc[8, "silt"] += 0.01
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(table).sample(500)
    [relation] = synthesizer.relations_
    assert str(relation) == "sand + silt + clay + stone = 1 in 99.8% of the rows"
    assert relation.share == pytest.approx(0.998)
    np.testing.assert_allclose(rows[PARTS].sum(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("n_columns", [5, 60])
def test_unrelated_numbers_have_no_total(n_columns):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, n_columns)))
    table.columns = table.columns.astype(str)
    table["sum"] = table["0"] + table["1"]
    assert not find_totals_of(table)


def test_numbers_may_be_vast():
    table = make_soils().assign(vast=lambda t: 1e300 * t["depth"])
    assert find_totals_of(table) == [Total((0, 1, 2, 3), 1.0)]


def test_what_is_full_or_fixed_stays():
    values = np.array([[0.5, 0.5, 0.9], [0.2, 0.1, 0.9], [0.1, 0.2, 0.4]])
    fixed = np.array([[False, True, True], [False] * 3, [False] * 3])
    lows, highs = np.zeros((3, 1)), np.array([[0.55], [1.0], [1.0]])
    even = Density.of(np.linspace(-0.0123, 1.0456, 1000), 1e-9)
    split = Total((0, 1, 2), 1.0, [even] * 3).split(values, lows, highs, fixed)
    np.testing.assert_allclose(split.sum(0), 1)
    np.testing.assert_allclose(split[:, 0], [0.55, 0.3, 0.15], rtol=1e-4)
    np.testing.assert_allclose(split[:, 1], [0.5, 1 / 6, 1 / 3], rtol=1e-4)
    np.testing.assert_allclose(split[:, 2], [0.9, 0.9 / 13, 0.4 / 13], rtol=1e-4)


def test_frequent_numbers_stay():
    rng = np.random.default_rng(0)
    topics = make_soils(2000, seed=1)[PARTS].to_numpy()
    words = rng.choice([5, 6, 7, 8], (2000, 1))
    topics = np.maximum(topics, 0.2 / words)  # no topic is less than its floor
    topics[np.arange(2000), topics.argmax(1)] += 1 - topics.sum(1)
    table = pd.DataFrame(topics, columns=PARTS)
    [total] = find_totals_of(table)
    off = topics.T + rng.normal(0, 0.01, topics.T.shape) * (topics.T > 0.05)
    ends = np.stack([topics.min(0), topics.max(0)])[:, :, None]
    split = total.split(off, *ends, np.zeros(off.shape, dtype=bool))
    np.testing.assert_allclose(split.sum(0), 1)
    floors = np.isclose(topics.T, 0.2 / words.T) & (words.T > 5)
    assert np.abs(split - off)[floors].mean() < 0.1 * np.abs(split - off).mean()
