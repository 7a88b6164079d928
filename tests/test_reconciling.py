"""Numbers that formulas tie together are moved as little as they are sure."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import find_relations, find_texts
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._relations._products import Product
from sklearn_tabsyn._relations._reconciling import Ties, find_ties, reconciled
from sklearn_tabsyn._relations._sums import WeightedSum


def make_beans(n_rows=2000, seed=0):
    """Beans, whose ratios vary much less than how large they are."""
    rng = np.random.default_rng(seed)
    solid = (1 - rng.beta(2, 400, n_rows)).round(6)
    long = rng.normal(1.6, 0.2, n_rows).round(6)
    area = rng.lognormal(10, 0.5, n_rows).round()
    table = pd.DataFrame({"area": area, "hull": (area / solid).round()})
    table["solid"] = (area / table["hull"]).round(9)
    table["width"] = np.sqrt(area / long).round(6)
    table["length"] = (table["width"] * long).round(6)
    table["long"] = (table["length"] / table["width"]).round(9)
    return table


def test_ratios_of_numbers_that_hardly_differ_are_as_narrow_as_they_were():
    table = make_beans()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=200, conditional=True, random_state=0
    ).fit(table)
    assert "solid = area / hull" in [str(found) for found in synthesizer.relations_]
    rows = synthesizer.sample(2000)
    for name in table:
        assert ks_2samp(rows[name], table[name]).statistic < 0.12
    np.testing.assert_allclose(rows["solid"], rows["area"] / rows["hull"], atol=1e-9)
    rows = synthesizer.sample(200, conditions={"area": 30_000.0, "solid": 0.99})
    assert (rows["area"] == 30_000).all()
    np.testing.assert_allclose(rows["hull"], 30_303, atol=1)
    # What others leave no choice of, and what follows from that.
    given = {"hull": 30_000.0, "solid": 0.99, "long": 1.5}
    with pytest.warns(UserWarning, match="meet all of it exactly"):
        rows = synthesizer.sample(200, conditions=given)  # but area = width * length
    assert (rows["area"] == 29_700).all()
    np.testing.assert_allclose(rows["length"], 1.5 * rows["width"], rtol=1e-6)


def test_linear_formulas_are_solved_exactly_and_by_the_scales():
    total = WeightedSum(0, (1, 2), (1.0, 1.0))
    values = {0: np.array([10.0]), 1: np.array([4.0]), 2: np.array([3.0])}
    scales = {0: np.array([1.0]), 1: np.array([1.0]), 2: np.array([2.0])}
    moved = reconciled([total], values, scales)
    # The error of 3 is shared like the squares 1, 1 and 4.
    np.testing.assert_allclose([moved[j][0] for j in range(3)], [9.5, 4.5, 5.0])
    scales[0] = np.zeros(1)
    moved = reconciled([total], values, scales)
    np.testing.assert_allclose([moved[j][0] for j in range(3)], [10, 4.6, 5.4])


def test_formulas_that_share_columns_hold_together():
    rng = np.random.default_rng(0)
    width, length = rng.lognormal(1, 0.3, (2, 500))
    clean = np.stack([width, length, width * length, length / width, width + length])
    drawn = clean * np.exp(rng.normal(0, 0.05, clean.shape))
    formulas = [
        Product(2, (0, 1), (1, 1)),
        Product(3, (1, 0), (1, -1)),
        WeightedSum(4, (0, 1), (1.0, 1.0)),
    ]
    scales = {j: 0.05 * part for j, part in enumerate(clean)}
    moved = reconciled(formulas, dict(enumerate(drawn)), scales)
    for formula in formulas:
        made = formula.made(*(moved[j] for j in formula.sources))
        np.testing.assert_allclose(moved[formula.target], made, rtol=1e-4)
    # What five drawn numbers tell is nearer than what two do.
    off = [
        np.abs(np.log(part[j] / clean[j])).mean()
        for j in (0, 1)
        for part in (moved, drawn)
    ]
    assert off[0] < 0.8 * off[1]
    assert off[2] < 0.8 * off[3]


def test_rows_of_which_nothing_comes_stay():
    ratio = Product(0, (1, 2), (1, -1))
    values = {0: np.ones(3), 1: np.array([np.nan, 2.0, 2.0]), 2: np.array([1.0, 0, 1])}
    moved = reconciled([ratio], values, {j: np.ones(3) for j in range(3)})
    for j in range(3):
        np.testing.assert_array_equal(moved[j][:2], values[j][:2])
    assert moved[0][2] == pytest.approx(moved[1][2] / moved[2][2], rel=1e-3)


def test_nothing_is_moved_where_nothing_may_be():
    total = WeightedSum(0, (1, 2), (1.0, 1.0))
    values = {0: np.array([10.0]), 1: np.array([4.0]), 2: np.array([3.0])}
    moved = reconciled([total], values, {j: np.zeros(1) for j in range(3)})
    assert [moved[j][0] for j in range(3)] == [10, 4, 3]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.5, 2), min_size=3, max_size=3),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.sampled_from([1, -1, -2]),
)
def test_products_hold_after_few_steps(numbers, scales, power):
    product = Product(0, (1, 2), (1, power))
    values = {j: np.array([number]) for j, number in enumerate(numbers)}
    values[0] = 1.2 * product.made(values[1], values[2])
    scales = {j: 0.2 * values[j] * scale for j, scale in enumerate(scales)}
    moved = reconciled([product], values, scales)
    made = product.made(moved[1], moved[2])
    np.testing.assert_allclose(moved[0], made, rtol=1e-3)


def test_a_product_of_more_columns_is_found():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.lognormal(3, 0.3, (1000, 3)).round(2), columns=list("abc"))
    table["volume"] = (table["a"] * table["b"] * table["c"]).round(2)
    assert "volume = a * b * c" in find_texts(table)


def test_powers_of_several_columns_are_found():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.lognormal(3, 0.3, (1000, 2)).round(2), columns=["a", "b"])
    table["radius"] = np.sqrt(table["a"] * table["b"] / np.pi).round(8)
    [relation] = find_relations(table)
    assert str(relation) == "radius = 0.564189584 * a ** 0.5 * b ** 0.5"
    assert (relation.kind, relation.weights) == ("product", (0.5, 0.5))


def test_repeated_numbers_stay_and_held_ones_are_sure():
    rng = np.random.default_rng(0)
    columns = {
        1: rng.lognormal(3, 1, 2000).round(2),  # amounts
        2: rng.choice(rng.lognormal(2, 1, 300).round(2), 2000),  # prices
        3: rng.poisson(500, 2000).astype(float),
        4: np.where(rng.random(2000) < 0.9, 0.0, rng.gamma(2, 1, 2000).round(2)),
        5: rng.normal(size=2000),
    }
    total = WeightedSum(0, (1, 2, 3, 4, 5), (1.0, 1.0, 1.0, 1.0, 0.0))
    columns[0] = total.made(*columns.values())
    # What is left of it when all but the prices and rare amounts are taken away.
    rest = WeightedSum(6, (0, 1, 3, 5), (1.0, -1.0, -1.0, 0.0))
    columns[6] = rest.made(*(columns[j] for j in rest.sources))
    axes = {j: SimpleNamespace(unit=0.01, least=lambda _: 0.01) for j in columns}
    axes[3].unit = 1.0
    ties = find_ties([total, rest], axes, columns.get, held={5})
    assert ties.formulas == [total, rest]
    moves = {j: number.moves for j, number in ties.numbers.items()}
    assert moves == {0: True, 1: True, 2: False, 3: True, 4: False, 6: True}
    # A sum of its parts varies as they do.
    assert find_ties([total], axes, columns.get, set()) == Ties([], {})
