"""The bound on the log-density, against tables of known law."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from scipy.stats import multivariate_normal
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sklearn_tabsyn import DiffusionSynthesizer

MEAN, COVARIANCE = [3.0, -1.0], [[4.0, 2.4], [2.4, 4.0]]
GIVEN_KIND = np.array([[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.05, 0.15, 0.8]])
YES = np.array([0.2, 0.2, 0.9])


def draw_gaussian(n_rows, seed):
    """Return rows of a Gaussian, and their log-densities."""
    law = multivariate_normal(MEAN, COVARIANCE, seed=seed)
    rows = law.rvs(n_rows)
    return rows, law.logpdf(rows)


def draw_discrete(n_rows, seed):
    """Return rows of a chain of three names, and their log-probabilities."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n_rows, p=[0.5, 0.3, 0.2])
    group = (rng.random((n_rows, 1)) > GIVEN_KIND.cumsum(1)[kind]).sum(1)
    flag = rng.random(n_rows) < YES[group]
    chance = np.where(flag, YES[group], 1 - YES[group])
    log_p = np.log(np.array([0.5, 0.3, 0.2])[kind] * GIVEN_KIND[kind, group] * chance)
    names = {"kind": np.array(list("abc"))[kind], "group": np.array(list("xyz"))[group]}
    return pd.DataFrame({**names, "flag": flag}), log_p


def draw_inflated(n_rows, seed):
    """Return rows that often have a zero, and their log-densities."""
    rng = np.random.default_rng(seed)
    zero = rng.random(n_rows) < 0.4
    amount = np.where(zero, 0, rng.exponential(2, n_rows))
    chance = np.where(zero, 0.9, 0.2)
    flag = rng.random(n_rows) < chance
    log_p = np.where(zero, np.log(0.4), np.log(0.6 / 2) - amount / 2)
    log_p += np.log(np.where(flag, chance, 1 - chance))
    return pd.DataFrame({"amount": amount, "flag": flag}), log_p


LAWS = {
    "gaussian": draw_gaussian,
    "discrete": draw_discrete,
    "inflated": draw_inflated,
}


@pytest.fixture(scope="module", params=LAWS)
def learned(request):
    """A law, and a synthesizer that learned it; read only."""
    draw = LAWS[request.param]
    table, _ = draw(10_000, seed=0)
    how = {"hidden_dim": 64, "max_iter": 1_200, "random_state": 0}
    return draw, DiffusionSynthesizer(**how).fit(table)


def test_the_bound_is_near_the_truth_and_never_above(learned):
    draw, synthesizer = learned
    table, log_p = draw(3_000, seed=1)
    difference = synthesizer.score_samples(table) - log_p
    error = 3 * difference.std() / np.sqrt(len(table))
    assert -0.02 * abs(log_p.mean()) - error < difference.mean() < error
    assert np.corrcoef(synthesizer.score_samples(table), log_p)[0, 1] > 0.9


def test_better_models_and_rows_score_higher(learned):
    draw, synthesizer = learned
    table, _ = draw(1_000, seed=2)
    poor = DiffusionSynthesizer(hidden_dim=16, max_iter=30, random_state=0)
    score = synthesizer.score(table)
    assert poor.fit(draw(10_000, seed=0)[0]).score(table) < score - 0.02
    shuffled = pd.DataFrame(table).copy()
    shuffled.iloc[:, -1] = np.random.default_rng(0).permutation(shuffled.iloc[:, -1])
    shuffled = shuffled if isinstance(table, pd.DataFrame) else shuffled.to_numpy()
    assert synthesizer.score(shuffled) < score - 0.1


def test_scores_do_not_depend_on_other_rows(learned):
    draw, synthesizer = learned
    table = pd.DataFrame(draw(300, seed=3)[0])
    scores = synthesizer.score_samples(table)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(synthesizer.score_samples(table), scores)
    parts = [synthesizer.score_samples(t) for t in (table[:1], table[1:7], table[7:])]
    np.testing.assert_array_equal(np.concatenate(parts), scores)
    order = np.random.default_rng(0).permutation(len(table))
    mixed_up = synthesizer.score_samples(table.iloc[order])
    np.testing.assert_array_equal(mixed_up, scores[order])


def test_far_rows_score_low():
    rows, _ = draw_gaussian(2_000, seed=0)
    synthesizer = DiffusionSynthesizer(max_iter=300, random_state=0).fit(rows)
    scores = synthesizer.score_samples([MEAN, [30.0, -1.0], [300.0, -1.0]])
    assert (np.diff(scores) < -2).all()


def test_values_between_ties_have_a_density():
    # every value is a heavy tie, so there is no component for others
    table = np.repeat(np.arange(200.0), 2)[:, None]
    synthesizer = DiffusionSynthesizer(max_iter=20, random_state=0).fit(table[:60])
    assert np.isfinite(synthesizer.score_samples([[3.0], [3.5], [1e6]])).all()


def test_what_fit_never_saw_is_improbable_but_defined():
    table, _ = draw_discrete(2_000, seed=0)
    table["pieces"] = np.random.default_rng(0).poisson(2, len(table)).clip(max=4)
    synthesizer = DiffusionSynthesizer(max_iter=200, random_state=0).fit(table)
    known = synthesizer.score_samples(table[:50])
    for strange in ({"kind": "new"}, {"kind": None}, {"pieces": 77}):
        scores = synthesizer.score_samples(table[:50].assign(**strange))
        assert np.isfinite(scores).all()
        assert (scores < known).mean() > 0.9


def test_missing_values_are_part_of_the_law():
    # Whether a number is missing is known, and its value counts only where it is not.
    rng = np.random.default_rng(0)
    number, gone = rng.normal(size=6_000), rng.random(6_000) < 0.3
    table = pd.DataFrame({"a": np.where(gone, np.nan, number), "gone": gone})
    log_p = np.where(gone, np.log(0.3), np.log(0.7) - 0.5 * np.log(2 * np.pi))
    log_p -= np.where(gone, 0, number**2 / 2)
    how = {"hidden_dim": 64, "max_iter": 1_000, "random_state": 0}
    synthesizer = DiffusionSynthesizer(**how).fit(table[:4_000])
    scores = synthesizer.score_samples(table[4_000:])
    assert scores.mean() == pytest.approx(log_p[4_000:].mean(), rel=0.03)
    for part in (True, False):
        rows = gone[4_000:] == part
        difference = scores[rows].mean() - log_p[4_000:][rows].mean()
        assert abs(difference) < 0.1


def test_targets():
    table, log_p = draw_discrete(4_000, seed=0)
    X, y = table[["kind", "group"]], table["flag"]
    how = {"hidden_dim": 64, "max_iter": 800, "random_state": 0}
    synthesizer = DiffusionSynthesizer(**how).fit(X, y)
    assert synthesizer.score(X, y) == pytest.approx(log_p.mean(), rel=0.03)
    assert synthesizer.score(X, ~y) < synthesizer.score(X, y) - 0.3
    # without a target that of all targets together
    both = np.logaddexp(
        synthesizer.score_samples(X, y), synthesizer.score_samples(X, ~y)
    )
    np.testing.assert_allclose(synthesizer.score_samples(X), both, rtol=1e-4)


def test_rows_without_their_number():
    rows, _ = draw_gaussian(4_000, seed=0)
    how = {"hidden_dim": 64, "max_iter": 800, "random_state": 0}
    synthesizer = DiffusionSynthesizer(**how).fit(rows[:, :1], rows[:, 1])
    some = draw_gaussian(200, seed=1)[0][:, :1]
    truth = multivariate_normal(MEAN[0], COVARIANCE[0][0]).logpdf(some)
    assert synthesizer.score(some) == pytest.approx(truth.mean(), abs=0.2)


def test_progress(fast, capsys):
    rows, _ = draw_gaussian(50, seed=0)
    fast(verbose=1).fit(rows).score(rows)
    assert "score: 100%" in capsys.readouterr().err


def test_containers(fast):
    table = make_mixed(100)
    synthesizer = fast().fit(table)
    scores = synthesizer.score_samples(table)
    assert np.isfinite(scores).all()
    other = fast().fit(pl.from_pandas(table)).score_samples(pl.from_pandas(table))
    assert other.shape == scores.shape
    steps = make_column_transformer((StandardScaler(), ["a", "b"]))
    plain = pd.DataFrame(draw_gaussian(200, 0)[0], columns=["a", "b"])
    assert np.isfinite(fast(encoder=steps).fit(plain).score(plain))


def test_search_needs_no_scoring(fast):
    # not correlated, so that there is more to learn than the covariance
    rows, noise = np.random.default_rng(0).normal(size=(2, 600, 2))
    rows[:, 1] = rows[:, 0] ** 2 + 0.3 * noise[:, 1]
    grid = {"max_iter": [5, 300]}
    search = GridSearchCV(fast(), grid, cv=2).fit(rows)
    assert search.best_params_ == {"max_iter": 300}
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] > scores[0] + 0.05


def test_early_stopping_keeps_the_best_bound(fast):
    # enough rows that the dependence can be learned before they are known by heart
    rows, _ = draw_gaussian(2_000, seed=0)
    how = {"max_iter": 3_000, "early_stopping": True, "n_iter_no_change": 3}
    synthesizer = fast(hidden_dim=128, **how).fit(rows)
    curve = synthesizer.validation_loss_curve_
    assert len(curve) < 60
    assert min(curve) < 0
    assert np.argmin(curve) == len(curve) - 4


def test_points_suit_how_different_rows_are(fast):
    rng = np.random.default_rng(0)
    number = rng.normal(size=5_000)
    table = pd.DataFrame({"a": np.where(rng.random(5_000) < 0.4, 0, number)})
    assert fast().fit(table)._n_points == (4_096, 64)
    table["b"] = rng.permutation(5_000).astype(str)
    assert fast(max_iter=1).fit(table)._n_points == (64, 64)


def test_bad_input(fast, mixed):
    with pytest.raises(NotFittedError):
        fast().score(mixed)
    synthesizer = fast().fit(mixed)
    with pytest.raises(ValueError, match="feature names"):
        synthesizer.score(mixed.drop(columns="price"))
    with pytest.raises(ValueError, match="y must be given if and only if"):
        synthesizer.score(mixed, np.zeros(len(mixed)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fast().fit(mixed, np.arange(200) % 2).score(mixed, [1])
    with pytest.raises(ValueError, match="0 sample"):
        synthesizer.score(mixed[:0])
