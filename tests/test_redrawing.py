"""Conditions and gaps in columns that relations tie to each other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer

FIRST = pd.Timestamp("2026-01-01")
QUICK = DiffusionSynthesizer(
    hidden_dim=32, max_iter=150, conditional=1.0, random_state=0
)


def make_orders(n_rows=600, seed=0):
    """Codes and names, sums, a tax, prices and amounts, and dates with a weekday."""
    rng = np.random.default_rng(seed)
    code, bonus = rng.integers(1, 9, (2, n_rows))
    net = rng.lognormal(4, 1, n_rows).round(2)
    pieces = rng.integers(1, 10, n_rows)
    price = rng.choice(rng.lognormal(2, 0.7, 60).round(2), n_rows)
    start = FIRST + pd.to_timedelta(rng.integers(0, 900, n_rows), "D")
    days = rng.geometric(0.1, n_rows) - 1
    return pd.DataFrame(
        {
            "code": code,
            "name": [f"item {k}" for k in code],
            "bonus": bonus,
            "points": code + bonus,
            "net": net,
            "gross": (1.19 * net).round(2),
            "pieces": pieces,
            "price": price,
            "amount": (pieces * price).round(2),
            "start": start,
            "end": start + pd.to_timedelta(days, "D"),
            "days": days,
            "weekday": start.day_name(),
        }
    )


def assert_related(rows):
    """Assert that all that holds in the orders holds in other rows."""
    assert (rows["name"] == [f"item {k:.0f}" for k in rows["code"]]).all()
    assert (rows["points"] == rows["code"] + rows["bonus"]).all()
    assert ((1.19 * rows["net"] - rows["gross"]).abs() < 0.0051).all()
    missed = rows["pieces"] * rows["price"] - rows["amount"]
    assert (missed.abs() < 0.0051).all()
    assert (rows["start"] <= rows["end"]).all()
    assert ((rows["end"] - rows["start"]).dt.days == rows["days"]).all()
    assert (rows["weekday"] == rows["start"].dt.day_name()).all()


@pytest.fixture(scope="module")
def orders():
    """A synthesizer of orders; read only."""
    return clone(QUICK).fit(make_orders())


@pytest.mark.parametrize(
    "conditions",
    [
        {"start": (FIRST + pd.Timedelta("365D"), None), "end": (None, "2027-06-01")},
        {"net": (50, 100), "gross": (None, 100)},
        {"code": [1, 2, 3], "name": ["item 2", "item 3", "item 4"]},
        {"code": 3, "points": (8, None)},
        {"days": 3, "weekday": "Monday"},
        {"end": pd.Timestamp("2027-03-01"), "weekday": "Monday"},
        {"name": "item 3", "points": 8},
        {"amount": (50, 100)},
    ],
    ids=str,
)
def test_restrictions_of_related_columns_are_all_met(orders, conditions):
    rows = orders.sample(200, random_state=0, conditions=conditions)
    assert_related(rows)
    for name, asked in conditions.items():
        if isinstance(asked, tuple):
            low, high = asked
            assert low is None or (rows[name] >= low).all()
            assert high is None or (rows[name] <= high).all()
        else:
            assert rows[name].isin(np.atleast_1d(np.array(asked, dtype=object))).all()


def test_rows_do_not_depend_on_how_many_there_are(orders):
    how = {"random_state": 3, "conditions": {"code": 3, "points": (8, None)}}
    few, many = (orders.sample(n, **how) for n in (30, 3_000))
    pd.testing.assert_frame_equal(few, many[:30])
    assert_related(many)


def test_the_law_is_that_of_rows_that_meet_them(orders):
    conditions = {"code": 3, "points": [5, 11]}
    rows = orders.sample(2_000, random_state=0, conditions=conditions)
    # bonuses of 2 and 8 are equally likely, and do not depend on the code
    assert (rows["points"] == 5).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    "names", [["points", "name"], ["amount"], ["end", "weekday"], ["days", "weekday"]]
)
def test_partly_filled_rows_are_completed_to_right_ones(orders, names):
    given = make_orders()[names].sample(200, random_state=0)
    given.index = range(200)
    rows = orders.sample(conditions=given, random_state=0)
    for name in names:
        assert (rows[name] == given[name]).all()
    assert_related(rows)


@pytest.mark.parametrize(
    "lost", [["start", "days"], ["start", "end"], ["code", "bonus"]]
)
def test_gaps_are_filled_so_that_relations_hold(lost):
    table = make_orders()
    gappy = table.astype({"days": float, "code": float, "bonus": float})
    gappy.loc[:199, lost] = None
    imputer = DiffusionImputer(clone(QUICK), random_state=0).fit(table)
    assert_related(imputer.transform(gappy))


def test_what_contradicts_itself_is_kept_with_a_warning(orders):
    with pytest.warns(UserWarning, match="0 meet all of it"):
        rows = orders.sample(20, conditions={"code": 1, "name": "item 2"})
    assert (rows["code"] == 1).all()
    assert (rows["name"] == "item 2").all()
    given = pd.DataFrame({"code": [1, 2, 3], "name": ["item 2", None, "item 3"]})
    rows = orders.sample(conditions=given)
    assert list(rows["name"]) == ["item 2"] * 2 + ["item 3"]


def test_restrictions_that_no_row_can_meet_are_refused(orders):
    with pytest.raises(ValueError, match=r"0 meet all of it exactly.*Ask for less"):
        orders.sample(20, conditions={"code": 8, "points": [2, 3]})


def test_means_of_gaps_hold_together():
    table = make_orders()[["code", "name", "bonus", "points"]]
    imputer = DiffusionImputer(clone(QUICK), strategy="mean", random_state=0)
    gappy = table.astype({"code": float, "points": float})
    gappy.loc[:99, ["code", "name", "points"]] = None
    filled = imputer.fit(table).transform(gappy)
    assert (filled["points"] == filled["code"] + filled["bonus"]).all()
    assert (filled["name"] == [f"item {k:.0f}" for k in filled["code"]]).all()
