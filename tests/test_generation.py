"""Blocks of rows, batches cut from them, and the profile of a denoiser."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import kstest
from scipy.stats.qmc import Sobol

from sklearn_tabsyn import _generation
from sklearn_tabsyn._batches import RowDataset
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._generation import (
    BLOCK_ROWS,
    cut_batches,
    even_noise,
    generate_blocks,
    noise_profile,
    rows_at_once,
)
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sampling import SAMPLERS, karras_sigmas

SIGMAS = karras_sigmas(25, 0.01, 20.0, 7.0)
SHARES = [0.6, 0.3, 0.1]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3000, 1)).astype(np.float32)
    values[:900] = 0.5  # a heavy tie
    levels = rng.choice(3, size=(3000, 2), p=SHARES).astype(np.int32)
    return Rows(values, values, levels)


@pytest.fixture(scope="module")
def denoiser(rows):
    """A denoiser that has learned nothing but the marginals."""
    blocks = describe_columns(rows, [(3, False), (3, True)], np.ones(3000))
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()


def take(blocks, n_blocks):
    values, levels = zip(*islice(blocks, n_blocks), strict=True)
    return np.concatenate(values), np.concatenate(levels)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_marginals_are_reproduced(denoiser, rows, sampler):
    sigmas = karras_sigmas(50, 0.01, 20.0, 7.0)
    values, levels = take(generate_blocks(denoiser, sigmas, [0], sampler=sampler), 12)
    n = 12 * BLOCK_ROWS
    for j in range(2):
        real = np.bincount(rows.levels[:, j], minlength=3) / 3000
        drawn = np.bincount(levels[:, j], minlength=3) / n
        # four standard deviations of a share, and a little for the solver
        np.testing.assert_allclose(drawn, real, atol=4 * np.sqrt(0.25 / n) + 0.005)
    tie = np.abs(values[:, 0] - 0.5) < 1e-3
    assert tie.mean() == pytest.approx(0.3, abs=0.035)
    quantiles = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(
        np.quantile(values[:, 0], quantiles),
        np.quantile(rows.low[:, 0], quantiles),
        atol=0.12,
    )


def test_a_seed_is_a_series_of_blocks(denoiser):
    first, again = (take(generate_blocks(denoiser, SIGMAS, [3]), 2) for _ in range(2))
    other = take(generate_blocks(denoiser, SIGMAS, [4]), 2)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()
        assert (a[:BLOCK_ROWS] != a[BLOCK_ROWS:]).any()


def test_threads_change_nothing_and_stay_as_they_were(denoiser):
    before, found = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            found.append(take(generate_blocks(denoiser, SIGMAS, [3]), 3))
            assert torch.get_num_threads() == n_threads
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == n_threads
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_rows", [1, BLOCK_ROWS, 2 * BLOCK_ROWS + 1])
def test_no_more_blocks_than_needed(denoiser, n_rows):
    blocks = generate_blocks(denoiser, SIGMAS[-3:], [0], n_rows=n_rows)
    assert len(list(blocks)) == -(-n_rows // BLOCK_ROWS)


def test_rows_of_wide_tables_walk_in_pieces(fast, mixed, monkeypatch):
    synthesizer = fast().fit(mixed)
    whole = synthesizer.sample(300, random_state=1)
    assert rows_at_once(synthesizer.denoiser_) == BLOCK_ROWS
    monkeypatch.setattr(_generation, "MAX_NUMBERS", 2**14)
    assert _generation.MIN_ROWS <= rows_at_once(synthesizer.denoiser_) < BLOCK_ROWS
    parts = synthesizer.sample(300, random_state=1)
    same = (whole == parts) | (whole.isna() & parts.isna())
    assert same.to_numpy().mean() > 0.98


def test_churn_changes_the_rows_and_repeats(denoiser):
    churn = {"S_churn": 10.0, "S_tmin": 0.0, "S_tmax": 50.0, "S_noise": 1.0}
    make = partial(generate_blocks, denoiser, SIGMAS, [0], sampler="heun")
    plain, churned, again = (take(make(churn=c), 1)[0] for c in (None, churn, churn))
    np.testing.assert_array_equal(churned, again)
    assert (plain != churned).any()


def test_noise_is_normal_and_even():
    noise = np.concatenate([even_noise(np.random.default_rng(k), 3) for k in range(8)])
    for column in noise.T:
        assert kstest(column, "norm").statistic < 0.003
    correlation = np.corrcoef(noise.T) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(len(noise))
    # pairs are even, too: each of 16 by 16 equally likely boxes has as many rows
    boxes, _, _ = np.histogram2d(*ndtr(noise[:BLOCK_ROWS, :2]).T, 16, [[0, 1]] * 2)
    assert (boxes == BLOCK_ROWS / 256).all()
    # the first row of many blocks is normal, too
    first = [even_noise(np.random.default_rng(k), 1)[0, 0] for k in range(1000)]
    assert kstest(first, "norm").pvalue > 0.01


@pytest.mark.parametrize("batch_size", [1, 7, 10, 16, 100])
def test_batches_are_cuts_of_the_blocks(batch_size):
    def blocks():
        for start in range(0, 1000, 10):
            part = np.arange(start, start + 10)
            yield part[:, None], part[:, None] * 2

    values, levels = zip(*cut_batches(blocks(), 33, batch_size), strict=True)
    sizes = [len(part) for part in values]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    np.testing.assert_array_equal(np.concatenate(values)[:, 0], np.arange(33))
    np.testing.assert_array_equal(np.concatenate(levels)[:, 0], 2 * np.arange(33))


def test_profile_rises_from_certainty_to_the_marginals(denoiser, rows):
    torch.manual_seed(0)
    sigmas, entropy = noise_profile(denoiser, RowDataset(rows))
    assert (np.diff(sigmas) > 0).all()
    assert entropy[0] == pytest.approx(0, abs=0.2)
    assert (np.diff(entropy) > -0.05).all()
    assert entropy[-1] > 0.8


def test_there_is_noise_for_more_coordinates_than_the_sequence_has():
    noise = even_noise(np.random.default_rng(0), Sobol.MAXDIM + 2)
    assert noise.shape == (BLOCK_ROWS, Sobol.MAXDIM + 2)
    assert kstest(noise[:, -1], "norm").statistic < 0.003
