"""Rows of which some columns are given, against tables of known law."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from scipy.stats import chisquare, kstest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._asked import read_asked

SHIFT = {"a": 0.0, "b": 2.0, "c": 5.0}


def make_network(n_rows, seed=0):
    """Draw from a Bayesian network: kind -> number -> flag, kind -> count."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(list(SHIFT), n_rows, p=[0.5, 0.3, 0.2])
    number = pd.Series(kind).map(SHIFT).to_numpy() + rng.normal(size=n_rows)
    flag = rng.random(n_rows) < 1 / (1 + np.exp(2 - number))
    count = rng.binomial(6, pd.Series(kind).map({"a": 0.2, "b": 0.5, "c": 0.8}))
    return pd.DataFrame({"kind": kind, "number": number, "flag": flag, "count": count})


@pytest.fixture(scope="module")
def network():
    """A synthesizer that knows the network; read only."""
    synthesizer = DiffusionSynthesizer(
        hidden_dim=128, max_iter=1000, conditional=0.7, random_state=0
    )
    return synthesizer.fit(make_network(8000))


TRUTH = make_network(400_000, seed=1)
CONDITIONS = {
    "name": {"kind": "b"},
    "flag": {"flag": True},
    "count": {"count": 4},
    "names": {"kind": ["a", "c"]},
    "range": {"number": (3.0, None)},
    "count_range": {"count": (None, 2)},
    "two": {"kind": "a", "flag": True},
    "range_and_names": {"number": (1.0, 4.0), "kind": ["b", "c"]},
    "ranges": {"number": (None, 2.0), "count": (3, None)},
    "all_kinds": {"number": (0.0, 3.0), "count": [2, 3], "flag": False},
}


def holds(table, conditions):
    """Tell which rows meet the conditions."""
    met = np.ones(len(table), dtype=bool)
    for name, asked in conditions.items():
        column = table[name]
        if isinstance(asked, tuple):
            low, high = asked
            met &= True if low is None else column >= low
            met &= True if high is None else column <= high
        else:
            met &= column.isin(asked if isinstance(asked, list) else [asked])
    return met


@pytest.mark.parametrize("conditions", CONDITIONS.values(), ids=CONDITIONS)
def test_conditional_distributions_are_the_true_ones(network, conditions):
    rows = network.sample(3000, random_state=0, conditions=conditions)
    assert len(rows) == 3000
    assert holds(rows, conditions).all()
    truth = TRUTH[holds(TRUTH, conditions)]
    for name in ("kind", "flag", "count"):
        expected = truth[name].value_counts(normalize=True)
        found = rows[name].value_counts(normalize=True)
        distance = found.sub(expected, fill_value=0).abs().sum() / 2
        # few of the 8,000 rows that were learned meet some conditions
        assert distance < 0.08, name
        # chi-square of 300 rows: a learned law is not the true one to the last digit
        common = expected[expected > 0.03].index
        counts = 300 * found.reindex(common, fill_value=0).to_numpy()
        share = expected.reindex(common).to_numpy()
        share = share * counts.sum() / share.sum()
        if len(common) > 1:
            assert chisquare(counts, share).pvalue > 1e-3, name
    assert kstest(rows["number"], truth["number"]).statistic < 0.08


def test_a_range_stands_for_its_share(network):
    given, _ = read_asked(network._model, {"number": (2.0, None)})
    [choice] = given.choices
    real = make_network(8_000, seed=0)["number"]
    assert choice.share == pytest.approx((real >= 2).mean(), abs=0.02)


@pytest.mark.parametrize(
    "container", [list, set, np.array, pd.Index, pd.array, pd.Series, pl.Series]
)
def test_values_come_in_any_container(network, container):
    asked = {"kind": container(["a", "b"]), "count": range(2)}
    rows = network.sample(50, random_state=0, conditions=asked)
    assert set(rows["kind"]) == {"a", "b"}
    assert set(rows["count"]) == {0, 1}


def test_infinite_ends_are_open(network):
    rows, same = (
        network.sample(20, random_state=0, conditions={"number": (1.0, end)})
        for end in (np.inf, None)
    )
    pd.testing.assert_frame_equal(rows, same)


def test_conditions_without_rows_or_twice_are_refused(network):
    given = make_network(2)[["kind"]]
    with pytest.raises(ValueError, match="must have rows; found none"):
        network.sample(conditions=given.head(0))
    with pytest.raises(ValueError, match="name the column 'kind' more than once"):
        network.sample(conditions=given[["kind", "kind"]])


def test_given_cells_of_a_frame_stay_and_others_follow(network):
    given = make_network(600, seed=5).astype({"flag": object})
    given.loc[::2, "kind"] = None
    given.loc[1::2, "number"] = np.nan
    given = given[["number", "kind", "count"]]
    before = given.copy()
    rows = network.sample(conditions=given, random_state=0)
    pd.testing.assert_frame_equal(given, before)
    assert list(rows) == ["kind", "number", "flag", "count"]
    for name in given:
        known = given[name].notna()
        assert (rows[name][known] == given[name][known]).all()
    by_kind = rows[1::2].groupby("kind")["number"].mean()
    for kind, mean in by_kind.items():
        assert mean == pytest.approx(SHIFT[kind], abs=0.4)
    high = rows[::2][rows[::2]["number"] > 5]
    assert (high["kind"] == "c").mean() > 0.9


def test_as_filtered_rows_of_real_data():
    table = load_diabetes(as_frame=True, scaled=False).frame
    synthesizer = DiffusionSynthesizer(hidden_dim=128, conditional=0.5, random_state=0)
    synthesizer.fit(table)
    free = synthesizer.sample(20_000, random_state=0)
    for conditions in ({"sex": 2.0}, {"bmi": (28.0, None)}):
        filtered = free[holds(free, conditions)]
        rows = synthesizer.sample(2000, random_state=1, conditions=conditions)
        assert holds(rows, conditions).all()
        for name in table:
            assert kstest(rows[name], filtered[name]).statistic < 0.12, name


def test_classes_can_be_given():
    table = make_network(2000)
    y = table.pop("kind")
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=400, conditional=True, random_state=0
    )
    synthesizer.fit(table, y)
    X, drawn = synthesizer.sample(300, random_state=0, class_labels="c")
    assert (drawn == "c").all()
    assert X["number"].mean() == pytest.approx(5, abs=0.4)
    labels = np.array(["a", "c"] * 200)
    X, drawn = synthesizer.sample(random_state=0, class_labels=labels)
    assert drawn.tolist() == labels.tolist()
    assert X["number"][labels == "a"].mean() == pytest.approx(0, abs=0.4)
    X, drawn = synthesizer.sample(
        random_state=0, class_labels=labels, conditions={"number": (1.0, 6.0)}
    )
    assert drawn.tolist() == labels.tolist()
    assert X["number"].between(1, 6).all()
    with pytest.raises(ValueError, match=r"not seen in fit: 'd'\. The nearest"):
        synthesizer.sample(class_labels="d")
    with pytest.raises(ValueError, match=r"must be as many; got \[10, 400\]"):
        synthesizer.sample(10, class_labels=labels)


def test_classes_need_a_target(network):
    with pytest.raises(ValueError, match="fitted with y"):
        network.sample(5, class_labels="a")


def test_seeded_rows_do_not_depend_on_how_many_there_are(network):
    conditions = {"number": (0.0, 3.0), "kind": ["a", "b"]}
    rows = network.sample(1300, random_state=3, conditions=conditions)
    few = network.sample(40, random_state=3, conditions=conditions)
    pd.testing.assert_frame_equal(few, rows[:40])
    again = pickle.loads(pickle.dumps(network))
    pd.testing.assert_frame_equal(
        again.sample(40, random_state=3, conditions=conditions), few
    )


@pytest.fixture(scope="module")
def mixed_synthesizer():
    return DiffusionSynthesizer(
        hidden_dim=32, n_blocks=1, max_iter=60, conditional=True, random_state=0
    ).fit(make_mixed(600))


def test_missing_and_dates_can_be_given(mixed_synthesizer):
    sample = mixed_synthesizer.sample
    rows = sample(200, conditions={"price": None, "size": [None, "S"]})
    assert rows["price"].isna().all()
    assert set(rows["size"].dropna()) == {"S"}
    assert rows["size"].isna().any()
    start, end = pd.Timestamp("2024-03-01"), pd.Timestamp("2024-03-09")
    rows = sample(200, conditions={"day": (start, end), "discount": 0.0})
    assert rows["day"].between(start, end).all()
    assert (rows["discount"] == 0).all()
    rows = sample(200, conditions={"price": [1.25, 3.5]})
    assert set(rows["price"]) == {1.25, 3.5}


BAD = {
    "column": ({"weight": 3}, ValueError, "'weight', which is not in the table"),
    "level": ({"size": "XL"}, ValueError, "'XL'. The nearest known ones are 'L'"),
    "outside": ({"price": 1e6}, ValueError, "'price' cannot be 1000000.0; the nearest"),
    "decimals": ({"price": 3.333}, ValueError, "the nearest it can be is 3.33"),
    "discrete": ({"pieces": 100}, ValueError, "'pieces' cannot be 100; the nearest"),
    "gap": ({"day": None}, ValueError, "'day' cannot be missing"),
    "empty_range": ({"price": (900, None)}, ValueError, "no value within .900, None."),
    "between": ({"pieces": (2.2, 2.8)}, ValueError, "no value within"),
    "reversed": ({"price": (5, 1)}, ValueError, "a lower and a higher value"),
    "three": ({"price": (1, 2, 3)}, ValueError, "got 3 entries"),
    "names": ({"size": ("A", "Z")}, ValueError, "holds names, which have no range"),
    "nothing": ({"size": []}, ValueError, "empty list"),
    "text": ({"price": "dear"}, ValueError, "'price' held float64 in fit"),
    "list": (["size"], TypeError, "conditions must be a dict"),
    "frame": (pd.DataFrame({"no": [1]}), ValueError, "'no', which is not in"),
    "cell": (pd.DataFrame({"size": ["S", "Q"]}), ValueError, "not seen in fit: 'Q'"),
}


@pytest.mark.parametrize(("conditions", "error", "message"), BAD.values(), ids=BAD)
def test_impossible_conditions(mixed_synthesizer, conditions, error, message):
    with pytest.raises(error, match=message):
        mixed_synthesizer.sample(conditions=conditions)


def test_conditions_need_a_conditional_fit(fast, mixed):
    synthesizer = fast().fit(mixed)
    with pytest.raises(ValueError, match="set conditional=True and fit it anew"):
        synthesizer.sample(5, conditions={"size": "S"})


def test_frames_of_other_libraries_and_arrays(fast, mixed):
    rows = (
        fast(conditional=True)
        .fit(pl.from_pandas(mixed))
        .sample(9, conditions={"size": "M"})
    )
    assert isinstance(rows, pl.DataFrame)
    assert rows["size"].to_list() == ["M"] * 9
    array = mixed[["pieces", "discount"]].to_numpy()
    rows = fast(conditional=True).fit(array).sample(9, conditions={0: 2, 1: (0.1, 0.5)})
    assert (rows[:, 0] == 2).all()
    assert ((rows[:, 1] >= 0.1) & (rows[:, 1] <= 0.5)).all()


def test_ordered_and_numeric_categories_have_ranges(fast):
    levels = ["low", "mid", "high"]
    grade = pd.Categorical(levels * 30, levels, ordered=True)
    table = pd.DataFrame({"grade": grade, "code": [1, 2, 5] * 30})
    synthesizer = fast(categorical_features=["code"], conditional=True).fit(table)
    rows = synthesizer.sample(50, conditions={"grade": ("mid", None)})
    assert set(rows["grade"]) <= {"mid", "high"}
    assert set(synthesizer.sample(50, conditions={"code": (2, 9)})["code"]) <= {2, 5}


def test_conditions_with_own_encoders(fast):
    table = make_mixed(600)[["discount", "pieces", "size", "gift"]]
    encoder = ColumnTransformer(
        [("names", OneHotEncoder(), ["size"]), ("flag", OrdinalEncoder(), ["gift"])],
        remainder=StandardScaler(),
    )
    synthesizer = fast(encoder=encoder, conditional=True).fit(table)
    asked = {"size": ["S", None], "discount": (0.2, 0.9), "gift": True, "pieces": 3}
    rows = synthesizer.sample(200, conditions=asked)
    assert set(rows["size"].dropna()) <= {"S"}
    assert rows["discount"].between(0.2, 0.9).all()
    assert rows["gift"].all()
    assert (rows["pieces"] == 3).all()


def test_columns_that_are_encoded_together_are_given_together(fast):
    X = np.random.default_rng(0).normal(size=(200, 3))
    encoder = ColumnTransformer([("turn", PCA(2), [0, 1])], remainder=StandardScaler())
    synthesizer = fast(encoder=encoder, conditional=True).fit(X)
    rows = synthesizer.sample(20, conditions={2: (0.0, 1.0)})
    assert ((rows[:, 2] >= 0) & (rows[:, 2] <= 1)).all()
    given = pd.DataFrame({0: X[:4, 0], 1: X[:4, 1]})
    rows = synthesizer.sample(conditions=given)
    np.testing.assert_allclose(rows[:, :2], X[:4, :2], atol=1e-3)
    with pytest.raises(ValueError, match=r"'turn' of encoder encodes .* together"):
        synthesizer.sample(5, conditions={0: (0.0, 1.0)})
