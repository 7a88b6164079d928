"""Exact relations between columns: found, learned and kept, and none by chance."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_tabsyn import DiffusionImputer, DiffusionSynthesizer
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._relations._search import find_relations
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
    equal = (table["paid"] == table["bill"]).to_numpy()
    np.testing.assert_array_equal(relations.marks(link, frame), equal)


def test_zeros_by_chance_are_no_links():
    table = make_bills()
    rng = np.random.default_rng(1)
    table = table.where(rng.random(table.shape) < 0.6, 0)
    relations, frame = find(table)
    [link] = relations.marked
    assert link.common.tolist() == [0]
    equal = (table["paid"] == table["bill"]) & (table["paid"] != 0)
    np.testing.assert_array_equal(relations.marks(link, frame), equal)


def test_counts_and_names_can_be_equal_in_some_rows():
    rng = np.random.default_rng(0)
    lines, home = rng.geometric(0.1, 2000), rng.integers(0, 50, 2000)
    other, away = rng.permutation(lines), rng.integers(20, 60, 2000)
    same = rng.random((3, 2000)) < [[0.9], [0.1], [0.7]]
    table = pd.DataFrame(
        {
            "lines": lines,
            "good": np.where(same[0], lines, other),
            "few": np.where(same[1], lines, rng.permutation(lines)),
            "home": [f"town {k}" for k in home],
            "born": [f"town {k}" for k in np.where(same[2], home, away)],
        }
    )
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(4000)
    found = {(r.kind, r.target, r.source): r.share for r in synthesizer.relations_}
    for target, source in (("good", "lines"), ("few", "lines"), ("born", "home")):
        real, new = ((t[target] == t[source]).mean() for t in (table, rows))
        assert found.pop(("equal", target, source)) == pytest.approx(real)
        assert new == pytest.approx(real, abs=0.03)
    assert not found


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
    [(_, place)] = encoder.link_places()
    levels = np.maximum(rows.levels, 0)
    levels[:, place] = 1
    back = schema.restore(encoder.decode(np.nan_to_num(rows.low), levels))
    known = back["bill"].notna()
    assert back["paid"].notna().all()
    assert known.mean() == pytest.approx(6 / 7, abs=0.01)


def make_taxed(n_rows=5000, seed=0):
    """Prices and a tax of three rates, by the kind of what is sold."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["tool", "food", "book"], n_rows, p=[0.5, 0.4, 0.1])
    net = rng.lognormal(3, 0.7, n_rows).round(2)
    rate = np.select([kind == "food", kind == "book"], [1.07, 1.0], 1.19)
    return pd.DataFrame({"kind": kind, "net": net, "gross": (rate * net).round(2)})


def agree_with(table, rate):
    """Tell which rows are taxed at a rate."""
    return (table["gross"] - (rate * table["net"]).round(2)).abs() < 1e-9


def test_a_ratio_can_have_several_constants():
    table = make_taxed()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=300, conditional=True, random_state=0
    ).fit(table)
    ratios = [r for r in synthesizer.relations_ if r.kind in ("ratio", "equal")]
    found = {r.constant or 1.0: r.share for r in ratios}
    shares = {rate: agree_with(table, rate).mean() for rate in (1.19, 1.07, 1.0)}
    assert found == pytest.approx(shares, abs=0.01)
    rows = synthesizer.sample(4000)
    taxed = {rate: agree_with(rows, rate) for rate in shares}
    assert np.any(list(taxed.values()), axis=0).all()
    for rate, share in shares.items():
        assert taxed[rate].mean() == pytest.approx(share, abs=0.03)
    assert taxed[1.07][rows["kind"] == "food"].mean() > 0.9
    given = synthesizer.sample(300, conditions={"gross": 50.0, "kind": "food"})
    assert (given["gross"] == 50).all()
    assert ((1.07 * given["net"]).round(2) == 50).mean() > 0.9


def test_further_constants_are_no_chance():
    rng = np.random.default_rng(0)
    net = rng.lognormal(3, 0.7, 3000).round(2)
    noisy = (net * rng.uniform(1.0, 1.4, 3000)).round(2)
    table = pd.DataFrame({"net": net, "gross": noisy})
    half = rng.random(3000) < 0.5
    table.loc[half, "gross"] = (1.19 * net[half]).round(2)
    ratios = [r.constant for r in find(table)[0].listed if r.kind == "ratio"]
    assert ratios == [1.19]


def test_equal_shares_are_learned():
    table = make_bills()
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=300, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    real, new = ((t["paid"] == t["bill"]).mean() for t in (table, rows))
    assert new == pytest.approx(real, abs=0.03)
    assert (rows["paid"] == rows["other"]).mean() < 0.01
    assert (rows["paid"] == 0).mean() == pytest.approx(0.1, abs=0.03)


def make_reviews(n_rows=3000, seed=0):
    """Reviews with shares of good and bad words, of those that have any."""
    rng = np.random.default_rng(seed)
    words = np.where(rng.random(n_rows) < 0.1, 0, rng.integers(1, 60, n_rows))
    good = rng.binomial(words, rng.beta(4, 2, n_rows))
    shares = np.stack([good, words - good]) / np.maximum(words, 1)
    return pd.DataFrame({"good": shares[0], "bad": shares[1], "words": words})


@pytest.mark.parametrize("empty", [True, False])
def test_two_shares_add_up_where_there_is_something_to_share(empty):
    table = make_reviews()
    table = table if empty else table[table["words"] > 0]
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    [relation] = [r for r in synthesizer.relations_ if r.kind == "total"]
    share = (table["words"] > 0).mean()
    assert relation.share == pytest.approx(share)
    text = "good + bad = 1" + f" in {share:.1%} of the rows" * empty
    assert str(relation) == text
    total = rows["good"] + rows["bad"]
    new = np.isclose(total, 1, rtol=1e-12, atol=0).mean()
    assert new == pytest.approx(share, abs=0.02)
    if not empty:
        assert new == 1


def test_unrelated_shares_do_not_add_up():
    reviews = make_reviews()
    reviews["bad"] = make_reviews(seed=1)["bad"]
    assert not find(reviews)[0].listed
    dummies = pd.DataFrame({"yes": np.arange(500) % 3 // 2}).assign(no=lambda t: 1 - t)
    assert not find(dummies)[0].links


@pytest.mark.parametrize("written", ["12 digits", "float32"])
def test_numbers_are_as_exact_as_they_are_written(written):
    rng = np.random.default_rng(0)
    parts = rng.dirichlet([3, 2, 1], 1000)
    part = rng.random(1000) / 7
    sure = np.where(rng.random(1000) < 0.3, 1 - part, rng.random(1000))
    table = pd.DataFrame(np.c_[parts, part, sure], columns=list("abcde"))
    if written == "float32":
        table = table.astype(np.float32).astype(float)
    else:
        table = table.map(lambda v: float(f"{v:.12g}"))
    found = [str(relation) for relation in find(table)[0].listed]
    share = np.isclose(table["d"] + table["e"], 1, atol=1e-6).mean()
    assert found == [f"d + e = 1 in {share:.1%} of the rows", "a + b + c = 1"]


N_ROWS = 2000


def make_order(n_rows=N_ROWS, seed=0):
    """Orders of goods: each column but the first few is made of another."""
    rng = np.random.default_rng(seed)
    net = rng.lognormal(4, 1, n_rows).round(2)
    code = rng.integers(0, 30, n_rows)
    days = pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D")
    start = pd.Timestamp("2024-01-01") + days
    wait = pd.to_timedelta(rng.geometric(0.1, n_rows) - 1, unit="D")
    seconds = pd.to_timedelta(rng.integers(0, 10**8, n_rows), unit="s")
    free = rng.lognormal(1, 1, n_rows).round(2)
    bill = rng.lognormal(8, 1, n_rows).round()
    part = (bill * rng.random(n_rows)).round()
    some = rng.random((4, n_rows)) < [[0.3], [0.25], [0.5], [0.2]]
    table = pd.DataFrame(
        {
            "net": net,
            "gross": (net * 1.19).round(2),
            "fee": np.where(some[0], (net * 0.05).round(2), free),
            "bill": bill,
            "paid": np.where(some[1], bill + 10, part),
            "start": start,
            "end": start + wait,
            "due": start + wait + pd.Timedelta(days=30),
            "seen": start + seconds.where(~some[2], pd.Timedelta(hours=36)),
            "code": code,
            "name": [f"name {k // 2}" if k > 3 else None for k in code],
            "group": np.array(list("abc"), dtype=object)[code // 10],
        }
    )
    table.loc[some[3], "gross"] = np.nan
    table.loc[::7, "due"] = pd.NaT
    return table


EXPECTED = [
    ("ratio", "gross", "net", 1.19),
    ("ratio", "fee", "net", 0.05),
    ("difference", "paid", "bill", 10.0),
    ("difference", "due", "end", pd.Timedelta(days=30)),
    ("difference", "seen", "start", pd.Timedelta(hours=36)),
    ("function", "name", "code", None),
    ("function", "group", "code", None),
    ("order", "end", "start", None),
]


@pytest.fixture(scope="module")
def planted():
    """A synthesizer of orders; read only."""
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=400, conditional=True, random_state=0
    )
    return synthesizer.fit(make_order())


def check_order(rows):
    """Assert what holds always, and return the shares of what holds in many rows."""
    both = rows[["net", "gross"]].notna().all(axis=1)
    assert ((rows["net"] * 1.19).round(2) == rows["gross"])[both].all()
    there = rows["due"].notna()
    assert (rows["due"] == rows["end"] + pd.Timedelta(days=30))[there].all()
    assert (rows["start"] <= rows["end"]).all()
    pairs = rows.groupby("code")[["name", "group"]]
    assert (pairs.nunique(dropna=False) == 1).all(axis=None)
    return {
        "fee": ((rows["net"] * 0.05).round(2) == rows["fee"]).mean(),
        "paid": (rows["paid"] == rows["bill"] + 10).mean(),
        "seen": (rows["seen"] == rows["start"] + pd.Timedelta(hours=36)).mean(),
    }


def test_relations_of_every_kind_are_found(planted):
    found = [(r.kind, r.target, r.source, r.constant) for r in planted.relations_]
    assert sorted(found, key=str) == sorted(EXPECTED, key=str)
    shares = check_order(make_order())
    for relation in planted.relations_:
        expected = shares.get(relation.target, 1.0)
        assert relation.share == pytest.approx(expected, abs=1e-3)
    texts = [str(relation) for relation in planted.relations_]
    assert "gross = 1.19 * net" in texts
    assert "due = end + 30 days 00:00:00" in texts
    assert "name is a function of code" in texts
    assert "start <= end" in texts
    [fee] = [text for text in texts if text.startswith("fee")]
    assert re.fullmatch(r"fee = 0\.05 \* net in \d\d\.\d% of the rows", fee)


def test_relations_hold_in_new_rows(planted):
    rows = planted.sample(4000, random_state=0)
    shares = check_order(rows)
    for name, share in check_order(make_order()).items():
        assert shares[name] == pytest.approx(share, abs=0.03)
    # codes and names are the known ones
    pairs = ["code", "name", "group"]
    known = make_order()[pairs].drop_duplicates()
    assert len(pd.concat([known, rows[pairs]]).drop_duplicates()) == len(known)


@pytest.mark.parametrize(
    "conditions",
    [
        {"gross": (50.0, 100.0)},
        {"due": (pd.Timestamp("2024-06-01"), pd.Timestamp("2024-06-10"))},
        {"end": pd.Timestamp("2024-02-01")},
        {"start": pd.Timestamp("2026-06-01")},
        {"name": ["name 3", "name 4"]},
        {"name": "name 5", "group": "b"},
        {"code": 7, "net": 10.0},
    ],
    ids=str,
)
def test_sources_follow_given_targets(planted, conditions):
    rows = planted.sample(200, random_state=0, conditions=conditions)
    check_order(rows)
    for name, asked in conditions.items():
        if isinstance(asked, tuple):
            assert rows[name].between(*asked).all()
        else:
            assert rows[name].isin(asked if isinstance(asked, list) else [asked]).all()
    if "name" in conditions and "group" not in conditions:
        assert rows["code"].nunique() == 4


def test_filled_gaps_keep_relations():
    table = make_order()
    gappy = table.copy()
    for place, name in enumerate(["net", "end", "code", "group"]):
        gappy.loc[place::6, name] = None
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=100, conditional=1.0, random_state=0
    )
    for strategy in ("draw", "mean"):
        imputer = DiffusionImputer(synthesizer, strategy=strategy, random_state=0)
        filled = imputer.fit_transform(gappy)
        assert filled.notna().all(axis=None)
        there = gappy.notna()
        assert (filled[there] == gappy[there]).where(there, True).all(axis=None)
        assert (filled["start"] <= filled["end"]).all()
        # a price that goes beyond the known ones has no known net price
        there = filled["gross"] <= 1.19 * gappy["net"].max()
        made = (filled["net"] * 1.19).round(2)
        assert (made == filled["gross"])[there].all()
        assert there.mean() > 0.99
        assert (filled.groupby("code")["group"].nunique() == 1).all()


def test_order_is_repaired_along_chains():
    rng = np.random.default_rng(0)
    low = rng.normal(50, 10, 1000)
    middle = low + rng.exponential(3, 1000)
    high = middle + rng.exponential(3, 1000)
    whole = np.floor(rng.exponential(300, 1000))
    table = pd.DataFrame({"high": high, "low": low, "middle": middle, "whole": whole})
    table["more"] = whole + np.floor(rng.exponential(50, 1000)) + 1
    table.loc[::5, "middle"] = np.nan
    relations, frame = find(table)
    texts = [str(relation) for relation in relations.listed]
    assert texts == ["low < middle", "middle < high", "whole < more"]
    drawn = frame.apply(lambda column: rng.permutation(column))
    known = np.zeros(drawn.shape, dtype=bool)
    known[::2, 2] = known[::3, 4] = True
    repaired = relations.repair(drawn, known)
    found, asked = repaired.to_numpy()[known], drawn.to_numpy()[known]
    np.testing.assert_array_equal(found, asked)
    np.testing.assert_array_equal(repaired.isna(), drawn.isna())
    first = repaired.set_axis(table.columns, axis=1)
    there = first["middle"].notna()
    assert (first["low"] < first["high"]).all()
    assert (first["low"] < first["middle"])[there].all()
    assert (first["middle"] < first["high"])[there].all()
    assert (first["whole"] < first["more"]).all()
    assert (first % 1 == 0)[["whole", "more"]].all(axis=None)
    for name in table:
        assert first[name].between(table[name].min(), table[name].max())[there].all()


def test_a_bijection_counts_once_and_chains_end_at_roots():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 40, 1500)
    table = pd.DataFrame(
        {
            "country": city // 20,
            "code": city,
            "city": [f"city {k}" for k in city],
            "state": city // 5,
        }
    )
    texts = [str(relation) for relation in find(table.astype(str))[0].listed]
    names = {"country", "city", "state"}
    assert set(texts) == {f"{name} is a function of code" for name in names}


def make_codes(n_rows=2000, seed=0):
    """Goods with many codes, and what these determine: numbers, dates and names."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 400, n_rows)
    price = np.random.default_rng(9).lognormal(3, 1, 400).round(2)[code]
    table = pd.DataFrame({"code": 7 * code, "price": price, "net": 2 * price})
    table["since"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(code * 5 % 700, "D")
    table["name"] = [f"good {k}" for k in code]
    table["sold"] = np.where(rng.random(n_rows) < 0.5, price, rng.permutation(price))
    return table


@pytest.mark.parametrize("protect_values", [False, True])
def test_codes_of_many_values_determine_others(protect_values):
    table = make_codes(20_000 if protect_values else 2_000)
    table.loc[::9, "code"] = None
    synthesizer = DiffusionSynthesizer(
        protect_values=protect_values, hidden_dim=32, max_iter=60, random_state=0
    )
    rows = synthesizer.fit(table).sample(3000)
    texts = {str(relation) for relation in synthesizer.relations_}
    assert {"net = 2 * price", "price is a function of name"} <= texts
    assert len({text for text in texts if "function of name" in text}) == 3
    known = table.drop_duplicates("name").set_index("name").loc[rows["name"]]
    for name in ("price", "net", "since"):
        assert (rows[name].to_numpy() == known[name].to_numpy()).all(), name
    there = rows["code"].notna().to_numpy()
    assert (rows["code"].to_numpy() == known["code"].to_numpy())[there].mean() > 0.85


def test_numbers_that_determine_others_are_known_ones():
    table = make_codes().drop(columns="name")
    synthesizer = DiffusionSynthesizer(
        hidden_dim=32, max_iter=60, conditional=True, random_state=0
    )
    synthesizer.fit(table)
    known = table.drop_duplicates("code").set_index("code")
    free = synthesizer.sample(3000)
    given = synthesizer.sample(200, conditions={"price": float(known["price"].iloc[5])})
    assert (given["price"] == known["price"].iloc[5]).all()
    for rows in (free, given):
        expected = known.loc[rows["code"]]
        for name in ("price", "net", "since"):
            assert (rows[name].to_numpy() == expected[name].to_numpy()).all(), name


def test_relations_between_numbers_of_few_values():
    rng = np.random.default_rng(0)
    year = rng.integers(1990, 2030, 800)
    table = pd.DataFrame({"year": year, "next": year + 1, "decade": year // 10})
    texts = [str(relation) for relation in find(table)[0].listed]
    assert texts == ["next = year + 1", "decade is a function of year"]


@pytest.mark.parametrize("dtype", ["float32", "Int64", "int16"])
def test_relations_hold_in_other_dtypes(dtype):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.integers(0, 3000, 600)}).astype(dtype)
    table["b"] = table["a"] + 7
    table["c"] = 3 * table["a"]
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=20, random_state=0)
    rows = synthesizer.fit(table).sample(500)
    texts = [str(relation) for relation in synthesizer.relations_]
    assert texts == ["b = a + 7", "c = 3 * a"]
    assert (rows.dtypes == table.dtypes).all()
    assert (rows["b"] == rows["a"] + 7).all()
    assert (rows["c"] == 3 * rows["a"]).all()


@pytest.mark.parametrize("library", ["numpy", "polars"])
def test_relations_in_other_containers(library):
    rng = np.random.default_rng(0)
    net = rng.lognormal(4, 1, 500).round(2)
    table = pd.DataFrame({"net": net, "gross": (1.19 * net).round(2)})
    given = table.to_numpy() if library == "numpy" else pl.from_pandas(table)
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=20, random_state=0)
    rows = synthesizer.fit(given).sample(300)
    [relation] = pickle.loads(pickle.dumps(synthesizer)).relations_
    names = [0, 1] if library == "numpy" else ["net", "gross"]
    assert (relation.source, relation.target, relation.constant) == (*names, 1.19)
    rows = np.asarray(rows)
    np.testing.assert_array_equal((1.19 * rows[:, 0]).round(2), rows[:, 1])


def test_search_can_be_switched_off():
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, max_iter=20, find_relations=False, random_state=0
    )
    rows = synthesizer.fit(make_order(500)).sample(500)
    assert synthesizer.relations_ == []
    assert (rows["start"] > rows["end"]).any()


def tables_without_relations(seed, n_rows):
    """Yield tables whose columns are not tied, though most depend on each other."""
    rng = np.random.default_rng(seed)
    n = 6
    shared = 2 * rng.normal(size=(n_rows, 1))
    smooth = shared + 0.3 * rng.normal(size=(n_rows, n)) + rng.uniform(0, 6, n)
    yield rng.normal(np.arange(n), 5, (n_rows, n))
    yield smooth
    yield (100 + 10 * smooth).round()
    yield np.exp(smooth)
    yield np.exp(3 + smooth).round(2)
    yield np.where(rng.random((n_rows, n)) < 0.6, 0, np.exp(3 + smooth).round())
    yield np.where(rng.random((n_rows, 1)) < 0.6, 0, np.exp(3 + smooth).round())
    yield rng.integers(0, 3 + 9 * np.arange(n), (n_rows, n))
    yield rng.integers(0, 150 + 50 * np.arange(n), (n_rows, n))
    yield rng.random((n_rows, n)) < 10.0 ** -np.arange(n)
    place = rng.integers(0, n_rows // 4, n_rows)
    day = pd.Timestamp("2024-01-01")
    yield pd.DataFrame(
        {
            "id": [f"id {k}" for k in range(n_rows)],
            "place": place.astype(str),
            "mostly": np.where(rng.random(n_rows) < 0.95, place // 9, -1).astype(str),
            "constant": "x",
            "rare": np.where(rng.random(n_rows) < 0.003, "yes", "no"),
            "day": day + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            "later": day + pd.to_timedelta(rng.integers(300, 1200, n_rows), unit="D"),
        }
    )


@pytest.mark.parametrize("n_rows", [60, 400, 2000])
def test_no_relations_are_found_by_chance(n_rows):
    for seed in range(50):
        for table in tables_without_relations(seed, n_rows):
            table = pd.DataFrame(table).rename(columns=str)
            schema = TableSchema.from_table(table)
            frame = schema.read(table)
            kinds = [
                "nominal"
                if column.kind == "category"
                else "discrete"
                if frame[j].nunique() <= 128
                else "continuous"
                for j, column in enumerate(schema.columns)
            ]
            found = find_relations(schema.columns, kinds, frame)
            assert found.listed == [], f"{seed}, {list(map(str, found.listed))}"


def test_orders_hold_between_columns_of_many_and_no_decimals():
    rng = np.random.default_rng(0)
    most = rng.choice(rng.lognormal(8, 1, 400).round(), 2000)
    mean = np.where(rng.random(2000) < 0.6, most, (most * rng.random(2000)).round(7))
    table = pd.DataFrame({"most": most, "mean": mean})
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(table).sample(4000)
    assert "mean <= most" in [str(found) for found in synthesizer.relations_]
    assert (rows["mean"] <= rows["most"]).all()


def make_payments(n_rows=2000, seed=0):
    """Totals of two amounts, and what was paid of them."""
    rng = np.random.default_rng(seed)
    net, freight = rng.lognormal(3, 1, (2, n_rows)).round(2)
    total = (net + freight).round(2)
    paid = (total * rng.beta(5, 1, n_rows)).round(2)
    return pd.DataFrame({"net": net, "freight": freight, "total": total, "paid": paid})


def test_orders_hold_beside_what_is_computed():
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(make_payments()).sample(3000)
    total, order = synthesizer.relations_
    assert str(total) == "total = net + freight"
    assert (order.kind, order.target, order.source) == ("order", "total", "paid")
    assert ((rows["net"] + rows["freight"] - rows["total"]).abs() < 0.006).all()
    assert (rows["paid"] <= rows["total"]).all()
    # mirrored at the total, not put on it
    assert (rows["paid"] == rows["total"]).mean() < 0.01


def test_sources_of_what_is_computed_are_in_order_too():
    rng = np.random.default_rng(0)
    low = rng.lognormal(3, 1, 2000).round(1)
    length = rng.lognormal(2, 1, 2000).round(1)
    table = pd.DataFrame({"low": low, "middle": low + length * rng.random(2000)})
    table["middle"] = table["middle"].round(1)
    table["high"], table["length"] = (low + length).round(1), length
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(table).sample(3000)
    assert (rows["low"] <= rows["middle"]).all()
    assert (rows["middle"] <= rows["high"]).all()
    assert ((rows["low"] + rows["length"] - rows["high"]).abs() < 0.06).all()


def test_sums_with_gaps_hold_wherever_all_is_there():
    table = make_payments().drop(columns="paid")
    table.loc[::6, "total"] = np.nan
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=60, random_state=0)
    rows = synthesizer.fit(table).sample(5000)
    assert len(synthesizer.relations_) == 1
    assert rows["total"].isna().mean() == pytest.approx(1 / 6, abs=0.03)
    missed = (rows["net"] + rows["freight"] - rows["total"]).abs()
    assert (missed.dropna() < 0.006).all()


def test_numbers_too_large_for_floats_can_determine_names():
    rng = np.random.default_rng(0)
    codes, places = rng.integers(-(2**62), 2**62, 200), rng.integers(0, 200, 2000)
    table = pd.DataFrame({"code": codes[places], "kind": (places % 7).astype(str)})
    synthesizer = DiffusionSynthesizer(hidden_dim=16, max_iter=50, random_state=0)
    rows = synthesizer.fit(table).sample(500)
    [relation] = synthesizer.relations_
    assert str(relation) == "kind is a function of code"
    kinds = dict(zip(table["code"], table["kind"], strict=True))
    assert (rows["code"].map(kinds) == rows["kind"])[rows["code"].isin(kinds)].all()


def test_sources_of_functions_move_to_known_values_only():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2023-01-02")
    table = pd.DataFrame({"ordered": 2 * rng.integers(0, 400, 2000)})
    table["sent"] = table["ordered"] + rng.integers(0, 9, 2000)
    for name in table:
        table[name] = start + pd.to_timedelta(table[name], "D")
    table["weekday"] = table["ordered"].dt.day_name()
    schema = TableSchema.from_table(table)
    encoder = TableEncoder(schema)
    encoder.fit(schema.read(table))
    texts = map(str, encoder.relations_.listed)
    assert {*texts} == {"weekday is a function of ordered", "ordered <= sent"}
    drawn = table[["ordered"]].assign(
        sent=table["sent"].sample(frac=1, random_state=0).to_numpy()
    )
    drawn["weekday"] = table["weekday"]
    drawn = schema.read(drawn)
    rows = encoder.relations_.repair(drawn, np.zeros(drawn.shape, dtype=bool))
    rows = schema.restore(rows)
    assert rows["ordered"].isin(table["ordered"]).all()
    assert (rows["weekday"] == rows["ordered"].dt.day_name()).all()
    assert (rows["ordered"] <= rows["sent"]).all()
