"""Columns that depend on no other are drawn by themselves."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._batches import RowDataset
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._independence import find_unrelated
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sizes import HELD_BACK_OF, MAX_HELD_BACK, rows_held_back


def make_rows(values, levels):
    values = np.asarray(values, dtype=np.float32)
    return Rows(values, values, np.asarray(levels, dtype=np.int32))


def make_denoiser(rows, n_levels):
    torch.manual_seed(0)
    books = [(n, False) for n in n_levels]
    blocks = describe_columns(rows, books, np.ones(len(rows.levels)))
    denoiser = Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()
    torch.nn.init.normal_(denoiser.network.outputs.weight)
    return denoiser


def test_what_pairs_show():
    rng = np.random.default_rng(0)
    x, noise, gappy = rng.normal(size=(3, 1_500))
    bend = x**2 + 0.5 * rng.normal(size=1_500)  # uncorrelated
    gappy[rng.random(1_500) < 0.3] = np.nan
    names = np.where(x > 0, rng.integers(0, 40, 1_500), rng.integers(20, 60, 1_500))
    alone = rng.integers(-1, 60, 1_500)
    rows = make_rows(
        np.stack([x, noise, bend, gappy, np.full(1_500, np.nan)], 1),
        np.stack([names, alone], 1),
    )
    denoiser = make_denoiser(rows, [60, 60])
    found = find_unrelated(denoiser, rows)[None].float()
    found_values, found_levels = denoiser.unlabelled(found)
    assert found_values[0].tolist() == [False, True, False, True, True]
    assert found_levels[0].tolist() == [False, True]


def test_few_independent_columns_seem_to_depend_by_chance():
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(20):
        rows = make_rows(rng.normal(size=(500, 8)), rng.integers(0, 3, (500, 2)))
        wrong += (~find_unrelated(make_denoiser(rows, [3, 3]), rows)).sum().item()
    assert wrong <= 0.1 * 20 * 10


def test_columns_that_are_left_alone_follow_their_marginals():
    rng = np.random.default_rng(0)
    rows = make_rows(rng.normal(size=(100, 2)), rng.integers(0, 3, (100, 2)))
    denoiser = make_denoiser(rows, [3, 3])
    batch, _ = RowDataset(rows, fixed=True).__getitems__(np.arange(100))
    noisy = denoiser.encode(batch) + torch.randn(100, len(denoiser.mean))
    sigma = torch.ones(100)
    silent = [torch.zeros(100, n) for n in denoiser.n_outputs]
    with torch.no_grad():
        before = denoiser.entropies(noisy, sigma, batch)
        alone = denoiser.entropies(noisy, sigma, batch, silent)
        denoiser.leave_alone(torch.tensor([False, True, True, False]))
        denoiser.leave_alone(torch.tensor([False, False, True, False]))
        after = denoiser.entropies(noisy, sigma, batch)
    torch.testing.assert_close(after[:, 1:3], alone[:, 1:3])
    torch.testing.assert_close(after[:, [0, 3]], before[:, [0, 3]])
    assert not torch.allclose(alone, before)


class Batches(Callback):
    """Tell how many rows the batches are drawn from."""

    def on_train_end(self, net, dataset_train=None, **kwargs):
        self.n_rows = net.batches_.n_rows


def make_table(n_rows=1_600, seed=0):
    """Return noise, and bits of which one is told by the other two together only."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 2, (2, n_rows)).astype(bool)
    return pd.DataFrame(
        {
            "noise": rng.gamma(3, size=n_rows),
            "other": rng.gamma(2, size=n_rows),
            "first": first,
            "second": second,
            "differ": first ^ second,
        }
    )


@pytest.fixture(scope="module")
def fitted():
    table = make_table()
    looks = Batches()
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, max_iter=600, callbacks=[looks], random_state=0
    ).fit(table)
    assert looks.n_rows == len(table)
    return synthesizer.set_params(callbacks=None)


def test_only_what_nothing_tells_is_left_alone(fitted):
    denoiser = fitted.denoiser_
    numbers, bits = denoiser.heeded.split(denoiser.n_outputs)
    assert not numbers.any() and bits.all()
    rows = fitted.sample(2_000, random_state=0)
    assert ((rows["first"] ^ rows["second"]) == rows["differ"]).mean() > 0.9


def test_it_is_kept_by_pickles(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    rows = [part.sample(20, random_state=1) for part in (fitted, again)]
    pd.testing.assert_frame_equal(*rows)
    assert not again.denoiser_.heeds_all


def test_a_student_draws_them_by_its_network(fitted):
    student = fitted.distill(num_steps=2, max_iter=5)
    assert student.student_.heeds_all and not student.denoiser_.heeds_all
    again = pickle.loads(pickle.dumps(student))
    rows = [part.sample(20, random_state=1) for part in (student, again)]
    pd.testing.assert_frame_equal(*rows)


def test_rows_are_held_back_of_some_tables_only():
    fewest, most = HELD_BACK_OF
    assert rows_held_back(fewest) == rows_held_back(most) == 0
    assert rows_held_back(1_600) == 200
    assert rows_held_back(most - 1) == MAX_HELD_BACK
    assert rows_held_back(1_600, conditional=1) == 0
