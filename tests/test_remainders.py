"""Sums that lack one of few amounts: found, learned, drawn and asked for."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import find_texts

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer

FEES = {"day": [0.8, 3.3], "night": [1.3, 3.8], "airport": [4.5, 7.0]}


def make_rides(n_rows=3000, seed=0):
    """Rides, whose total has a fee beside fare and tip that depends on their kind."""
    rng = np.random.default_rng(seed)
    kind = rng.choice([*FEES], n_rows, p=[0.6, 0.3, 0.1])
    fee = np.array([rng.choice(FEES[k]) for k in kind])
    fare = (2.5 + 0.5 * rng.gamma(2, 8, n_rows).round()).round(2)
    tip = np.where(rng.random(n_rows) < 0.4, 0, (fare * rng.uniform(0.1, 0.3, n_rows)))
    table = pd.DataFrame({"kind": kind, "fare": fare, "tip": tip.round(2)})
    table["total"] = (table["fare"] + table["tip"] + fee).round(2)
    return table


def fees(rows):
    """Return what the total has beside fare and tip."""
    return (rows["total"] - rows["fare"] - rows["tip"]).round(2)


@pytest.fixture(scope="module")
def fitted():
    """Return a synthesizer of rides that draws whole and given rows."""
    return DiffusionSynthesizer(
        hidden_dim=64, max_iter=1000, conditional=True, random_state=0
    ).fit(make_rides())


def test_amounts_are_listed_with_their_shares(fitted):
    table = make_rides()
    for relation in fitted.relations_:
        assert (relation.kind, relation.target) == ("sum", "total")
        assert set(relation.source) == {"fare", "tip"}
        share = (fees(table) == relation.constant).mean()
        assert relation.share == pytest.approx(share, abs=1e-9)
    assert len(fitted.relations_) == 6
    assert find_texts(table)[0].startswith("total = fare + tip + 0.8 in ")


def test_new_rows_have_one_of_them_that_suits_the_others(fitted):
    table, rows = make_rides(), fitted.sample(3000)
    assert set(fees(rows)) <= set(fees(table))
    for amount, share in fees(table).value_counts(normalize=True).items():
        assert (fees(rows) == amount).mean() == pytest.approx(share, abs=0.04)
    suits = [
        fee in FEES[kind] for fee, kind in zip(fees(rows), rows["kind"], strict=True)
    ]
    assert np.mean(suits) > 0.95
    assert rows["total"].mean() == pytest.approx(table["total"].mean(), rel=0.06)
    again = pickle.loads(pickle.dumps(fitted)).sample(50, random_state=1)
    pd.testing.assert_frame_equal(again, fitted.sample(50, random_state=1))


def test_given_totals_and_parts_stay(fitted):
    rows = fitted.sample(500, conditions={"total": 20.8})
    assert (rows["total"] == 20.8).all()
    assert fees(rows).isin(set(fees(make_rides()))).mean() > 0.95
    rows = fitted.sample(500, conditions={"total": 20.8, "fare": 12.0, "tip": 5.5})
    assert (fees(rows) == 3.3).all()


def test_gaps_are_filled_by_it():
    table = make_rides()
    whole = table["total"].copy()
    table.loc[::4, "total"] = np.nan
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=100, conditional=1.0)
    imputer = DiffusionImputer(synthesizer, random_state=0).set_output(
        transform="pandas"
    )
    filled = imputer.fit_transform(table)
    assert fees(filled).isin(set(fees(make_rides()))).all()
    np.testing.assert_array_equal(filled["total"][1::4], whole[1::4])


@pytest.mark.parametrize("change", ["many amounts", "other rows", "no unit"])
def test_other_sums_have_none(change):
    table, rng = make_rides(), np.random.default_rng(1)
    if change == "many amounts":
        table["total"] += rng.choice(50, len(table)) / 10
    elif change == "other rows":
        table.loc[::50, "total"] += rng.random(len(table[::50])).round(2)
    else:
        table["total"] += rng.random(len(table))
    assert not [text for text in find_texts(table) if "fare + tip" in text]
