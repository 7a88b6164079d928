"""Rows that a critic chooses among drawn ones, on tables of known law."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import make_mixed
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._critic import MIN_ROWS, Critic, choose
from sklearn_tabsyn._generation import BLOCK_ROWS, draw_whole
from sklearn_tabsyn._model import TableModel
from sklearn_tabsyn._sizes import default_candidates
from sklearn_tabsyn._table import TableSchema


@given(
    weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_as_many_as_asked_are_chosen_and_none_twice(weights, share, seed):
    n_chosen = max(1, round(share * len(weights)))
    chosen = choose(np.array(weights), n_chosen, np.random.default_rng(seed))
    assert len(np.unique(chosen)) == len(chosen) == n_chosen
    assert 0 <= chosen[0] and chosen[-1] < len(weights)
    assert (np.diff(chosen) > 0).all()


def test_chances_are_in_proportion_to_weights():
    random = np.random.default_rng(0)
    weights = np.array([100.0, 1, 2, 3, 4, 5, 6, 7, 8, 4])
    counts = np.zeros(10)
    for _ in range(20_000):
        counts[choose(weights, 3, random)] += 1
    # the first is sure, the others share two places
    assert_allclose(counts / 20_000, [1, *weights[1:] / 20], atol=0.015)


def test_wide_tables_have_more_candidates():
    assert [default_candidates(n) for n in (1, 16, 20, 300)] == [1.25, 1.25, 1.5625, 2]


class Model(TableModel):
    """Two numbers and a name, encoded as they are."""

    def __init__(self, table):
        self.schemas = [TableSchema.from_table(table, "from_dtype")]

    def decode_frames(self, values, levels, *_):
        """Yield the only frame."""
        yield pd.DataFrame(np.hstack([values, levels]))


def draw_uniform(n_rows):
    """Yield blocks of independent uniform numbers and names."""
    for place in range(-(-n_rows // BLOCK_ROWS)):
        random = np.random.default_rng([7, place])
        levels = random.integers(0, 3, (BLOCK_ROWS, 1))
        yield random.random((BLOCK_ROWS, 2)).round(3), levels


def uniform_rows(n_rows):
    """Return such rows, side by side."""
    return draw_whole(draw_uniform, n_rows, "critic")


def make_uneven(n_rows, seed=0):
    """Return rows of which none has both numbers above 0.5, and names that differ."""
    random = np.random.default_rng(seed)
    numbers = random.random((2 * n_rows, 2)).round(3)
    numbers = numbers[(numbers <= 0.5).any(1)][:n_rows]
    names = random.choice(["a", "b", "c"], n_rows, p=[0.6, 0.3, 0.1])
    return pd.DataFrame(numbers, columns=["x", "y"]).assign(name=names)


def chosen_quarter(critic, n_blocks=20):
    """Return a quarter of the rows of blocks, numbers and names side by side."""
    rows = []
    for place, block in enumerate(draw_uniform(n_blocks * BLOCK_ROWS)):
        kept = critic.choose(BLOCK_ROWS // 4, [0], place, *block)
        rows.append(np.hstack([part[kept] for part in block]))
    return np.concatenate(rows)


def test_what_is_too_frequent_is_thinned_out():
    table = make_uneven(6_000)
    critic = Critic(Model(table))
    critic.fit(critic.model.read(table, None), np.ones(6_000), uniform_rows(6_000), 0)
    rows = chosen_quarter(critic)
    corner = (rows[:, :2] > 0.5).all(1).mean()
    assert corner < 0.02  # 0.25 of the drawn ones
    shares = np.bincount(rows[:, 2].astype(int)) / len(rows)
    assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.03)
    # what was right stays so
    below = rows[(rows[:, 1] <= 0.5), 0]
    assert abs((below < 0.25).mean() - 0.25) < 0.03


def test_weights_of_rows_count():
    table = make_uneven(6_000)
    weights = np.where(table["name"] == "c", 3.0, 1.0)
    critic = Critic(Model(table))
    critic.fit(critic.model.read(table, None), weights, uniform_rows(6_000), 0)
    rows = chosen_quarter(critic)
    assert abs((rows[:, 2] == 2).mean() - 0.25) < 0.03


@pytest.mark.parametrize("dtype", ["float64", "float32", "Int64", "object"])
def test_settled_values_are_those_of_restored_ones(dtype):
    table = make_mixed(300)
    whole = 3 * table["pieces"] - 5
    table["whole"] = whole.astype(dtype)
    table["empty"] = np.nan
    table["none"] = pd.Series([pd.NaT] * 300)
    schema = TableSchema.from_table(table, "from_dtype")
    frame = schema.read(table)
    random = np.random.default_rng(0)
    spread = frame.std().fillna(0).to_numpy()
    drawn = frame + random.normal(0, 0.3, frame.shape) * spread
    for column, cells in schema.canonical(drawn):
        if column.kind == "category":
            continue
        assert_array_equal(column.settle(cells), column.read(column.restore(cells)))


@pytest.fixture(scope="module")
def fitted():
    """A synthesizer that has learned little, and its table."""
    table = make_mixed(2_500)
    table["empty"] = np.nan
    synthesizer = DiffusionSynthesizer(
        hidden_dim=16, n_blocks=1, max_iter=30, candidates=3, random_state=0
    )
    return synthesizer.fit(table), table


def price_gap(rows, table):
    """Return how far median prices by size are from the real ones, in logarithms."""
    medians = (np.log(t.groupby("size")["price"].median()) for t in (rows, table))
    return (next(medians) - next(medians)).abs().mean()


def test_rows_come_nearer_to_the_table(fitted):
    synthesizer, table = fitted
    chosen = synthesizer.sample(4_000, random_state=0)
    synthesizer = pickle.loads(pickle.dumps(synthesizer)).set_params(candidates=1)
    every = synthesizer.sample(4_000, random_state=0)
    assert price_gap(chosen, table) < 0.5 * price_gap(every, table)
    pd.testing.assert_series_equal(chosen.dtypes, table.dtypes)
    assert chosen["empty"].isna().all()
    for column in ("price", "size"):
        gaps = [t[column].isna().mean() for t in (chosen, table)]
        assert abs(gaps[0] - gaps[1]) < 0.03


def test_a_seed_gives_the_same_rows_whatever_their_number(fitted):
    synthesizer, _ = fitted
    rows = synthesizer.sample(3_000, random_state=1)
    pd.testing.assert_frame_equal(rows[:500], synthesizer.sample(500, random_state=1))
    batches = synthesizer.sample_batches(3_000, 700, random_state=1)
    together = pd.concat(batches, ignore_index=True)
    pd.testing.assert_frame_equal(rows, together)
    restored = pickle.loads(pickle.dumps(synthesizer))
    pd.testing.assert_frame_equal(rows, restored.sample(3_000, random_state=1))
    assert not rows.equals(synthesizer.sample(3_000, random_state=2))


def test_a_fit_repeats():
    table = make_uneven(MIN_ROWS)
    make = DiffusionSynthesizer(max_iter=20, hidden_dim=16, random_state=3)
    rows = [make.fit(table).sample(800, random_state=0) for _ in range(2)]
    pd.testing.assert_frame_equal(*rows)


def test_target_is_judged_with_the_rows(fast):
    table = make_uneven(2_000)
    y = np.where(table["x"] > table["y"], "right", "left")
    synthesizer = fast(candidates=4, max_iter=5).fit(table, y)
    agree = {}
    for candidates in (1, 4):
        synthesizer.set_params(candidates=candidates)
        rows, target = synthesizer.sample(2_000, random_state=0)
        agree[candidates] = ((rows["x"] > rows["y"]) == (target == "right")).mean()
    assert agree[4] > agree[1] + 0.1


def test_given_columns_and_students_of_one_step_have_none(fast):
    table = make_uneven(2_000)
    synthesizer = fast(candidates=2, conditional=True).fit(table)
    conditions = {"name": "c"}
    rows = synthesizer.sample(50, random_state=0, conditions=conditions)
    fast_rows = synthesizer.distill(max_iter=2).sample(50, random_state=0)
    synthesizer.set_params(candidates=1)
    others = synthesizer.sample(50, random_state=0, conditions=conditions)
    pd.testing.assert_frame_equal(rows, others)
    others = synthesizer.distill(max_iter=2).sample(50, random_state=0)
    pd.testing.assert_frame_equal(fast_rows, others)


@pytest.mark.parametrize(
    ("n_rows", "params", "expected"),
    [
        (MIN_ROWS, {}, 1.25),
        (MIN_ROWS - 1, {}, 1),
        (MIN_ROWS, {"protect_values": True}, 1),
        (MIN_ROWS, {"candidates": 1}, 1),
        (100, {"candidates": 2}, 2),
    ],
)
def test_who_has_a_critic(fast, n_rows, params, expected):
    synthesizer = fast(max_iter=2, **params).fit(make_uneven(n_rows))
    drawn = []
    synthesizer._by_denoiser = lambda size, *_, **__: drawn.append(size) or iter(())
    with pytest.raises((StopIteration, RuntimeError)):
        synthesizer.sample(BLOCK_ROWS)
    n_kept = int(BLOCK_ROWS / expected)
    assert -(-drawn[0] // BLOCK_ROWS) == -(-BLOCK_ROWS // n_kept)


def test_a_new_fit_has_a_new_critic(fast):
    synthesizer = fast(max_iter=2, candidates=2).fit(make_uneven(100))
    first = synthesizer._critic
    assert synthesizer.fit(make_uneven(100, seed=1))._critic is not first
    assert synthesizer.set_params(candidates=1).fit(make_uneven(100))._critic is None


@pytest.mark.parametrize("candidates", [0.5, 65, "many", None])
def test_bad_numbers_of_candidates(fast, candidates):
    with pytest.raises(ValueError, match="candidates"):
        fast(candidates=candidates).fit(make_uneven(100))


def test_choice_needs_a_critic(fast):
    synthesizer = fast(max_iter=2).fit(make_uneven(100)).set_params(candidates=2)
    with pytest.raises(ValueError, match="candidates=2 needs a critic"):
        synthesizer.sample(5)
    with pytest.raises(ValueError, match="protect_values=False"):
        fast(candidates=2, protect_values=True).fit(make_uneven(100))
    with pytest.raises(NotFittedError):
        fast(candidates=2).sample(5)


def test_progress_is_shown(fast, capsys):
    fast(max_iter=2, candidates=2, verbose=1).fit(make_uneven(100))
    assert "critic" in capsys.readouterr().err


def test_an_interrupted_critic_is_none(fast, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Critic, "fit", interrupt)
    synthesizer = fast(max_iter=2)
    with pytest.warns(
        ConvergenceWarning, match="before it had learned from drawn rows"
    ):
        synthesizer.fit(make_uneven(MIN_ROWS))
    assert len(synthesizer.sample(20)) == 20


def test_trees_hold_no_rows(fast):
    table = make_uneven(5_000)
    critic = fast(max_iter=2, candidates=2).fit(table)._critic
    held = SimpleNamespace(arrays=[])

    def look(thing, depth=0):
        if isinstance(thing, np.ndarray):
            held.arrays.append(thing)
        elif isinstance(thing, dict):
            [look(v, depth + 1) for v in thing.values()]
        elif isinstance(thing, list | tuple):
            [look(v, depth + 1) for v in thing]
        elif hasattr(thing, "__dict__") and depth < 12:
            look(vars(thing), depth + 1)

    look(critic.trees)
    assert held.arrays
    assert max(map(len, (a for a in held.arrays if a.ndim))) < 300
