"""Students that draw in a few steps, on tables of known law."""

import math
import pickle
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._corrections import learn_corrections
from sklearn_tabsyn._critic import Critic
from sklearn_tabsyn._denoiser import Denoiser
from sklearn_tabsyn._distillation import (
    FIRST_BLOCKS,
    MAX_NUMBERS,
    N_USES,
    STUDENT_SIGMAS,
    FlowDataset,
    FlowLoss,
    Pairs,
)
from sklearn_tabsyn._encoding import Rows
from sklearn_tabsyn._generation import generate_blocks
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sampling import heun, karras_sigmas

START = STUDENT_SIGMAS[1][0]
SIGMAS = karras_sigmas(9, 0.02, 8.0, 7.0).tolist()
SHARES = [0.6, 0.3, 0.1]


@pytest.fixture(scope="module")
def denoiser():
    """A denoiser of normal values with a heavy tie and levels, all independent."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3000, 1)).astype(np.float32)
    values[:900] = 0.5
    levels = rng.choice(3, size=(3000, 2), p=SHARES).astype(np.int32)
    rows = Rows(values, values, levels)
    blocks = describe_columns(rows, [(3, False), (3, True)], np.ones(3000))
    return Denoiser(blocks, partial(ResidualMLP, hidden_dim=8)).eval()


@pytest.fixture(scope="module")
def flow(denoiser):
    """The walk of the denoiser."""
    return learn_corrections(denoiser, SIGMAS)


def make_table(n_rows, seed=0):
    """Return a correlated pair, a name that follows the first, and a few numbers."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n_rows)
    b = 0.8 * a + 0.6 * rng.normal(size=n_rows)
    high = rng.random(n_rows) < 1 / (1 + np.exp(-3 * a))
    few = rng.choice([0.0, 0.5, 7.0], n_rows, p=[0.2, 0.3, 0.5])
    return pd.DataFrame(
        {"a": a, "b": b, "name": np.where(high, "high", "low"), "few": few}
    )


@pytest.fixture(scope="module")
def teacher():
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=400, random_state=0)
    return synthesizer.fit(make_table(2000))


@pytest.fixture(scope="module", params=[1, 2])
def student(teacher, request):
    return teacher.distill(max_iter=400, num_steps=request.param)


def test_the_flow_leads_from_noise_to_the_marginals(denoiser, flow):
    torch.manual_seed(0)
    noise = torch.randn(4000, len(denoiser.mean))
    with torch.no_grad():
        values, levels = flow.walk(noise, torch.rand(4000, 3).split([1, 2], 1))
    tied = values == values.mode(0).values
    assert tied.float().mean() == pytest.approx(0.3, abs=0.03)
    assert kstest(values[~tied].numpy(), "norm").statistic < 0.06
    for column in levels.T:
        shares = column.bincount(minlength=3) / 4000
        np.testing.assert_allclose(shares, SHARES, atol=0.03)
    # it is no chance which row noise leads to
    order = np.corrcoef(noise[:, 0][~tied[:, 0]], values[~tied])[0, 1]
    assert order > 0.95


def test_the_start_is_on_the_flow_of_gaussian_columns(denoiser):
    noise = torch.randn(4000, len(denoiser.mean))
    x = denoiser.near_gaussian(noise, START)
    variance = denoiser.variance + START**2
    torch.testing.assert_close(x.var(0), variance, rtol=0.1, atol=0)

    def gaussian(x, sigma):
        pull = denoiser.variance / (denoiser.variance + sigma**2)
        return denoiser.mean + pull * (x - denoiser.mean)

    far = denoiser.near_gaussian(noise, 80.0)
    reached = heun(gaussian, far, karras_sigmas(200, START, 80.0, 7.0).tolist())
    torch.testing.assert_close(x, reached, rtol=0, atol=2e-3)


def test_pairs_are_renewed(flow):
    torch.manual_seed(0)
    dataset = FlowDataset(flow)
    dataset.n_blocks = FIRST_BLOCKS  # no room for more
    pairs, weights = dataset.__getitems__(torch.arange(100))
    assert dataset.n_made == FIRST_BLOCKS
    assert len(pairs.noise) == len(pairs.rows.levels) == len(weights) == 100
    for _ in range(N_USES - 1):
        later, _ = dataset.__getitems__(torch.arange(100))
    assert torch.equal(pairs.noise, later.noise)
    later, _ = dataset.__getitems__(torch.arange(100))
    assert dataset.n_made == FIRST_BLOCKS + 1
    assert not torch.equal(pairs.noise, later.noise)


def test_the_pool_is_bounded(denoiser):
    wide = SimpleNamespace(mean=torch.zeros(100_000))
    for each in (denoiser, wide):
        n_dims = len(each.mean)
        n_numbers = len(FlowDataset(SimpleNamespace(denoiser=each))) * n_dims
        assert n_numbers <= max(MAX_NUMBERS, FIRST_BLOCKS * 1024 * n_dims)


def test_each_step_starts_where_the_last_one_ends():
    """Each asks at its own level, of rows that Euler's method led there."""
    asked, sigmas = set(), STUDENT_SIGMAS[4]

    class Half(torch.nn.Module):
        def near_gaussian(self, noise, sigma):
            return sigma * noise

        def denoise(self, x, sigma):
            return x / 2

        def losses(self, x, sigma, rows):
            place = sigmas.index(pytest.approx(sigma.item()))
            asked.add(place)
            left = [(1 + b / a) / 2 for a, b in pairwise(sigmas[: place + 1])]
            torch.testing.assert_close(x, sigmas[0] * math.prod(left) * noise)
            return x

    noise = torch.randn(7, 3)
    for _ in range(100):
        FlowLoss(sigmas)(Half(), Pairs(noise, None), torch.ones(7))
    assert asked == {0, 1, 2, 3}


def test_a_student_that_has_learned_nothing_knows_the_marginals(denoiser):
    values, levels = next(generate_blocks(denoiser, [START], [0]))
    tied = np.isclose(values, 0.5, atol=1e-6)
    assert tied.mean() == pytest.approx(0.3, abs=0.05)
    assert kstest(values[~tied], "norm").statistic < 0.1
    np.testing.assert_allclose(
        np.bincount(levels[:, 0]) / len(levels), SHARES, atol=0.05
    )


def test_a_table_of_known_law(student):
    table, rows = make_table(2000), student.sample(8000, random_state=0)
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
    assert np.corrcoef(rows["a"], rows["b"])[0, 1] == pytest.approx(0.8, abs=0.04)
    for column in ("a", "b"):
        assert kstest(rows[column], table[column]).statistic < 0.04
    shares = rows["few"].value_counts(normalize=True)
    assert set(shares.index) == {0.0, 0.5, 7.0}
    for value, share in {0.0: 0.2, 0.5: 0.3, 7.0: 0.5}.items():
        assert shares[value] == pytest.approx(share, abs=0.04)
    means = make_table(50_000, seed=1).groupby("name")["a"].mean()
    drawn = rows.groupby("name")["a"].mean()
    pd.testing.assert_series_equal(drawn, means, atol=0.1, rtol=0)
    assert rows.groupby("few")["a"].mean().abs().max() < 0.12


def test_a_seed_gives_the_same_rows_whatever_their_number(student):
    rows = student.sample(1500, random_state=7)
    assert_frame_equal(student.sample(100, random_state=7), rows[:100])
    batches = list(student.sample_batches(1500, 400, random_state=7))
    assert_frame_equal(pd.concat(batches, ignore_index=True), rows)
    assert not rows[:100].equals(student.sample(100, random_state=8))


def test_a_distillation_repeats_and_leaves_its_teacher_alone(teacher):
    table, before = make_table(50, seed=2), teacher.sample(20, random_state=0)
    scores, state = teacher.score_samples(table), torch.get_rng_state()
    first, second = (teacher.distill(max_iter=3) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert_frame_equal(first.sample(20), second.sample(20))
    assert_frame_equal(teacher.sample(20, random_state=0), before)
    assert not hasattr(teacher, "student_")
    assert first.get_params() == teacher.get_params()
    # scores are those of the denoiser
    np.testing.assert_array_equal(first.score_samples(table), scores)


def test_pickle_and_clone(student):
    again = pickle.loads(pickle.dumps(student))
    expected = student.sample(20, random_state=0)
    assert_frame_equal(again.sample(20, random_state=0), expected)
    assert not hasattr(clone(student), "student_")


def test_a_new_fit_forgets_the_student(fast, mixed):
    distilled = fast().fit(mixed).distill(max_iter=2)
    rows = distilled.sample(20, random_state=0)
    assert list(rows.dtypes) == list(mixed.dtypes)
    expected = fast().fit(mixed).sample(20)
    assert_frame_equal(distilled.fit(mixed).sample(20), expected)


def test_a_new_fit_keeps_nothing_of_a_student(fast, mixed):
    distilled = fast(candidates=3).fit(mixed).distill(max_iter=2, num_steps=2)
    distilled.set_params(candidates="auto", protect_values=True)
    fresh = fast(protect_values=True).fit(mixed)
    assert vars(distilled.fit(mixed)).keys() == vars(fresh).keys()


def test_a_warm_start_changes_no_student(fast):
    spread = np.random.default_rng(0).normal(size=400)
    table = pd.DataFrame({"low": spread, "high": spread + 1e-3 * abs(spread)})
    synthesizer = fast(warm_start=True).fit(table)
    distilled = synthesizer.distill(max_iter=2)
    held = pickle.dumps(distilled._model)
    synthesizer.fit(table[:300])
    assert pickle.dumps(distilled._model) == held
    assert synthesizer._model is not distilled._model


def test_conditions_are_met_by_the_denoiser(fast, mixed):
    synthesizer = fast(conditional=True).fit(mixed)
    distilled = synthesizer.distill(max_iter=2)
    rows, expected = (
        each.sample(20, random_state=0, conditions={"size": "M"})
        for each in (distilled, synthesizer)
    )
    assert_frame_equal(rows, expected)
    assert not distilled.sample(20, random_state=0).equals(
        synthesizer.sample(20, random_state=0)
    )


def test_a_student_of_two_steps_has_a_critic_of_its_own(fast, mixed):
    synthesizer = fast(candidates=3).fit(mixed)
    distilled = synthesizer.distill(max_iter=2, num_steps=2)
    rows = distilled.sample(1_500, random_state=0)
    assert_frame_equal(distilled.sample(300, random_state=0), rows[:300])
    again = pickle.loads(pickle.dumps(distilled))
    assert_frame_equal(again.sample(300, random_state=0), rows[:300])
    # a student of a student learns from the same denoiser and its critic
    twice = distilled.distill(max_iter=2, num_steps=2)
    assert_frame_equal(twice.sample(300, random_state=0), rows[:300])
    taken = again.set_params(candidates=1).sample(300, random_state=0)
    assert not taken.equals(rows[:300])


def test_a_student_outlives_its_interrupted_critic(fast, mixed, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    synthesizer = fast(candidates=3).fit(mixed)
    monkeypatch.setattr(Critic, "fit", interrupt)
    with pytest.warns(
        ConvergenceWarning, match="before it had learned from drawn rows"
    ):
        distilled = synthesizer.distill(max_iter=2, num_steps=2)
    assert len(distilled.sample(20)) == 20


@pytest.mark.parametrize("n_rows", [1, 40])
def test_small_tables(fast, mixed, n_rows):
    distilled = fast().fit(mixed[:n_rows]).distill(max_iter=2)
    assert distilled.sample(5).shape == (5, mixed.shape[1])


def test_errors(teacher):
    with pytest.raises(NotFittedError):
        DiffusionSynthesizer().distill()
    for num_steps in (0, 3, 1.5):
        with pytest.raises(InvalidParameterError, match="num_steps"):
            teacher.distill(num_steps=num_steps)
    for max_iter in (0, 1.5):
        with pytest.raises(InvalidParameterError, match="max_iter"):
            teacher.distill(max_iter)
    broken = pickle.loads(pickle.dumps(teacher)).set_params(sigma_min=30.0)
    with pytest.raises(ValueError, match="sigma_min must be below sigma_max"):
        broken.distill()


def test_verbose_shows_progress(fast, mixed, capsys):
    synthesizer = fast().fit(mixed)
    synthesizer.set_params(verbose=1).distill(max_iter=60)
    shown = capsys.readouterr().err
    assert "distill:" in shown
    assert "loss=" in shown
