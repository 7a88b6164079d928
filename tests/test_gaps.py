"""Gaps of few rows are filled by what the rest of a row tells."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn import _gaps as gaps
from sklearn_tabsyn._batches import RowDataset, split_rows
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._gaps import N_KEPT, draw_gaps
from sklearn_tabsyn._networks import ResidualMLP

N_ROWS = 800
CORRELATION = 0.9


def make_table(seed=0, share=0.3):
    """Return two correlated numbers and the sign of their sum, and it with gaps."""
    rng = np.random.default_rng(seed)
    covariance = [[1, CORRELATION], [CORRELATION, 1]]
    values = rng.multivariate_normal([0, 0], covariance, N_ROWS).astype(np.float32)
    table = pd.DataFrame(values, columns=["a", "b"])
    table["sign"] = np.where(values.sum(1) > 0, "up", "down")
    return table, table.mask(rng.random(table.shape) < share)


def make_dataset(table):
    """Return numbers as values and levels as codes, as they are."""
    values = table[["a", "b"]].to_numpy(copy=True)
    levels = pd.Categorical(table["sign"], ["down", "up"]).codes[:, None]
    return RowDataset(Rows(values, values, levels.astype(np.int32)))


def make_denoiser(dataset):
    torch.manual_seed(0)
    weights = np.ones(len(dataset))
    blocks = describe_columns(dataset.rows, [(2, True)], weights)
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=16, n_blocks=1)).eval()


@pytest.fixture(scope="module")
def truth():
    return make_table()[0]


@pytest.fixture(scope="module")
def drawn():
    dataset = make_dataset(make_table()[1])
    dataset.draws = draw_gaps(make_denoiser(dataset), dataset)
    return dataset


def hand_out(dataset):
    """Return all rows of a dataset, some times over, as values and levels."""
    torch.manual_seed(0)
    batches = [dataset.__getitems__(np.arange(len(dataset)))[0] for _ in range(5)]
    parts = [(batch.values, batch.levels[:, 0]) for batch in batches]
    return (torch.cat(part).numpy() for part in zip(*parts, strict=True))


def test_filled_rows_depend_as_whole_rows_do(drawn):
    values, levels = hand_out(drawn)
    assert np.corrcoef(values.T)[0, 1] == pytest.approx(CORRELATION, abs=0.05)
    assert np.mean((values.sum(1) > 0) == levels) > 0.85

    values, levels = hand_out(RowDataset(drawn.rows))  # by values of other rows
    assert np.corrcoef(values.T)[0, 1] < CORRELATION - 0.3
    assert np.mean((values.sum(1) > 0) == levels) < 0.85


def test_draws_are_spread_as_what_they_stand_for(drawn, truth):
    gone = drawn.low.isnan().numpy()
    values = drawn.draws[0].numpy()
    errors = values[:, gone] - truth[["a", "b"]].to_numpy()[gone]
    # Of two draws from the same distribution, given what is known of each row.
    assert abs(errors.mean()) < 0.05
    known = gone & ~gone[:, ::-1]
    spread = values[:, known].std(0).mean()
    assert spread == pytest.approx(np.sqrt(1 - CORRELATION**2), rel=0.25)
    share = drawn.draws[1].float().mean().item()
    assert share == pytest.approx(np.mean(truth["sign"] == "up"), abs=0.05)


def test_known_cells_are_handed_out_as_they_are(drawn):
    batch, _ = drawn.__getitems__(np.arange(N_ROWS))
    known = ~drawn.low.isnan()
    torch.testing.assert_close(batch.values[known], drawn.low[known])
    named = drawn.levels >= 0
    assert (batch.levels[named] == drawn.levels[named]).all()
    assert (batch.has_values == known).all() and (batch.has_levels == named).all()


def test_nothing_is_drawn_where_there_is_nothing_to_draw(truth, monkeypatch):
    whole = make_dataset(truth)
    denoiser = make_denoiser(whole)
    assert draw_gaps(denoiser, whole) is None
    gappy = make_dataset(make_table()[1])
    assert draw_gaps(denoiser, gappy.some([0])) is None
    monkeypatch.setattr(gaps, "MAX_COORDINATES", 2)  # fewer than there are
    assert draw_gaps(denoiser, gappy) is None


def test_weights_count_as_rows():
    table = make_table()[1]
    # The same numbers, and those of the other sign that nothing is to be learned of.
    other = table.assign(b=-table["b"])
    dataset = make_dataset(pd.concat([table, other], ignore_index=True))
    weights = np.repeat([1.0, 0.0], N_ROWS)
    weighted = RowDataset(dataset.rows, weights)
    weighted.draws = draw_gaps(make_denoiser(weighted), weighted)
    values, _ = hand_out(weighted.some(np.arange(N_ROWS)))
    assert np.corrcoef(values.T)[0, 1] == pytest.approx(CORRELATION, abs=0.05)


def test_some_rows_keep_their_draws(drawn):
    kept, held_out = split_rows(drawn, 0.25)
    assert kept.draws[0].shape == (N_KEPT, 0.75 * N_ROWS, 2)
    torch.testing.assert_close(
        kept.low.isnan().sum() + held_out.low.isnan().sum(), drawn.low.isnan().sum()
    )
    at = torch.nonzero(kept.low.isnan().any(1))[0].item()
    which = torch.nonzero((drawn.draws[0] == kept.draws[0][:, [at]]).all(-1).all(0))
    row = drawn.low[which.item()]
    torch.testing.assert_close(row, kept.low[at], equal_nan=True)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_synthesizers_of_few_rows_learn_the_dependence(early_stopping):
    table = make_table()[1].iloc[:300]
    model = DiffusionSynthesizer(
        max_iter=100, early_stopping=early_stopping, random_state=0
    )
    drawn = model.fit(table).sample(2000)
    missing = drawn.isna().mean()
    np.testing.assert_allclose(missing, table.isna().mean(), atol=0.07)
    whole = drawn.dropna()
    assert whole["a"].corr(whole["b"]) > 0.85
    assert np.mean((whole["a"] + whole["b"] > 0) == (whole["sign"] == "up")) > 0.85


def test_warm_starts_draw_gaps_of_new_rows():
    table = make_table()[1].iloc[:300]
    model = DiffusionSynthesizer(max_iter=60, warm_start=True, random_state=0)
    model.fit(table)
    model.fit(make_table(seed=1)[1].iloc[:200])
    whole = model.sample(2000).dropna()
    assert whole["a"].corr(whole["b"]) > 0.85
