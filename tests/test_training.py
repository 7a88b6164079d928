"""The loss, the batches, the callbacks and the net."""

import itertools
import time
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from skorch.callbacks import Callback, EarlyStopping

from sklearn_tabsyn._batches import (
    Budget,
    RowDataset,
    ShuffledBatches,
    split_rows,
    weighted_rows,
)
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._callbacks import LearningRate, WeightAverage
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sizes import (
    FEW,
    MAX_PASSES,
    MAX_STEPS,
    default_batch,
    default_steps,
)
from sklearn_tabsyn._training import EDMLoss, losses_of, train_net

N_ROWS = 300


@pytest.fixture
def rows():
    """A number that follows a level, and that some rows do not have."""
    rng = np.random.default_rng(0)
    level = rng.integers(0, 2, N_ROWS)
    value = (2 * level + 0.3 * rng.normal(size=N_ROWS)).astype(np.float32)
    missing = rng.random(N_ROWS) < 0.2
    value[missing] = np.nan
    levels = np.stack([level, missing], 1).astype(np.int32)
    return Rows(value[:, None], value[:, None], levels)


def make_denoiser(rows):
    torch.manual_seed(0)
    blocks = describe_columns(rows, [(2, False), (2, False)], np.ones(len(rows.levels)))
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=16, n_blocks=1))


def train(dataset, budget=None, **kwargs):
    denoiser = make_denoiser(dataset.rows)
    budget = budget or Budget(60, steps_per_epoch=10)
    net = train_net(denoiser, dataset, budget, batch_size=64, **kwargs)
    return denoiser, net


def test_sigmas_are_log_normal_and_stratified():
    torch.manual_seed(0)
    sigma = EDMLoss(P_mean=-1.2, P_std=1.2).draw_sigma(torch.zeros(1000, 3))
    share = norm.cdf((np.log(sigma.numpy()) + 1.2) / 1.2)
    assert kstest(share, "uniform").statistic < 0.005
    cells = np.floor(share * 1000).astype(int)
    np.testing.assert_allclose(cells, np.arange(1000), atol=1)


def test_loss_of_rows_is_weighted(rows):
    denoiser = make_denoiser(rows)
    batch, weights = RowDataset(rows, np.linspace(0, 2, N_ROWS)).__getitems__(range(50))
    losses = []
    for w in (torch.ones(50), weights):
        torch.manual_seed(1)
        losses.append(EDMLoss()(denoiser, batch, w))
    torch.testing.assert_close(losses[1], losses[0] * weights)


def test_dataset_fills_gaps_with_values_of_other_rows(rows):
    torch.manual_seed(0)
    dataset = RowDataset(rows)
    batch, _ = dataset.__getitems__(np.arange(N_ROWS))
    missing = np.isnan(rows.low[:, 0])
    np.testing.assert_array_equal(batch.has_values[:, 0], ~missing)
    known = rows.low[~missing, 0]
    np.testing.assert_array_equal(batch.values[~missing, 0], known)
    assert np.isin(batch.values[missing, 0], known).all()
    again, _ = dataset.__getitems__(np.arange(N_ROWS))
    assert (again.values != batch.values).numpy()[missing, 0].mean() > 0.5


def test_dataset_spreads_ties_over_their_range():
    low = np.zeros((4000, 1), dtype=np.float32)
    tied = Rows(low, low + 2, np.zeros((4000, 0), dtype=np.int32))
    torch.manual_seed(0)
    batch, _ = RowDataset(tied).__getitems__(np.arange(4000))
    assert kstest(batch.values[:, 0].numpy() / 2, "uniform").pvalue > 0.01


def test_dataset_copes_with_a_column_that_is_never_there():
    low = np.full((5, 1), np.nan, dtype=np.float32)
    dataset = RowDataset(Rows(low, low, np.full((5, 1), -1, np.int32)))
    batch, _ = dataset.__getitems__([0])
    assert torch.isfinite(batch.values).all()
    assert batch.levels.min() >= 0
    assert batch.has_values.sum() + batch.has_levels.sum() == 0


def test_one_pass_visits_every_row_once():
    budget = Budget(max_iter=20, steps_per_epoch=10)
    batches = ShuffledBatches(100, 10, budget)
    torch.manual_seed(0)
    for _ in range(2):
        seen = torch.cat(list(batches))
        assert sorted(seen.tolist()) == list(range(100))
    assert list(batches) == []  # the budget is used


def test_default_budget_grows_slower_than_the_table():
    sizes = [1, 2, 40, 1_000, 2_000, 8_000, 9_000, 30_000, 100_000, 10**7]
    steps = [default_steps(size) for size in sizes]
    assert steps[0] == steps[1] == 50
    assert steps == sorted(steps)
    assert (np.diff(np.divide(steps, sizes)) < 0).all()
    assert steps[-1] == MAX_STEPS


@pytest.mark.parametrize("n_rows", [2_000, 8_000, 30_000])
def test_wide_tables_get_more_steps(n_rows):
    steps = [default_steps(n_rows, n) for n in (2, 16, 20, 24, 300)]
    assert steps[0] == steps[1] < steps[2] < steps[3] == steps[4]
    assert abs(steps[4] / steps[0] - 1.5) < 0.01


def test_no_table_is_passed_over_too_often():
    cases = itertools.product((1_000, 4_000, 8_000, 12_000, 40_000), (5, 30), (0, 1))
    for n_rows, n_columns, conditional in cases:
        steps = default_steps(n_rows, n_columns, conditional=conditional)
        assert steps * default_batch(n_rows, conditional) <= MAX_PASSES * n_rows


def test_batches_are_larger_where_columns_are_always_given():
    assert [default_batch(n) for n in (9, 3_200, 10**6)] == [64, 200, 1_024]
    assert [default_batch(n, 1.0) for n in (9, 3_200, 10**6)] == [64, 400, 1_024]


def test_a_start_needs_half_as_many_steps_as_rows():
    steps = [default_steps(n, has_start=True) for n in (9, 75, 500, FEW, 4 * FEW)]
    assert steps == [50, 50, 250, 500, 1517]
    assert default_steps(FEW, has_start=True) < default_steps(FEW)
    given = [default_steps(n, has_start=True, conditional=1) for n in (9, 1_200, 2_000)]
    assert given == [300, 300, 500]


def test_budget_ends_by_time():
    budget = Budget(max_iter=10**6, max_time=0.05, steps_per_epoch=10**6)
    start = time.perf_counter()
    steps = 0
    for _ in ShuffledBatches(10, 5, budget):
        time.sleep(0.001)
        steps += 1
    assert steps == budget.step
    assert 1 <= steps < 1000
    assert time.perf_counter() - start < 5
    assert budget.progress() == 1


def test_learning_rate_rises_and_falls():
    class Net:
        lr = 0.5

        class optimizer_:
            param_groups = ({"lr": None},)

    budget = Budget(1000)
    schedule, rates = LearningRate(budget), []
    for budget.step in range(1, 1001):
        schedule.on_batch_begin(Net, training=True)
        rates.append(Net.optimizer_.param_groups[0]["lr"])
    rates = np.array(rates)
    np.testing.assert_allclose(rates[[0, 49, 99, 499]], [0.005, 0.25, 0.5, 0.5])
    np.testing.assert_allclose(rates[[749, 999]], [0.25, 0.0])
    assert (np.diff(rates[99:]) <= 0).all()


def test_average_of_the_weights_follows_its_formula():
    class Net:
        module_ = torch.nn.Linear(1, 1, bias=False)

    weight = Net.module_.weight
    average = WeightAverage(decay=0.7)
    with torch.no_grad():
        weight.fill_(0.0)
        average.on_train_begin(Net)
        expected = None
        for step in range(12):
            weight.fill_(float(step))
            average.on_batch_end(Net, training=True)
            decay = min(0.7, (1 + step) / (10 + step))
            expected = step if expected is None else expected
            expected = decay * expected + (1 - decay) * step
        average.on_epoch_end(Net)
        assert weight.item() == pytest.approx(expected, rel=1e-5)
        average.on_epoch_begin(Net)
        assert weight.item() == 11
        average.on_train_end(Net)
        assert weight.item() == pytest.approx(expected, rel=1e-5)


def test_training_learns(rows):
    denoiser, net = train(RowDataset(rows), Budget(200, steps_per_epoch=20))
    assert net.budget.step == 200
    losses = losses_of(net, "train_loss")
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    untrained = make_denoiser(rows)
    batch, weights = RowDataset(rows).__getitems__(np.arange(N_ROWS))
    found = []
    for candidate in (denoiser, untrained):
        torch.manual_seed(5)
        found.append(EDMLoss()(candidate.eval(), batch, weights).mean().item())
    assert found[0] < 0.95 * found[1]


def test_early_stopping_ends_with_the_best_weights(rows):
    class Spoil(Callback):
        """Make the net useless from the third epoch on."""

        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) > 2:
                with torch.no_grad():
                    net.module_.network.outputs.bias.add_(10.0)

    torch.manual_seed(0)
    kept, held_out = split_rows(RowDataset(rows), 0.2)
    assert len(kept) == 240
    assert len(held_out) == 60
    denoiser, net = train(
        kept,
        Budget(500, steps_per_epoch=10),
        held_out=held_out,
        watcher=EarlyStopping(patience=3, load_best=True),
        callbacks=[Spoil()],
    )
    held = losses_of(net, "valid_loss")
    assert len(held) < 50
    assert not net.interrupted_
    batch, w = held_out.__getitems__(np.arange(60))
    torch.manual_seed(0)
    final = EDMLoss()(denoiser.eval(), batch, w).mean().item()
    assert final < min(held[3:])


def test_split_needs_two_rows(rows):
    one = Rows(*(part[:1] for part in rows))
    with pytest.raises(ValueError, match="early_stopping=True needs at least 2 rows"):
        split_rows(RowDataset(one), 0.5)


def test_interrupted_training_leaves_the_average(rows):
    class Interrupt(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            if net.budget.step == 15:
                raise KeyboardInterrupt

    denoiser, net = train(RowDataset(rows), callbacks=[Interrupt()])
    assert net.interrupted_
    assert net.budget.step == 15
    assert all(torch.isfinite(p).all() for p in denoiser.parameters())
    assert any((p != 0).any() for p in denoiser.network.outputs.parameters())


def test_rows_without_weight_are_left_out():
    X, y, weights = weighted_rows(
        np.arange(8).reshape(4, 2), [5, 6, 7, 8], [0, 2, 0, 1]
    )
    assert X.tolist() == [[2, 3], [6, 7]]
    assert list(y) == [6, 8]
    assert weights.tolist() == [2, 1]
    with pytest.raises(ValueError, match=r"(?i)sample.weights? must"):
        weighted_rows(np.ones((2, 1)), None, [0, 0])
    with pytest.raises(ValueError, match="Negative values"):
        weighted_rows(np.ones((2, 1)), None, [1, -1])
