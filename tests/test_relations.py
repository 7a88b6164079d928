"""Exact relations between columns: found, learned and kept, and none by chance."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._table import TableSchema


def make_bills(n_rows=3000, seed=0):
    """Bills, a fifth of them paid in full, some not at all."""
    rng = np.random.default_rng(seed)
    bill = rng.lognormal(8, 1, n_rows).round().astype(int)
    paid = (bill * rng.random(n_rows)).round().astype(int)
    paid = np.where(rng.random(n_rows) < 0.2, bill, paid)
    paid = np.where(rng.random(n_rows) < 0.1, 0, paid)
    return pd.DataFrame({"bill": bill, "paid": paid, "other": rng.permutation(bill)})


def find(table):
    """Return the relations of a table, and its canonical values."""
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema)
    frame = schema.read(table)
    encoder.fit(frame)
    return encoder.relations_, frame


def test_links_are_found_and_chance_is_not():
    table = make_bills()
    relations, frame = find(table)
    [link] = relations.marked
    assert (link.target, link.source) == (1, 0)
    assert link.common.tolist() == [0]
    equal = (table["paid"] == table["bill"]).to_numpy()
    marks = relations.marks(link, frame)
    np.testing.assert_array_equal(marks, equal & (table["paid"] != 0))


def test_columns_of_few_values_are_equal_by_chance():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 40, (5000, 3)).astype(float))
    assert find(table)[0].listed == []


def test_chains_of_links_are_decoded_from_their_end():
    rng = np.random.default_rng(0)
    first = rng.normal(size=2000)
    second = np.where(rng.random(2000) < 0.5, first, rng.normal(size=2000))
    third = np.where(rng.random(2000) < 0.5, second, rng.normal(size=2000))
    table = pd.DataFrame({"a": first, "b": second, "c": third})
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema)
    rows = encoder.fit(schema.read(table))
    targets = [link.target for link in encoder.relations_.marked]
    assert targets == [1, 2]
    values = rows.low + np.float32(1e-3)  # not exactly the same any more
    back = schema.restore(encoder.decode(values, rows.levels))
    for a, b in (("a", "b"), ("b", "c")):
        linked = (table[a] == table[b]).to_numpy()
        assert (back[a] == back[b])[linked].all()
        assert not (back[a] == back[b])[~linked].any()


def test_missing_sources_are_not_copied():
    table = make_bills().astype(float)
    table.loc[::7, "bill"] = np.nan
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema)
    rows = encoder.fit(schema.read(table))
    [(_, place)] = encoder._link_places()
    levels = np.maximum(rows.levels, 0)
    levels[:, place] = 1
    back = schema.restore(encoder.decode(np.nan_to_num(rows.low), levels))
    known = back["bill"].notna()
    assert back["paid"].notna().all()
    assert known.mean() == pytest.approx(6 / 7, abs=0.01)


def test_equal_shares_are_learned():
    table = make_bills()
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    real, new = ((t["paid"] == t["bill"]).mean() for t in (table, rows))
    assert new == pytest.approx(real, abs=0.03)
    assert (rows["paid"] == rows["other"]).mean() < 0.01
    assert (rows["paid"] == 0).mean() == pytest.approx(0.1, abs=0.03)
