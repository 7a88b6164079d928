"""Numbers that lie elsewhere beside each level, against those of real rows."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, spearmanr

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._focusing._beside import Within, ties_of
from sklearn_tabsyn._focusing._focus import Focus, movable
from sklearn_tabsyn._focusing._within import find_within, focus_within
from sklearn_tabsyn._table import TableSchema

UNITS, SOURCES = [1, 3], [0, 2]


def make_shares(n_rows=6000, seed=0, blur=0.0):
    """Shares, half of which lie just above a floor that a number of words sets."""
    rng = np.random.default_rng(seed)
    words = rng.choice([4, 5, 6, 8, 10, 30], n_rows, p=[0.2, 0.2, 0.2, 0.2, 0.19, 0.01])
    floor = 0.2 / words * np.exp(blur * rng.normal(size=n_rows))
    above = floor * (1 + rng.exponential(0.01, n_rows))
    share = np.where(rng.random(n_rows) < 0.5, above, rng.uniform(0.05, 0.9, n_rows))
    name = rng.choice(["a", "b", "c"], n_rows)
    other = rng.normal(size=n_rows)
    columns = {"words": words, "share": share, "name": name, "other": other}
    return pd.DataFrame(columns)


def everywhere(table, unit):
    """All rows may be moved."""
    return np.ones(len(table), dtype=bool)


def learned(real, drawn):
    """Return the focus of drawn rows, and their canonical values."""
    schema = TableSchema.from_table(real)
    frame, drawn = schema.read(real), schema.read(drawn)
    pairs = find_within(frame, UNITS, SOURCES)
    focus = Focus(movable(schema.columns, frame, UNITS))
    pairs = [pair for pair in pairs if pair.target in focus.axes]
    tables = ((table, partial(everywhere, table)) for table in (frame, drawn))
    real, others = tables
    focus_within(focus, pairs, real, np.ones(len(frame)), others)
    return focus, drawn


def distances(real, rows):
    """Return how far the shares of each frequent number of words are off."""
    tables = [table.groupby("words")["share"] for table in (real, rows)]
    words = (4, 5, 6, 8, 10)
    return [ks_2samp(*(t.get_group(n) for t in tables)).statistic for n in words]


def test_numbers_are_spread_as_real_ones_beside_each_level():
    real, blurred = make_shares(), make_shares(seed=1, blur=0.1)
    focus, drawn = learned(real, blurred)
    [move] = focus.moves
    assert (move.target, move.source) == (1, 0)
    before = drawn.copy()
    rows = focus.sharpen(drawn, partial(everywhere, drawn))
    pd.testing.assert_frame_equal(drawn, before)
    rows.columns = drawn.columns = real.columns
    assert min(distances(real, drawn)) > 0.12
    assert max(distances(real, rows)) < 0.05
    others = ["words", "name", "other"]
    pd.testing.assert_frame_equal(rows[others], drawn[others])
    # The order stays, and so do numbers beside a level that few rows have.
    for n in (4, 10):
        some = drawn["words"] == n
        order = spearmanr(drawn["share"][some], rows["share"][some])
        assert order.statistic > 0.999
    few = drawn["words"] == 30
    assert (rows["share"] == drawn["share"])[few].all()


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("n_rows", [800, 6000])
def test_nothing_is_moved_where_rows_are_as_real_ones(n_rows, seed):
    focus, _ = learned(make_shares(n_rows), make_shares(n_rows, seed))
    assert focus.moves == []


def test_levels_that_tell_nothing_are_not_looked_at():
    table = make_shares()
    schema = TableSchema.from_table(table)
    pairs = find_within(schema.read(table), UNITS, SOURCES)
    assert [(pair.target, pair.source) for pair in pairs] == [(1, 0)]


def test_ties_gaps_and_rows_that_are_not_free_stay():
    real, blurred = make_shares(), make_shares(seed=1, blur=0.1)
    for table in (real, blurred):
        table["words"] = table["words"].astype("Int64")
        table.loc[::10, "share"] = 0.5
        table.loc[1::10, "share"] = np.nan
        table.loc[2::10, "words"] = pd.NA
    focus, drawn = learned(real, blurred)
    [move] = focus.moves
    assert move.ties.tolist() == [0.5]
    held = np.arange(len(drawn)) % 2 == 0
    moved = focus.sharpen(drawn, lambda unit: ~held)
    assert moved[1][held].equals(drawn[1][held])
    for start in (0, 1, 2):
        assert moved[1][start::10].equals(drawn[1][start::10])
    assert (moved[1] != drawn[1])[3::2].mean() > 0.7


def test_columns_of_gaps_and_of_huge_numbers_are_no_trouble():
    table = make_shares(1000).astype({"words": float})
    table["other"] = np.where(table["words"] > 5, 1e308, -1e308)
    table["other"] *= np.random.default_rng(0).random(1000)
    table["share"] = np.where(np.arange(1000) < 1, 0.5, np.nan)
    focus, _ = learned(table, table.sample(frac=1, random_state=0))
    assert focus.moves == []
    table["words"] = np.nan
    schema = TableSchema.from_table(table)
    assert find_within(schema.read(table), UNITS, SOURCES) == []


def test_weights_count_as_rows():
    rng = np.random.default_rng(0)
    source = np.repeat([1.0, 2.0], 500)
    target = np.tile(np.r_[rng.normal(-5, 1, 250), rng.normal(5, 1, 250)], 2)
    weights = np.where(target < 0, 1.6, 0.4)
    within = Within(1, 0)
    within.learn((target, source), weights, (rng.normal(size=1000), source))
    moved = within.moved(rng.normal(size=1000), source)
    assert (moved < 0).mean() == pytest.approx(0.8, abs=0.05)


def test_ties_are_values_of_many_rows():
    values = np.r_[np.full(50, 1.0), np.arange(1000.0), np.nan]
    assert ties_of(values).tolist() == [1.0]
    assert ties_of(np.full(3, np.nan)).tolist() == []


@pytest.mark.parametrize("protects", [False, True])
def test_new_rows_lie_where_levels_have_them(protects):
    table = make_shares(3000)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=60, protect_values=protects, random_state=0
    ).fit(table)
    encoder = synthesizer._model.encoders[0]
    if protects:
        assert encoder.focus_.moves == []
        return
    assert [move.target for move in encoder.focus_.moves] == [1]
    rows = synthesizer.sample(6000, random_state=1)
    focus, encoder.focus_ = encoder.focus_, Focus()
    blurred = synthesizer.sample(6000, random_state=1)
    encoder.focus_ = focus
    assert np.mean(distances(table, blurred)) > 0.1
    assert np.mean(distances(table, rows)) < 0.06
