"""Products and quotients that hold in some rows: found, drawn and asked for."""

import numpy as np
import pandas as pd
import pytest
from conftest import find_relations

from sklearn_tabsyn import DiffusionSynthesizer


def make_sales(n_rows=3000, seed=0, share=0.7):
    """Sales of which some are cheaper, and rates of calls that sometimes are others."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"price": rng.lognormal(3, 1, n_rows).round(2)})
    table["pieces"] = rng.geometric(0.2, n_rows)
    cheaper = rng.random(n_rows) > share
    off = np.where(cheaper, rng.uniform(0.5, 0.95, n_rows), 1)
    table["amount"] = (table["price"] * table["pieces"] * off).round(2)
    table["calls"] = np.where(
        rng.random(n_rows) < 0.6, 255, rng.integers(1, 255, n_rows)
    )
    table["failed"] = rng.binomial(table["calls"], rng.beta(1, 3, n_rows))
    rate = (table["failed"] / table["calls"]).round(2)
    table["rate"] = np.where(
        rng.random(n_rows) < 0.2, rng.random(n_rows).round(2), rate
    )
    return table


def holds(rows):
    """Return in which rows the product, and the quotient, holds."""
    amount = np.abs(rows["amount"] - rows["price"] * rows["pieces"]) <= 0.00501
    return amount, np.abs(rows["rate"] - rows["failed"] / rows["calls"]) <= 0.00501


def kinds_of(table):
    """Return the kinds of the relations of a table."""
    return [relation.kind for relation in find_relations(table)]


def test_they_are_found_and_hold_in_as_many_new_rows():
    table = make_sales()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=400, conditional=True, random_state=0
    ).fit(table)
    found = {relation.target: relation for relation in synthesizer.relations_}
    for name, real in zip(("amount", "rate"), holds(table), strict=True):
        assert found[name].share == pytest.approx(real.mean())
    assert str(found["amount"]).startswith("amount = price * pieces in 69.")
    assert str(found["rate"]).startswith("rate = failed / calls in 79.")
    rows = synthesizer.sample(4000)
    for real, drawn in zip(holds(table), holds(rows), strict=True):
        assert drawn.mean() == pytest.approx(real.mean(), abs=0.04)
    assert rows["rate"].between(0, 1).all()
    asked = {"amount": 120.0, "pieces": 4}
    rows = synthesizer.sample(1000, conditions=asked)
    assert (rows["amount"] == 120).all()
    assert (rows["pieces"] == 4).all()
    # either nothing is taken off, or a price above that
    assert (rows["price"] == 30).mean() == pytest.approx(0.7, abs=0.15)
    assert (rows["price"] >= 29.9).mean() > 0.9


def test_without_the_search_they_seldom_hold():
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=400, find_relations=False, random_state=0
    ).fit(make_sales())
    assert holds(synthesizer.sample(2000))[0].mean() < 0.2


def test_what_holds_in_all_rows_is_no_partial_product():
    table = make_sales(share=1.0)
    [relation] = [r for r in find_relations(table) if r.target == "amount"]
    assert (relation.kind, relation.share) == ("product", 1)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_few_rows_are_not_enough(share):
    assert "product" not in kinds_of(make_sales(share=share))


def test_a_copy_is_no_product_with_a_number_that_is_often_one():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.lognormal(3, 1, 2000).round(2)})
    table["b"] = np.where(rng.random(2000) < 0.6, 1, rng.integers(2, 9, 2000))
    table["c"] = np.where(
        table["b"] == 1, table["a"], rng.lognormal(3, 1, 2000).round(2)
    )
    assert not {"product", "quotient"} & {*kinds_of(table)}


def test_what_is_only_near_a_product_is_none():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.uniform(50, 90, 3000).round()})
    table["b"] = rng.uniform(0.4, 0.9, 3000).round(2)
    table["c"] = (table["a"] * table["b"] + rng.normal(0, 0.6, 3000)).round()
    near = np.abs(table["c"] - table["a"] * table["b"]) <= 0.5
    assert near.mean() > 0.45
    assert not {"product", "quotient"} & {*kinds_of(table)}


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_numbers_raise_no_false_alarm(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        rng.lognormal(1, 1, (1000, 8)).round(2), columns=list("abcdefgh")
    )
    table["few"] = rng.integers(0, 12, 1000)
    table["rate"] = rng.random(1000).round(2)
    table["zeros"] = np.where(rng.random(1000) < 0.8, 0, rng.random(1000).round(3))
    assert not {"product", "quotient"} & {*kinds_of(table)}
