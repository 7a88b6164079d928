"""Sums of columns, and dates soon after others: found, encoded exactly, learned."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._relations._chains import sources_first, turned
from sklearn_tabsyn._relations._links import Link
from sklearn_tabsyn._relations._offsets import Density, Offset
from sklearn_tabsyn._scored import read_scored
from sklearn_tabsyn._table import TableSchema


def make_accounts(n_rows=3_000, seed=0, whole=True):
    """Balances of three months, each the last less a payment, and purchases.

    What was bought is a column only if the accounts are `whole`.
    """
    rng = np.random.default_rng(seed)
    first = rng.lognormal(9, 1.5, n_rows).round()
    table, balance = {"first": first}, first
    for month in ("second", "third"):
        paid = (balance * rng.uniform(0.02, 0.9, n_rows)).round()
        bought = (balance * rng.exponential(0.01, n_rows)).round()
        balance = balance - paid + bought
        table |= {f"paid_{month}": paid, month: balance}
        table |= {f"bought_{month}": bought} if whole else {}
    return pd.DataFrame(table)


def make_invoices(n_rows=3_000, seed=0):
    """Totals of three parts, some without a value, and dates of sending and coming."""
    rng = np.random.default_rng(seed)
    net = rng.lognormal(4, 1, n_rows).round(2)
    tax = (net * rng.choice([0.07, 0.19], n_rows)).round(2)
    freight = (3 + rng.exponential(5, n_rows)).round(2)
    freight[rng.random(n_rows) < 0.2] = np.nan
    sent = pd.Timestamp("2021-01-01") + pd.to_timedelta(
        rng.integers(0, 1_500, n_rows), unit="D"
    )
    return pd.DataFrame(
        {
            "net": net,
            "tax": tax,
            "freight": freight,
            "total": (net + tax + freight).round(2),
            "sent": sent,
            "come": sent + pd.to_timedelta(rng.geometric(0.2, n_rows), unit="D"),
        }
    )


def encode(table, **how):
    """Return the fitted encoder of a table, its canonical values and encoded rows."""
    schema = TableSchema.from_table(table)
    encoder, frame = TableEncoder(schema, **how), schema.read(table)
    return encoder, frame, encoder.fit(frame)


def named(encoder):
    """Return the offsets of an encoder: names of sources by the name of the target."""
    names = [column.name for column in encoder.schema.columns]
    return {
        names[offset.target]: {
            names[j]: sign for j, sign in zip(offset.sources, offset.signs, strict=True)
        }
        for offset in encoder.relations_.offsets
    }


def equations(encoder):
    """Return the columns of each offset, whichever of them is its target."""
    return {frozenset({target, *parts}) for target, parts in named(encoder).items()}


def test_the_shortest_sum_of_most_rows_is_found():
    rng = np.random.default_rng(0)
    left = 1960.0 + rng.integers(0, 40, 2_000)
    year = rng.choice([1992.0, 1995.0, 1999.0, 2012.0], 2_000)
    table = pd.DataFrame({"year": year, "left": left, "worked": year - left})
    # A few rows are mistaken, and of two columns one is nearly always on.
    table.loc[::60, "worked"] += rng.integers(1, 9, len(table[::60]))
    full = rng.random(2_000) < 0.6
    table["full"], table["half"] = full * 1.0, (~full & (rng.random(2_000) < 0.9)) * 1.0
    texts = [str(r) for r in encode(table)[0].relations_.listed if r.kind == "sum"]
    assert texts[0].startswith("worked = year - left in 98")
    assert not [text for text in texts if "full" in text or "half" in text]


def test_accounts_are_found():
    sums = encode(make_accounts())[0].relations_.listed
    assert {relation.kind for relation in sums} == {"sum"}
    assert {frozenset({relation.target, *relation.source}) for relation in sums} == {
        frozenset({"first", "paid_second", "bought_second", "second"}),
        frozenset({"second", "paid_third", "bought_third", "third"}),
    }
    assert [relation.share for relation in sums] == [1, 1]


def test_sums_that_leave_a_rest_are_none():
    assert equations(encode(make_accounts(whole=False))[0]) == set()


def test_exact_sums_are_computed_and_dates_have_one_source():
    encoder, _, _ = encode(make_invoices())
    assert equations(encoder) == {frozenset({"sent", "come"})}
    [total] = [r for r in encoder.relations_.listed if r.kind == "sum"]
    parts = {total.target, *total.source}
    assert parts == {"net", "tax", "freight", "total"}
    assert total.share == 1


@pytest.mark.parametrize("make", [make_accounts, make_invoices])
@pytest.mark.parametrize("min_count", [1, 5])
def test_rows_come_back(make, min_count):
    encoder, frame, rows = encode(make(), min_count=min_count)
    back = encoder.decode((rows.low + rows.high) / 2, rows.levels)
    np.testing.assert_array_equal(back.isna(), frame.isna())
    if min_count > 1:  # values of few rows do not come back
        return
    for j in frame:
        close = np.isclose(back[j], frame[j], rtol=2e-3, equal_nan=True)
        assert close.mean() > 0.99, encoder.schema.columns[j].name
        assert back[j].dropna().between(frame[j].min(), frame[j].max()).all()


def test_smooth_and_unrelated_numbers_have_none():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shared = 2 * rng.normal(size=(2_000, 1))
        smooth = shared + 0.5 * rng.normal(size=(2_000, 5))
        for table in (rng.normal(size=(2_000, 5)), smooth, np.exp(smooth)):
            table = pd.DataFrame(table).rename(columns=str)
            assert encode(table)[0].relations_.offsets == []


def test_columns_without_values_or_rows_are_no_sources():
    table = make_accounts(400)
    table["none"] = np.nan
    table["same"] = 1.5
    table.loc[1:, "rare"] = np.nan
    table.loc[0, "rare"] = 7.0
    found = named(encode(table)[0])
    assert not {"none", "same", "rare"} & {
        *found,
        *(s for f in found.values() for s in f),
    }


def test_search_can_be_switched_off():
    assert encode(make_accounts(), find_relations=False)[0].relations_.offsets == []


def test_links_are_turned_to_suit():
    links = [Link("equal", 1, 0), Link("equal", 2, 1), Link("equal", 3, 0)]
    offset = Offset(0, (1, 4), (1.0, -1.0))
    found = {(link.target, link.source) for link in turned(links, [offset])}
    assert found == {(0, 1), (2, 1), (3, 0)}
    assert turned([Link("ratio", 1, 0, 2.0)], [offset]) is None


def test_sources_come_first():
    makers = [Offset(0, (1, 2)), Link("equal", 1, 3), Link("equal", 3, 2)]
    assert [maker.target for maker in sources_first(makers)] == [3, 1, 0]


def test_density_of_known_distributions():
    rng = np.random.default_rng(0)
    values = rng.exponential(10, 50_000)
    density = Density.of(values, 1e-9)
    at = np.array([1.0, 5.0, 20.0])
    expected = -at / 10 - np.log(10)
    np.testing.assert_allclose(density.log(at), expected, atol=0.25)
    # A value that half of the rows have is that likely per unit.
    tied = np.where(rng.random(50_000) < 0.5, 0.0, values)
    assert Density.of(tied, 0.01).log(np.array([0.0])) == pytest.approx(
        np.log(0.5 / 0.01), abs=0.05
    )
    assert np.isnan(density.log(np.array([np.nan]))).all()


def test_a_number_is_scored_by_its_rest_alone():
    table = make_invoices()[["sent", "come"]]
    # some dates have nothing to do with each other
    table.loc[::5, "come"] = table["come"].iloc[::-1].to_numpy()[::5]
    encoder, frame, _ = encode(table)
    assert named(encoder)
    rests = encoder.relations_.rests(frame)
    rows, _ = read_scored(encoder.schema, encoder, table)
    for j, offset in enumerate(encoder.relations_.offsets):
        here = ~np.isnan(rests[:, j])
        own, rest = (
            next(
                rows.low[:, slot.value]
                for slot in encoder.slots_
                if slot.unit == offset.target and bool(slot.others) == with_others
            )
            for with_others in (False, True)
        )
        assert 0.5 < here.mean() < 1
        np.testing.assert_array_equal(np.isnan(own), here)
        np.testing.assert_array_equal(np.isnan(rest), ~here)


def test_new_rows_keep_what_holds():
    table = make_invoices()
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(2_000)
    parts = rows[["net", "tax", "freight"]].sum(axis=1, skipna=False)
    gap = (rows["total"] - parts).abs().dropna()
    # What would be beyond the range of the training rows is cut.
    assert (gap < 0.006).mean() > 0.97
    wait = (rows["come"] - rows["sent"]).dt.days
    assert abs(wait.median() - 4) <= 1
    assert (wait >= 1).all()
    without = synthesizer.set_params(find_relations=False).fit(table).sample(2_000)
    wait = (without["come"] - without["sent"]).dt.days
    assert (wait < 1).mean() > 0.05  # which single columns cannot learn so soon


def test_what_is_given_stays():
    table = make_accounts()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=300, conditional=True, random_state=0
    ).fit(table)
    given = table.iloc[:200][["first", "paid_second", "second"]]
    rows = synthesizer.sample(conditions=given)
    pd.testing.assert_frame_equal(
        rows[list(given)].astype(float), given.reset_index(drop=True).astype(float)
    )
    rows = synthesizer.sample(conditions=table.iloc[:300][["second"]])
    assert (rows["second"] == table["second"].iloc[:300]).all()
    synthesizer.sample(50, conditions={"second": (1_000.0, 5_000.0)})


def make_prices(n_rows=2000, seed=0):
    """Prices by day: the lowest, the first, the last and the highest, over years."""
    rng = np.random.default_rng(seed)
    level = np.exp(np.cumsum(rng.normal(0, 0.03, n_rows)) + 4)
    moves = np.sort(rng.normal(0, 0.01, (n_rows, 4)), axis=1)
    low, first, last, high = (level * np.exp(move) for move in moves.T)
    table = pd.DataFrame({"low": low, "first": first, "last": last, "high": high})
    return table.round(6)


def test_numbers_that_hardly_differ_are_drawn_as_close():
    table = make_prices()
    synthesizer = DiffusionSynthesizer(hidden_dim=32, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(2000)
    for name in ("first", "last", "high"):
        ratio, drawn = table[name] / table["low"], rows[name] / rows["low"]
        assert drawn.median() == pytest.approx(ratio.median(), abs=0.004)
        spread = np.subtract(*ratio.quantile([0.9, 0.1]))
        assert np.subtract(*drawn.quantile([0.9, 0.1])) == pytest.approx(
            spread, rel=0.35
        )
        assert kstest(rows[name], table[name]).statistic < 0.08
    assert np.isfinite(synthesizer.score_samples(table.head(100))).all()
    strange = table.head(3).assign(low=[0.0, -1.0, 5.0])
    assert np.isfinite(synthesizer.score_samples(strange)).all()


def test_numbers_that_differ_are_not_told_by_others():
    table = make_prices()
    rng = np.random.default_rng(0)
    for name in table:
        table[name] = (table[name] * np.exp(rng.normal(0, 0.2, len(table)))).round(6)
    assert encode(table)[0].relations_.offsets == []
