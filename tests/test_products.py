"""Products and quotients of numbers: found, drawn and asked for."""

import numpy as np
import pandas as pd
import pytest
from conftest import find_relations, find_texts

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._relations._products import Product


def make_sales(n_rows=2000, seed=0):
    """Sales of goods by pieces, with tax, and what a gram of each costs."""
    rng = np.random.default_rng(seed)
    price = rng.lognormal(3, 1, n_rows).round(2)
    pieces = rng.geometric(0.2, n_rows)
    grams = rng.integers(50, 3000, n_rows)
    table = pd.DataFrame({"price": price, "pieces": pieces, "grams": grams})
    table["amount"] = (table["price"] * table["pieces"]).round(2)
    table["per_gram"] = (table["price"] / table["grams"]).round(5)
    table["tax"] = (0.19 * table["amount"]).round(2)
    table["noise"] = rng.lognormal(3, 1, n_rows)
    return table


def check(rows):
    """Assert that all products are what they should be."""
    np.testing.assert_allclose(
        rows["amount"], (rows["price"] * rows["pieces"]).round(2), atol=1e-6
    )
    np.testing.assert_allclose(
        rows["per_gram"], (rows["price"] / rows["grams"]).round(5), atol=1e-9
    )
    np.testing.assert_allclose(rows["tax"], 0.19 * rows["amount"], atol=0.00501)


def test_products_are_found_and_hold_in_new_rows():
    table = make_sales()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=True, random_state=0
    ).fit(table)
    assert [str(relation) for relation in synthesizer.relations_] == [
        "tax = 0.19 * amount",
        "amount = price * pieces",
        "per_gram = price / grams",
    ]
    check(synthesizer.sample(3000))
    rows = synthesizer.sample(300, conditions={"pieces": 3})
    assert (rows["pieces"] == 3).all()
    check(rows)
    rows = synthesizer.sample(300, conditions={"amount": 240.0, "pieces": 4})
    assert (rows["amount"] == 240).all()
    assert (rows["price"] == 60).all()
    check(rows)
    # It takes more pieces than may have been drawn, for no price is so high.
    assert table["price"].max() < 600
    rows = synthesizer.sample(300, conditions={"amount": 1077.0})
    off = np.abs(rows["price"] * rows["pieces"] - 1077)
    assert (off <= 0.00501 * rows["pieces"]).all()  # a cent has no parts


def test_gaps_and_divisors_of_zero_are_no_contradiction():
    table = make_sales().astype(float)
    table.loc[::7, "price"] = np.nan
    table.loc[::5, "grams"] = 0
    table.loc[::5, "per_gram"] = np.nan
    assert "amount = price * pieces" in find_texts(table)
    assert "per_gram = price / grams" in find_texts(table)
    assert (table["amount"][::7] > 0).all()


@pytest.mark.parametrize("change", ["most rows", "coarse", "few", "unrelated"])
def test_what_only_seems_a_product_is_none(change):
    table = make_sales()[["price", "pieces", "amount"]]
    if change == "most rows":
        table.loc[table.index % 4 > 0, "amount"] *= 1.2
    elif change == "coarse":
        table["amount"] = (table["amount"] / 1000).round(1)
    elif change == "few":
        table = table.head(10)
    else:
        table["amount"] = make_sales(seed=1)["amount"]
    kinds = [relation.kind for relation in find_relations(table)]
    assert not {"product", "quotient"} & {*kinds}


def make_loans(n_rows=3000, seed=0):
    """Loans and incomes, and the share they are of these, in percent."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"income": rng.lognormal(10.9, 0.5, n_rows).round(-1)})
    loan = rng.lognormal(9, 0.6, n_rows).clip(500, 35_000)
    table["loan"] = (loan / 25).round() * 25
    table["share"] = (table["loan"] / table["income"]).round(2)
    return table


def test_a_coarse_quotient_of_few_values_is_found_though_a_few_rows_are_mistaken():
    table = make_loans()
    assert table["share"].nunique() < 128
    table.loc[::300, "share"] = (0.8 * table["share"] - 0.01).round(2).clip(0)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=True, random_state=0
    ).fit(table)
    [relation] = synthesizer.relations_
    assert str(relation).startswith("share = loan / income in 99.")
    assert relation.share == pytest.approx(0.997, abs=0.001)

    def check(rows):
        made = rows["loan"] / rows["income"]
        np.testing.assert_allclose(rows["share"], made, atol=0.00501)

    rows = synthesizer.sample(2000)
    check(rows)
    assert rows["share"].between(table["share"].min(), table["share"].max()).all()
    rows = synthesizer.sample(200, conditions={"share": 0.25, "loan": 10_000.0})
    assert (rows["share"] == 0.25).all()
    check(rows)


def test_a_constant_is_no_quotient_of_equal_columns():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(50, 9, 1000)})
    table["b"] = table["a"]
    table["c"] = 4000 / 3 + rng.choice([0, 2.3e-13, 4.6e-13], 1000)
    assert find_texts(table) == ["b = a"]


def test_dummies_times_a_number_are_no_product_of_others():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 2, (1000, 3)), columns=list("abc"))
    table["x"] = rng.normal(size=1000)
    assert find_texts(table) == []


def test_constants_and_squares_are_found_and_hold_in_new_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"deaths": rng.poisson(rng.gamma(1, 200, 2000))})
    table["people"] = rng.lognormal(13, 1, 2000).round().astype(int)
    table["rate"] = (1e5 * table["deaths"] / table["people"]).round(2)
    table["height"] = rng.normal(172, 9, 2000).round(1)
    table["weight"] = (0.0024 * table["height"] ** 2 + rng.normal(0, 9, 2000)).round(1)
    table["bmi"] = (1e4 * table["weight"] / table["height"] ** 2).round(1)
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=True, random_state=0
    ).fit(table)
    rate, bmi = synthesizer.relations_
    assert str(rate) == "rate = 100000 * deaths / people"
    assert str(bmi) == "bmi = 10000 * weight / height / height"
    assert (bmi.kind, bmi.constant) == ("quotient", 10000.0)

    def check(rows):
        made = 1e5 * rows["deaths"] / rows["people"]
        np.testing.assert_allclose(rows["rate"], made, atol=0.00501)
        made = 1e4 * rows["weight"] / rows["height"] ** 2
        np.testing.assert_allclose(rows["bmi"], made, atol=0.0501)

    check(synthesizer.sample(2000))
    rows = synthesizer.sample(300, conditions={"bmi": 25.0, "weight": 80.0})
    assert (rows["bmi"] == 25).all()
    np.testing.assert_allclose(rows["height"], 178.9, atol=0.3)
    check(rows)


def test_what_is_rounded_down_is_found_and_holds_in_new_rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"area": rng.uniform(300, 900, 2000).round(1)})
    table["part"] = (table["area"] * rng.beta(8, 4, 2000)).round(1)
    table["share"] = np.floor(table["part"] / table["area"] * 1e4) / 1e4
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=True, random_state=0
    ).fit(table)
    [relation] = [r for r in synthesizer.relations_ if r.kind == "quotient"]
    assert str(relation) == "share = part / area, rounded down"
    rows = synthesizer.sample(2000)
    off = rows["part"] / rows["area"] - rows["share"]
    assert off.between(-1e-6, 1.01e-4).all()
    rows = synthesizer.sample(200, conditions={"share": 0.7, "area": 500.0})
    assert rows["part"].between(349.9, 350.1).all()


@pytest.mark.parametrize("power", [1, -1, -2])
def test_what_a_source_should_be_makes_the_target(power):
    product = Product(0, (1, 2), (1, power), 2.5)
    sources, target = [np.array([3.0, 4.0]), np.array([2.0, 5.0])], np.array([7.0, 0.1])
    for place in range(2):
        moved = list(sources)
        moved[place] = product.invert(place, target, sources)
        np.testing.assert_allclose(product.made(*moved), target)
