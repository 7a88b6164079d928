"""Values of two columns that are found together, where many others never are."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._relations._combinations import find_combinations
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._table import TableSchema

TOGETHER = [("month", "day"), ("heat", "felt"), ("shop", "good"), ("good", "maker")]


def make_sales(n_rows=8000, seed=0):
    """Sales: none on 30 February, and each shop and maker has a few goods only."""
    rng = np.random.default_rng(seed)
    day = pd.date_range("2023-01-01", "2023-12-31")[rng.integers(0, 365, n_rows)]
    heat = (15 - 12 * np.cos(day.month / 1.91) + rng.uniform(-9, 9, n_rows)).round()
    felt = 2 * np.rint(0.6 * heat + rng.uniform(-3, 3, n_rows))
    shop = rng.integers(0, 30, n_rows)
    good = (7 * shop + 5 * rng.integers(0, 8, n_rows)) % 60
    maker = (11 * good + 3 * rng.integers(0, 5, n_rows)) % 40
    return pd.DataFrame(
        {
            "month": day.month,
            "day": day.day,
            "shop": [f"shop {k}" for k in shop],
            "good": [f"good {k}" for k in good],
            "maker": [f"maker {k}" for k in maker],
            "heat": heat,
            "felt": felt + 1 * (heat % 3 == 0),
            "price": rng.lognormal(4 + 0.01 * heat + 0.1 * (good % 7), 0.3).round(2),
        }
    )


def find(table, min_count=1):
    """Return the combinations of a table, and the names of their columns."""
    schema = TableSchema.from_table(table)
    is_name = [column.kind == "category" for column in schema.columns]
    kinds = ["nominal" if name else "discrete" for name in is_name]
    kinds[table.columns.get_loc("price")] = "continuous"
    relations = find_relations(schema.columns, kinds, schema.read(table), min_count)
    found = relations.combinations
    names = [table.columns[part.unit] for part in found.levels]
    return found, [(names[pair.first], names[pair.second]) for pair in found.pairs]


def pairs_of(table, names):
    """Return the pairs of values of two columns."""
    return set(table[list(names)].itertuples(index=False, name=None))


def make_synthesizer(**parameters):
    return DiffusionSynthesizer(
        hidden_dim=32, max_iter=150, random_state=0, **parameters
    )


def test_only_what_is_found_together_is_drawn():
    sales = make_sales()
    rows = make_synthesizer().fit(sales).sample(4000)
    for names in TOGETHER:
        assert pairs_of(rows, names) <= pairs_of(sales, names), names
    for name in ("month", "day", "heat", "felt"):
        assert rows[name].mean() == pytest.approx(sales[name].mean(), rel=0.05)
        assert rows[name].std() == pytest.approx(sales[name].std(), rel=0.1)
    for name in ("shop", "good", "maker"):
        shares = [t[name].value_counts(normalize=True) for t in (rows, sales)]
        assert (shares[0] - shares[1]).abs().sum() / 2 < 0.1
    loose = make_synthesizer(find_relations=False).fit(sales).sample(4000)
    for names in TOGETHER:
        assert pairs_of(loose, names) - pairs_of(sales, names), names


def test_numbers_and_names_are_told_apart():
    found, names = find(make_sales())
    assert set(TOGETHER) <= set(names)
    ordered = {part.unit for part in found.levels if part.ordered}
    assert ordered == {0, 1, 5, 6}
    assert not any(part.held for part in found.levels)


def test_given_values_stay_and_others_suit_them():
    sales = make_sales()
    synthesizer = make_synthesizer(conditional=True).fit(sales)
    asked = {"day": 30, "maker": "maker 7"}
    rows = synthesizer.sample(500, conditions=asked)
    assert (rows[list(asked)] == pd.Series(asked)).all(axis=None)
    assert 2 not in set(rows["month"])
    for names in TOGETHER:  # a shop follows the good that follows the maker
        assert pairs_of(rows, names) <= pairs_of(sales, names), names


def test_what_is_filled_suits_the_rest():
    sales = make_sales()
    gappy = sales.copy()
    for place, name in enumerate(["day", "shop", "heat"]):
        gappy.loc[place::10, name] = None
    synthesizer = make_synthesizer(conditional=1.0)
    filled = DiffusionImputer(synthesizer, random_state=0).fit_transform(gappy)
    there = gappy.notna()
    assert filled.notna().all(axis=None)
    assert (filled == gappy).where(there, True).all(axis=None)
    for names in TOGETHER:
        assert pairs_of(filled, names) <= pairs_of(sales, names), names


def test_pairs_of_few_rows_are_protected():
    sales = make_sales()
    odd = ("shop 0", "good 1")
    assert odd not in pairs_of(sales, ("shop", "good"))
    sales.loc[7, ["shop", "good"]] = odd
    for min_count, is_kept in ((1, True), (5, False)):
        found, names = find(sales, min_count)
        pair = found.pairs[names.index(("shop", "good"))]
        assert pair.possible.sum() == 240 + is_kept


def test_missing_values_are_values_like_others():
    sales = make_sales()
    sales["good"] = sales["good"].mask(sales["shop"].isin([f"shop {k}0" for k in "12"]))
    assert ("shop", "good") in find(sales)[1]
    rows = make_synthesizer().fit(sales).sample(4000)
    missing = rows["good"].isna()
    assert set(rows["shop"][missing]) == {"shop 10", "shop 20"}
    assert missing.mean() == pytest.approx(2 / 30, abs=0.04)


@pytest.mark.parametrize("n_rows", [60, 400, 4000, 20_000])
def test_pairs_that_are_only_rare_are_not_ruled_out(n_rows):
    rng = np.random.default_rng(n_rows)
    table = rng.integers(0, 5 + 6 * np.arange(12), (n_rows, 12))
    near = rng.normal(size=(n_rows, 1)) + 0.7 * rng.normal(size=(n_rows, 4))
    frame = pd.DataFrame(np.c_[table, (9 * near).round()])
    every, order = list(range(16)), np.arange(n_rows)
    found = find_combinations(frame, order, every, set(every), set())
    assert all({pair.first, pair.second} <= set(range(4)) for pair in found.pairs)
    assert all(part.unit >= 12 for part in found.levels)
    new = rng.normal(size=(4000, 1)) + 0.7 * rng.normal(size=(4000, 4))
    places = [
        part.places((9 * new[:, part.unit - 12]).round()) for part in found.levels
    ]
    for pair in found.pairs:
        assert pair.is_found(places).mean() > 0.98


def test_names_of_single_rows_are_not_tied_to_what_they_are_found_with():
    sales = make_sales()
    sales["buyer"] = [f"buyer {k}" for k in range(len(sales))]
    sales["half"] = np.where(sales.index % 2, sales["buyer"], "nobody")
    _, names = find(sales)
    assert set(TOGETHER) <= set(names)
    assert not {"buyer", "half"} & {name for pair in names for name in pair}


def test_rows_that_nothing_suits_stay():
    sales = make_sales()
    schema = TableSchema.from_table(sales[["shop", "good"]])
    frame = schema.read(sales[["shop", "good"]])
    relations = find_relations(schema.columns, ["nominal"] * 2, frame)
    assert len(relations.combinations.pairs) == 1
    drawn = pd.DataFrame({0: [0.0, 0.0], 1: frame[1][:1].repeat(2).to_numpy()})
    repaired = relations.repair(drawn, np.array([[True, True], [True, False]]))
    np.testing.assert_array_equal(repaired.iloc[0], drawn.iloc[0])
    assert repaired[0][1] == 0
    assert tuple(repaired.iloc[1]) in set(frame.itertuples(index=False, name=None))
