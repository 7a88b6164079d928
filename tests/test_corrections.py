"""Corrections of the steps of a walk."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kstest

from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._corrections import learn_corrections
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._generation import BLOCK_ROWS, even_noise, generate_blocks
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sampling import karras_sigmas, unipc

SIGMAS = karras_sigmas(9, 0.02, 8.0, 7.0).tolist()
SHARES = [0.5, 0.3, 0.2]


@pytest.fixture(scope="module")
def denoiser():
    """The exact denoiser of independent columns: a number, names, and a constant."""
    random = np.random.default_rng(0)
    numbers = np.concatenate([random.normal(-2, 0.3, 900), random.normal(1, 0.5, 2100)])
    numbers = np.c_[numbers, np.ones(3000)].astype(np.float32)
    levels = random.choice(3, size=(3000, 2), p=SHARES).astype(np.int32)
    rows = Rows(numbers, numbers, levels)
    blocks = describe_columns(rows, [(3, False), (3, True)], np.ones(3000))
    denoiser = Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()
    denoiser.numbers = numbers
    return denoiser


@pytest.fixture(scope="module")
def corrections(denoiser):
    return learn_corrections(denoiser, SIGMAS)


@pytest.fixture(scope="module")
def weights(corrections):
    return corrections.weights


def start(denoiser, seed=1):
    """Rows that the corrections have not seen, at the first noise level."""
    noise = even_noise(np.random.default_rng(seed), len(denoiser.mean))
    return denoiser.near_gaussian(torch.from_numpy(noise), SIGMAS[0])


def test_few_levels_lead_nearer_to_where_many_lead(denoiser, corrections):
    x = start(denoiser)
    with torch.no_grad():
        fine = np.geomspace(SIGMAS[0], SIGMAS[-1], 200).tolist()
        exact = unipc(denoiser.denoise, x, fine)
        plain = unipc(denoiser.denoise, x, SIGMAS)
        corrected = unipc(denoiser.denoise, x, SIGMAS, corrections.correct)
    before, after = ((end - exact).abs().mean() for end in (plain, corrected))
    assert after < before / 1.5


def test_each_step_and_column_has_weights(denoiser, weights):
    n_known = [len(step) for step in weights]
    assert n_known == [2, 3, *[4] * (len(SIGMAS) - 3)]
    assert {step.shape[1] for step in weights} == {4}
    assert all(np.isfinite(step).all() for step in weights)


def test_nothing_is_learned_of_a_constant(denoiser, weights):
    constant = int(torch.nonzero(denoiser.variance[:2] == 0))
    assert all(np.abs(step[:, constant]).max() < 0.05 for step in weights)


def test_they_are_the_same_each_time(denoiser, weights):
    state = torch.get_rng_state()
    again = learn_corrections(denoiser, SIGMAS).weights
    assert torch.equal(torch.get_rng_state(), state)
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_marginals_are_reproduced(denoiser, corrections):
    how = {"n_rows": 4_000, "corrections": corrections}
    blocks = generate_blocks(denoiser, SIGMAS, [0], **how)
    values, levels = (np.concatenate(part) for part in zip(*blocks, strict=True))
    assert len(values) == 2 * BLOCK_ROWS
    assert kstest(values[:, 0], denoiser.numbers[:, 0]).statistic < 0.03
    np.testing.assert_allclose(values[:, 1], 1, atol=1e-5)
    for j in range(2):
        shares = np.bincount(levels[:, j], minlength=3) / len(levels)
        np.testing.assert_allclose(shares, SHARES, atol=0.03)


def test_they_are_learned_anew_for_other_levels(fast, mixed):
    synthesizer = fast(sampler="fitted").fit(mixed)
    rows = synthesizer.sample(50, random_state=0)
    other = synthesizer.set_params(num_steps=5).sample(50, random_state=0)
    assert not other.equals(rows)
    again = synthesizer.set_params(num_steps=8).sample(50, random_state=0)
    pd.testing.assert_frame_equal(again, rows)


def test_a_new_fit_forgets_them(fast, mixed):
    # a fixed schedule, so that the noise levels stay
    synthesizer = fast(sampler="fitted", schedule="karras").fit(mixed)
    synthesizer.sample(5)
    refitted = synthesizer.fit(mixed[["pieces", "size"]]).sample(50, random_state=0)
    fresh = fast(sampler="fitted", schedule="karras").fit(mixed[["pieces", "size"]])
    pd.testing.assert_frame_equal(fresh.sample(50, random_state=0), refitted)


@pytest.mark.parametrize("num_steps", [1, 2])
def test_very_few_levels(fast, mixed, num_steps):
    synthesizer = fast(sampler="fitted", num_steps=num_steps).fit(mixed)
    assert len(synthesizer.sample(20)) == 20


@pytest.mark.parametrize(("n_columns", "num_steps"), [(3, 8), (18, 10), (30, 16)])
def test_wide_tables_take_more_levels(fast, n_columns, num_steps):
    X = np.random.default_rng(0).normal(size=(40, n_columns))
    synthesizer = fast(num_steps="auto", find_relations=False).fit(X)
    rows = synthesizer.sample(20, random_state=0)
    again = synthesizer.set_params(num_steps=num_steps).sample(20, random_state=0)
    np.testing.assert_array_equal(again, rows)


def test_given_columns_are_walked_to_without_them(fast, mixed):
    given = {"conditions": {"pieces": 2}, "random_state": 0}
    synthesizer = fast(sampler="fitted", conditional=True).fit(mixed)
    rows = synthesizer.sample(50, **given)
    plain = synthesizer.set_params(sampler="unipc", num_steps=10).sample(50, **given)
    pd.testing.assert_frame_equal(plain, rows)
