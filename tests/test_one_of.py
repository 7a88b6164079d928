"""Columns of which a row has at most one: found, drawn and asked for."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._relations._one_of import OneOf
from sklearn_tabsyn._relations._search import find_relations
from sklearn_tabsyn._table import TableSchema

DAYS = [f"is_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
FARES = ["child", "senior", "group"]


def make_trips(n_rows=1200, seed=0):
    """Trips with dummies of a day, and of a fare that is mostly the usual one."""
    rng = np.random.default_rng(seed)
    day = rng.choice(7, n_rows, p=[0.2, 0.2, 0.18, 0.16, 0.14, 0.08, 0.04])
    table = pd.DataFrame((day[:, None] == np.arange(7)).astype(int), columns=DAYS)
    table["is_weekend"] = (day >= 5).astype(int)
    fare = rng.choice(4, n_rows, p=[0.2, 0.15, 0.15, 0.5])
    for place, name in enumerate(FARES):
        table[name] = fare == place
    table["km"] = rng.lognormal(1 + 0.7 * (day >= 5) - 0.4 * (fare == 0), 0.5)
    table["night"] = rng.random(n_rows) < 0.3
    return table


def find(table):
    """Return the relations of a table, and its canonical values."""
    schema = TableSchema.from_table(table)
    frame = schema.read(table)
    kinds = ["continuous" if len(set(frame[j])) > 99 else "discrete" for j in frame]
    return find_relations(schema.columns, kinds, frame), frame


def check(rows):
    """Assert that each row has one day and at most one fare."""
    assert (rows[DAYS].sum(axis=1) == 1).all()
    assert (rows["is_weekend"] == rows["is_sat"] + rows["is_sun"]).all()
    assert (rows[FARES].sum(axis=1) <= 1).all()


@pytest.fixture(scope="module")
def trips():
    """A synthesizer of trips; read only."""
    how = {"hidden_dim": 32, "max_iter": 300, "conditional": True}
    return DiffusionSynthesizer(**how, random_state=0).fit(make_trips())


def test_groups_are_found_and_listed(trips):
    assert [str(relation) for relation in trips.relations_] == [
        f"exactly one of {', '.join(DAYS)}",
        f"at most one of {', '.join(FARES)}",
        f"is_weekend is a function of {', '.join(DAYS)}",
    ]
    days, fares, weekend = trips.relations_
    assert (days.kind, days.target, days.source) == ("one of", None, tuple(DAYS))
    assert days.strict and not fares.strict
    assert (weekend.target, weekend.source) == ("is_weekend", tuple(DAYS))


def test_new_rows_have_one_in_the_real_shares(trips):
    rows, real = trips.sample(4000), make_trips()
    check(rows)
    for name in [*DAYS, *FARES]:
        assert rows[name].mean() == pytest.approx(real[name].mean(), abs=0.03)
    assert (rows.dtypes == real.dtypes).all()
    farther = rows.groupby("is_weekend")["km"].median()
    assert farther[1] > 1.3 * farther[0]


@pytest.mark.parametrize(
    "conditions",
    [{"is_fri": 1}, {"is_mon": 0, "is_tue": 0}, {"is_weekend": 1}, {"senior": True}],
)
def test_conditions_are_kept(trips, conditions):
    rows = trips.sample(500, conditions=conditions)
    for name, value in conditions.items():
        assert (rows[name] == value).all()
    check(rows)
    if "is_weekend" in conditions:
        assert rows["is_sat"].mean() == pytest.approx(2 / 3, abs=0.15)


def test_wholes_give_way_to_their_parts():
    table = make_trips()
    relations, _ = find(table[["is_weekend", *DAYS, "km"]])
    [group] = relations.one_of
    assert group.members == tuple(range(1, 8))
    assert group.always


def test_a_category_beside_its_dummies_determines_them():
    table = make_trips()
    table.insert(0, "day", table[DAYS].idxmax(axis=1))
    rows = DiffusionSynthesizer(hidden_dim=8, max_iter=50, random_state=0)
    rows = rows.fit(table).sample(500)
    check(rows)
    assert (rows["day"] == rows[DAYS].idxmax(axis=1)).all()


def test_codes_of_values_between_are_those_of_the_greatest():
    relations, frame = find(make_trips())
    days, fares = relations.one_of
    some = frame.iloc[:3].copy()
    some[list(days.members)] = np.tile([0.1, 0.1, 0.4, 0.3, 0.1, 0.0, 0.0], (3, 1))
    fares_of_each = [[0.3, 0.2, 0.1], [0.2, 0.6, 0.1], [0.0, 0.0, 1.0]]
    some[list(fares.members)] = np.array(fares_of_each)
    np.testing.assert_array_equal(days.codes(some), 2)
    np.testing.assert_array_equal(fares.codes(some), [3, 1, 2])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_independent_switches_are_no_group(share):
    rng = np.random.default_rng(0)
    for n_rows in (100, 1000):
        table = pd.DataFrame(rng.random((n_rows, 20)) < share)
        table.columns = table.columns.astype(str)
        assert not find(table)[0].one_of


def test_gaps_are_no_hindrance():
    table = make_trips(600).astype(dict.fromkeys([*DAYS, "is_weekend"], float))
    gaps = np.random.default_rng(1).random((600, 8)) < 0.1
    table.iloc[:, :8] = table.iloc[:, :8].mask(gaps)
    how = {"hidden_dim": 16, "max_iter": 100, "random_state": 0}
    synthesizer = DiffusionSynthesizer(**how, conditional=True)
    imputer = DiffusionImputer(synthesizer)
    filled = imputer.fit_transform(table)
    assert filled.notna().all(axis=None)
    known = ~table[DAYS].isna()
    assert (filled[DAYS].where(known, 9) == table[DAYS].where(known, 9)).all(axis=None)
    check(filled)
    rows = DiffusionSynthesizer(**how).fit(table).sample(2000)
    assert rows[DAYS].isna().mean().mean() == pytest.approx(0.1, abs=0.03)
    days = rows[DAYS].sum(axis=1)
    assert (days <= 1).all()
    assert (days[rows[DAYS].notna().all(axis=1)] == 1).all()


@pytest.mark.parametrize("single", [0, 2])
def test_dummies_that_are_missing_together_stay_so(single):
    table = make_trips().astype(float).drop(columns=["is_weekend", "night"])
    gone = np.random.default_rng(1).random(len(table)) < 0.25
    table.loc[gone, FARES] = np.nan
    group = np.flatnonzero(~gone & (table["group"] == 0))[:single]
    table.loc[group, "group"] = np.nan  # a few rows may lack one alone
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    assert f"at most one of {', '.join(FARES)}" in map(str, synthesizer.relations_)
    missing = rows[FARES].isna()
    assert (missing.all(axis=1) == missing.any(axis=1)).all()
    assert missing.any(axis=1).mean() == pytest.approx(0.25, abs=0.04)
    for name in FARES:
        assert rows[name].mean() == pytest.approx(table[name].mean(), abs=0.04)
    whole = DiffusionImputer(
        DiffusionSynthesizer(hidden_dim=16, max_iter=40, conditional=True),
        random_state=0,
    ).fit_transform(table)
    assert not whole.isna().any(axis=None)
    assert (whole[FARES].sum(axis=1) <= 1).all()


def test_codes_where_something_is_missing():
    group = OneOf(9, (0, 1, 2), np.zeros(3), np.ones(3), always=True)
    frame = pd.DataFrame([[np.nan, 1, 0], [np.nan, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(group.codes(frame), [1, np.nan, 2])


def test_only_zeros_and_ones_or_truths_are_switches():
    table = make_trips()
    days = table[DAYS]
    assert not find(days.replace({0: "no", 1: "yes"}))[0].one_of
    assert not find(days + 1)[0].one_of
    assert find(days.astype(float))[0].one_of
    both = days.copy()
    both.loc[0] = 1
    assert not find(both)[0].one_of


def test_what_meets_others_in_a_row_that_was_not_searched_is_left_out():
    table = pd.concat([make_trips(30_000)[DAYS]] * 2, ignore_index=True)
    relations, _ = find(table)
    assert len(relations.one_of[0].members) == 7
    table.loc[31, DAYS] = [0] * 5 + [1, 1]  # not one of the rows that are looked at
    relations, _ = find(table)
    assert relations.one_of[0].members == (0, 1, 2, 3, 4, 5)
    assert not relations.one_of[0].always
