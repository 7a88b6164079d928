"""Numbers that are drawn near to others, against those of real rows."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, spearmanr

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._focusing._beside import Near
from sklearn_tabsyn._focusing._focus import Focus
from sklearn_tabsyn._focusing._near import find_near, focus_near
from sklearn_tabsyn._table import TableSchema


def make_bills(n_rows=6000, seed=0, blur=0.0):
    """Bills, most of which are a little below the one before, and what is paid."""
    rng = np.random.default_rng(seed)
    before = rng.lognormal(8, 1, n_rows)
    share = np.where(rng.random(n_rows) < 0.7, rng.normal(0.97, 0.004, n_rows), 1.0)
    share = np.where(share == 1, rng.lognormal(0, 0.5, n_rows), share)
    share *= np.exp(blur * rng.normal(size=n_rows))
    bill = (before * share).round(2)
    last = bill * rng.normal(0.97, 0.004, n_rows)
    last *= np.exp(1.5 * blur * rng.normal(size=n_rows))
    paid = before * rng.random(n_rows)
    columns = {"before": before, "bill": bill, "last": last, "paid": paid}
    return pd.DataFrame(columns).round(2)


def everywhere(table, unit):
    """All rows may be moved."""
    return np.ones(len(table), dtype=bool)


def canonical(table):
    """Return the schema and the canonical values of a table."""
    schema = TableSchema.from_table(table)
    return schema, schema.read(table)


def learned(real, drawn):
    """Return the focus of drawn rows, and their canonical values."""
    schema, frame = canonical(real)
    drawn = schema.read(drawn)
    axes, ways = find_near(schema.columns, frame, [0, 1, 2, 3])
    tables = ((table, partial(everywhere, table)) for table in (frame, drawn))
    focus, (real, others) = Focus(axes), tables
    focus_near(focus, ways, real, np.ones(len(frame)), others)
    return focus, drawn


def distance(real, rows, pair=("bill", "before")):
    """Return how far the ratios of two columns are off."""
    ratios = [np.log(table[pair[0]] / table[pair[1]]) for table in (real, rows)]
    return ks_2samp(*(ratio[np.abs(ratio) < 0.3] for ratio in ratios)).statistic


def test_blurred_numbers_are_spread_as_real_ones_and_keep_their_order():
    real, blurred = make_bills(), make_bills(seed=1, blur=0.05)
    focus, drawn = learned(real, blurred)
    assert {near.target for near in focus.moves} == {1, 2}
    before = drawn.copy()
    rows = focus.sharpen(drawn, partial(everywhere, drawn))
    pd.testing.assert_frame_equal(drawn, before)
    rows.columns = drawn.columns = real.columns
    for near in focus.moves:
        pair = [real.columns[j] for j in (near.target, near.source)]
        assert distance(real, drawn, pair) > 0.2
        assert distance(real, rows, pair) < 0.04
    others = ["before", "paid"]
    pd.testing.assert_frame_equal(rows[others], drawn[others])
    # Rows of about the same source keep the order of their ratios.
    [target] = (near.target for near in focus.moves if near.source == 0)
    some = drawn["before"].between(2900, 3100)
    ratios = [(t.iloc[:, target] / t["before"])[some] for t in (drawn, rows)]
    assert spearmanr(*ratios).statistic > 0.95
    assert np.abs(np.log(rows["last"] / drawn["last"])).max() < 0.3


def test_nothing_is_moved_where_rows_are_as_real_ones():
    focus, _ = learned(make_bills(), make_bills(seed=1))
    assert focus.moves == []


def test_ties_and_rows_that_are_not_free_stay():
    real, blurred = make_bills(), make_bills(seed=1, blur=0.05)
    for table in (real, blurred):
        table.loc[::10, "bill"] = 3000.0
    focus, drawn = learned(real, blurred)
    assert focus.moves
    held = np.arange(len(drawn)) % 2 == 0
    moved = focus.sharpen(drawn, lambda unit: ~held)
    assert (moved[held] == drawn[held]).all(axis=None)
    assert (moved[1][::10] == drawn[1][::10]).all()
    assert (moved[1] != drawn[1]).mean() > 0.15


@pytest.mark.parametrize("ratio", [True, False])
def test_weights_count_as_rows(ratio):
    rng = np.random.default_rng(0)
    source = rng.normal(10, 1, 1000)
    rest = np.where(np.arange(1000) < 500, -0.1, 0.1) + rng.normal(0, 0.01, 1000)
    target = source * np.exp(rest) if ratio else source + rest
    blurred = np.linspace(-0.2, 0.2, 1000)
    others = source * np.exp(blurred) if ratio else source + blurred
    near = Near(1, 0, ratio, 0.3)
    weights = np.where(np.arange(1000) < 500, 1.6, 0.4)
    near.learn((target, source), weights, (others, source))
    moved = near.rest(near.moved(others, source), source)
    assert (moved < 0).mean() == pytest.approx(0.8, abs=0.03)


def test_gaps_and_far_numbers_are_left():
    near = Near(1, 0, True, 0.3, real=[np.array([-0.3, 0.0, 0.3])])
    near.drawn = [np.array([-0.3, 0.1, 0.3])]
    target = np.array([1.0, np.nan, -1.0, 5.0, np.exp(0.1)])
    moved = near.moved(target, np.array([1.0, 1.0, 1.0, 1.0, 1.0]))
    assert np.isnan(moved[1:4]).all()
    assert moved[4] == pytest.approx(1)
    assert Focus().sharpen(pd.DataFrame({0: target}), None)[0].equals(pd.Series(target))


def test_new_rows_are_in_focus_and_given_numbers_stay():
    table = make_bills(3000).drop(columns="last")
    how = {"hidden_dim": 32, "max_iter": 150, "conditional": True, "random_state": 0}
    synthesizer = DiffusionSynthesizer(**how).fit(table)
    encoder = synthesizer._model.encoders[0]
    assert len(encoder.focus_.moves) == 1
    rows = synthesizer.sample(4000, random_state=1)
    focus, encoder.focus_ = encoder.focus_, Focus()
    blurred = synthesizer.sample(4000, random_state=1)
    encoder.focus_ = focus
    assert distance(table, blurred) > 0.1
    assert distance(table, rows) < 0.06
    given = {"bill": 1000.0, "before": 1030.0}
    rows = synthesizer.sample(20, conditions=given)
    assert (rows["bill"] == 1000).all()
    assert (rows["before"] == 1030).all()


@pytest.mark.parametrize("protects", [False, True])
def test_protected_numbers_are_not_learned_from(protects):
    synthesizer = DiffusionSynthesizer(
        protect_values=protects, max_iter=5, hidden_dim=8, random_state=0
    )
    encoder = synthesizer.fit(make_bills(800))._model.encoders[0]
    assert bool(encoder.focus_.moves) is not protects
