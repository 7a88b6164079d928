"""DiffusionSynthesizer as its users meet it."""

import copy
import pickle
import random
import signal
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from conftest import make_mixed
from scipy.stats import chisquare, kstest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from skorch.callbacks import Callback

from sklearn_tabsyn import DiffusionSynthesizer
from sklearn_tabsyn._networks import ResidualMLP
from sklearn_tabsyn._sizes import default_width


@pytest.fixture(scope="module")
def fitted():
    """A synthesizer that knows the mixed table well; read only."""
    synthesizer = DiffusionSynthesizer(
        hidden_dim=64, n_blocks=2, max_iter=600, random_state=0
    )
    return synthesizer.fit(make_mixed(2000))


def test_new_rows_look_like_the_table(fitted):
    rows = fitted.sample(100)
    table = make_mixed(2000)
    assert list(rows) == list(table)
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
    assert list(rows.index) == list(range(100))
    prices = rows["price"].dropna()
    assert prices.between(table["price"].min(), table["price"].max()).all()
    assert (prices.round(2) == prices).all()
    assert (rows["day"].dt.normalize() == rows["day"]).all()
    assert set(rows["size"].dropna()) <= {"S", "M", "L"}


def test_marginals_of_a_table_of_known_law(fitted):
    rows = fitted.sample(4000, random_state=1)
    n = len(rows)
    assert rows["price"].isna().mean() == pytest.approx(0.15, abs=0.03)
    assert rows["size"].isna().mean() == pytest.approx(0.1, abs=0.03)
    assert (rows["discount"] == 0).mean() == pytest.approx(0.6, abs=0.04)
    spread = rows["discount"][rows["discount"] > 0]
    assert kstest(spread, "uniform").statistic < 0.06
    counts = rows["size"].value_counts()[["S", "M", "L"]].to_numpy()
    expected = np.array([0.5, 0.3, 0.2]) * counts.sum()
    assert chisquare(counts, expected).statistic / n < 0.01
    days = (rows["day"] - pd.Timestamp("2024-01-01")).dt.days
    assert kstest(days / 365, "uniform").statistic < 0.06


def test_dependence_of_a_table_of_known_law(fitted):
    rows = fitted.sample(4000, random_state=1).dropna()
    for size, price in {"S": 1.0, "M": 3.0, "L": 9.0}.items():
        logs = np.log(rows["price"][rows["size"] == size] / price)
        assert logs.median() == pytest.approx(0, abs=0.1)
        assert logs.quantile(0.84) - logs.quantile(0.16) == pytest.approx(0.4, abs=0.15)
    independent = rows.groupby("size")["pieces"].mean()
    np.testing.assert_allclose(independent, 2, atol=0.25)


def test_a_correlated_gaussian_is_learned():
    rng = np.random.default_rng(0)
    X = rng.multivariate_normal([0, 5], [[1, 0.8], [0.8, 1]], size=2000)
    synthesizer = DiffusionSynthesizer(hidden_dim=64, max_iter=500, random_state=0)
    drawn = synthesizer.fit(X).sample(4000)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(np.corrcoef(X.T)[0, 1], abs=0.04)
    whitened = (drawn[:, 0] - 0.8 * (drawn[:, 1] - 5)) / 0.6
    assert kstest(whitened, "norm").statistic < 0.05


AWKWARD = {
    "constant": pd.DataFrame({"a": [3] * 30, "b": np.arange(30.0)}),
    "all_constant": pd.DataFrame({"a": [3] * 5, "b": ["x"] * 5}),
    "all_missing": pd.DataFrame({"a": [np.nan] * 9, "b": range(9), "c": [None] * 9}),
    "nothing": pd.DataFrame({"a": [np.nan] * 9}),
    "one_column": pd.DataFrame({"a": np.linspace(0, 1, 50)}),
    "one_row": pd.DataFrame({"a": [1.5], "b": ["x"], "c": [None]}),
    "two_rows": pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]}),
    "numbers": pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3))),
    "names": pd.DataFrame({"a": list("abcab") * 6, "b": [True, False] * 15}),
    "unique_text": pd.DataFrame({"id": [f"id{i}" for i in range(60)]}),
    "few_distinct": pd.DataFrame({"a": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]}),
    "polars": pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None]}),
    "dates_only": pd.DataFrame({"a": pd.date_range("2020", periods=30, tz="UTC")}),
}


@pytest.mark.parametrize("table", AWKWARD.values(), ids=AWKWARD)
def test_awkward_tables(fast, table):
    before = copy.deepcopy(table)
    rows = fast().fit(table).sample(20)
    assert rows.shape == (20, table.shape[1])
    assert list(rows.columns) == list(table.columns)
    assert list(rows.dtypes) == list(table.dtypes)
    assert table.equals(before)


def test_constant_and_missing_columns_stay_so(fast):
    rows = fast().fit(AWKWARD["all_missing"]).sample(20)
    assert rows[["a", "c"]].isna().all(axis=None)
    rows = fast().fit(AWKWARD["constant"]).sample(20)
    assert (rows["a"] == 3).all()


def test_gaps_come_jointly(fast):
    rng = np.random.default_rng(0)
    gone = rng.random(1000) < 0.4
    table = pd.DataFrame(
        {"a": rng.normal(size=1000), "b": rng.choice(["x", "y"], 1000)}
    )
    table[gone] = None
    rows = fast(max_iter=400, hidden_dim=64).fit(table).sample(2000)
    both = (rows["a"].isna() == rows["b"].isna()).mean()
    assert both > 0.95
    assert rows["a"].isna().mean() == pytest.approx(0.4, abs=0.06)


def test_target_is_learned_jointly(fast):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 2))
    y = np.where(X[:, 0] > 0, "up", "down")
    synthesizer = fast(max_iter=400, hidden_dim=64).fit(X, y)
    drawn, new_y = synthesizer.sample(1000)
    assert drawn.shape == (1000, 2)
    assert new_y.shape == (1000,)
    assert new_y.dtype == y.dtype
    assert ((drawn[:, 0] > 0) == (new_y == "up")).mean() > 0.95
    frame = make_mixed()
    drawn, new_y = fast().fit(frame, frame["pieces"]).sample(5)
    assert isinstance(new_y, pd.Series)
    assert new_y.name == "pieces"
    assert new_y.dtype == frame["pieces"].dtype


def test_weights_shape_the_rows(fast, mixed):
    weights = np.where(mixed["size"] == "L", 10.0, 1.0)
    rows = fast(max_iter=200).fit(mixed, sample_weight=weights).sample(2000)
    share = weights[mixed["size"] == "L"].sum() / weights.sum()
    assert (rows["size"] == "L").mean() == pytest.approx(share, abs=0.06)
    only = (mixed["size"] == "M").to_numpy()
    kept = fast().fit(mixed, sample_weight=only).sample(50, random_state=0)
    assert (kept["size"] == "M").all()
    # rows without weight are as good as absent
    alone = fast().fit(mixed[only]).sample(50, random_state=0)
    pd.testing.assert_frame_equal(kept, alone)


def test_a_seed_gives_the_same_rows_whatever_the_batches(fitted):
    rows = fitted.sample(1300, random_state=5)
    pd.testing.assert_frame_equal(fitted.sample(7, random_state=5), rows[:7])
    for batch_size in (1, 100, 1024, 10_000):
        n_samples = min(1300, 40 * batch_size)
        batches = list(fitted.sample_batches(n_samples, batch_size, random_state=5))
        assert all(len(batch) == batch_size for batch in batches[:-1])
        together = pd.concat(batches, ignore_index=True)
        pd.testing.assert_frame_equal(together, rows[:n_samples])


def test_calls_differ_and_their_series_repeats(fast, mixed):
    first, second = (fast().fit(mixed) for _ in range(2))
    one, two = first.sample(50), first.sample(50)
    assert not one.equals(two)
    pd.testing.assert_frame_equal(second.sample(50), one)
    pd.testing.assert_frame_equal(second.sample(50), two)
    other = fast(random_state=1).fit(mixed).sample(50)
    assert not other.equals(one)
    unseeded = fast(random_state=None).fit(mixed)
    assert not unseeded.sample(50).equals(unseeded.sample(50))
    shared = fast(random_state=np.random.RandomState(0)).fit(mixed)
    assert not shared.sample(50).equals(shared.sample(50))


def test_global_random_state_is_neither_read_nor_changed(fast, mixed):
    def states():
        name, keys, *rest = np.random.get_state()  # noqa: NPY002
        return random.getstate(), (name, keys.tobytes(), *rest), torch.get_rng_state()

    for seed in (0, None):
        before = states()
        synthesizer = fast(random_state=seed, early_stopping=True).fit(mixed)
        synthesizer.sample(10)
        copy.deepcopy(synthesizer)
        after = states()
        assert before[:2] == after[:2]
        assert torch.equal(before[2], after[2])


def test_fits_in_threads_have_seeds_of_their_own(fast, mixed):
    expected = fast().fit(mixed).sample(20, random_state=1)
    with ThreadPoolExecutor(3) as pool:
        fits = pool.map(lambda _: fast().fit(mixed), range(3))
        for synthesizer in fits:
            assert synthesizer.sample(20, random_state=1).equals(expected)


def test_sampling_parameters_can_be_changed_after_fit(fast, mixed):
    synthesizer = fast().fit(mixed)
    base = synthesizer.sample(300, random_state=0)
    for change in (
        {"sampler": "heun"},
        {"sampler": "euler"},
        {"num_steps": 5},
        {"schedule": "fitted" if synthesizer.schedule == "karras" else "karras"},
        {"sigma_max": 10.0},
        {"sigma_min": 0.05},
        {"schedule": "karras", "rho": 3.0},
        {"sampler": "heun", "S_churn": 20.0},
    ):
        changed = copy.deepcopy(synthesizer).set_params(**change)
        assert not changed.sample(300, random_state=0).equals(base), change
    churned = copy.deepcopy(synthesizer).set_params(sampler="heun", S_churn=20.0)
    rows = churned.sample(600, random_state=0)
    pd.testing.assert_frame_equal(churned.sample(600, random_state=0), rows)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sigma_min": 80.0, "sigma_max": 0.002}, "sigma_min=80.0 and sigma_max=0.002"),
        ({"S_tmin": 2.0, "S_tmax": 1.0}, "S_tmin=2.0 and S_tmax=1.0"),
        ({"S_churn": 1.0}, "S_churn=1.0 needs a sampler that can add noise"),
        ({"num_steps": 0}, "The 'num_steps' parameter .* Got 0"),
        ({"sampler": "ddim"}, "The 'sampler' parameter .* Got 'ddim'"),
        ({"denoiser": "transformer"}, "The 'denoiser' parameter"),
        ({"denoiser": ResidualMLP(1, 1)}, "The 'denoiser' parameter"),
        ({"encoder": StandardScaler()}, "The 'encoder' parameter"),
        ({"max_iter": "all"}, "The 'max_iter' parameter"),
        ({"device": "abacus"}, "device='abacus' cannot be used here"),
        ({"categorical_features": ["no"]}, "'no', which is not in the table"),
    ],
)
def test_bad_parameters(fast, mixed, params, message):
    with pytest.raises(ValueError, match=message):
        fast(**params).fit(mixed)


@pytest.mark.parametrize("n_samples", [0, -1, 1.5, None])
def test_bad_numbers_of_rows(fitted, n_samples):
    with pytest.raises((ValueError, TypeError), match="n_samples"):
        fitted.sample(n_samples)


def test_bad_sampling_parameters_are_found_before_the_first_batch(fast, mixed):
    synthesizer = fast().fit(mixed).set_params(sigma_min=100.0)
    with pytest.raises(ValueError, match="sigma_min must be below sigma_max"):
        synthesizer.sample_batches(10, 5)


def test_sampling_needs_a_fit():
    with pytest.raises(NotFittedError):
        DiffusionSynthesizer().sample()


def test_column_kinds_are_readable(fitted):
    assert fitted.column_kinds_ == {
        "price": "continuous",
        "discount": "continuous",
        "pieces": "discrete",
        "size": "nominal",
        "gift": "nominal",
        "day": "discrete"
        if fitted.column_kinds_["day"] == "discrete"
        else "continuous",
    }
    assert fitted.n_features_in_ == 6
    assert list(fitted.feature_names_in_) == list(fitted.column_kinds_)


def test_categorical_features(fast, mixed):
    synthesizer = fast(categorical_features=["pieces"]).fit(mixed)
    assert synthesizer.column_kinds_["pieces"] == "nominal"
    rows = synthesizer.sample(50)
    assert set(rows["pieces"]) <= set(mixed["pieces"])
    assert rows["pieces"].dtype == mixed["pieces"].dtype


def test_own_encoder(fast, mixed):
    encoder = ColumnTransformer(
        [
            ("names", OneHotEncoder(), ["size"]),
            ("codes", OrdinalEncoder(), ["gift", "pieces"]),
        ],
        remainder=StandardScaler(),
    )
    synthesizer = fast(encoder=encoder).fit(mixed)
    assert not hasattr(encoder, "transformers_")
    rows = synthesizer.sample(50)
    pd.testing.assert_series_equal(rows.dtypes, mixed.dtypes)
    assert set(rows["pieces"]) <= set(mixed["pieces"])
    assert set(rows["size"].dropna()) <= set(mixed["size"].dropna())
    deep = synthesizer.set_params(encoder__codes=OneHotEncoder())
    assert isinstance(deep.encoder.transformers[1][1], OneHotEncoder)


class Doubled(ResidualMLP):
    """A network of the user's own."""


def test_own_network(fast, mixed):
    synthesizer = fast(denoiser=Doubled).fit(mixed)
    assert isinstance(synthesizer.denoiser_.network, Doubled)
    again = pickle.loads(pickle.dumps(synthesizer))
    pd.testing.assert_frame_equal(
        again.sample(9, random_state=0), synthesizer.sample(9, random_state=0)
    )


def test_clone_and_nested_parameters(fast):
    synthesizer = fast(encoder=ColumnTransformer([("a", StandardScaler(), [0])]))
    copied = clone(synthesizer).set_params(encoder__a__with_mean=False)
    assert copied.encoder.transformers[0][1].with_mean is False
    assert synthesizer.encoder.transformers[0][1].with_mean is True


@pytest.mark.parametrize("keep", ["pickle", "joblib"])
def test_pickle_is_small_and_draws_the_same_rows(fast, tmp_path, keep):
    table = make_mixed(5000)
    synthesizer = fast(max_iter=5).fit(table)
    path = tmp_path / "synthesizer"
    if keep == "pickle":
        path.write_bytes(pickle.dumps(synthesizer))
        again = pickle.loads(path.read_bytes())
    else:
        joblib.dump(synthesizer, path)
        again = joblib.load(path)
    expected = synthesizer.sample(20, random_state=0)
    pd.testing.assert_frame_equal(again.sample(20, random_state=0), expected)
    weights = sum(p.numel() * 4 for p in synthesizer.denoiser_.network.parameters())
    values = 24 * sum(table[c].nunique() for c in table)
    trees = sum(tree[0].nodes.nbytes for tree in synthesizer._critic.trees._predictors)
    assert path.stat().st_size < weights + 3 * values + 1.3 * trees + 30_000
    # and it is fitted: training can go on
    again.set_params(warm_start=True).fit(table)


def test_no_row_is_kept(fast):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.permuted(np.tile(np.arange(300.0), (6, 1)), axis=1).T)
    kept = fast(max_iter=2).fit(table)._model.encoders[0].filler_
    assert not (table == kept).all(axis=1).any()


def test_loss_curve_falls(fitted):
    assert fitted.n_iter_ == 600
    assert len(fitted.loss_curve_) == 12
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    assert fitted.validation_loss_curve_ == []


@pytest.mark.parametrize(
    ("conditional", "steps"),
    [(False, [50, 80]), (True, [50, 80]), (1.0, [300, 300])],
)
def test_default_budget_grows_with_the_rows(fast, conditional, steps):
    how = {"max_iter": "auto", "hidden_dim": 2, "conditional": conditional}
    found = [fast(**how).fit(make_mixed(n)).n_iter_ for n in (40, 160)]
    assert found == steps


def test_default_width_grows_with_the_rows(fast):
    most = {16: 100, 32: 500, 64: 2_000, 128: 12_000, 192: 24_000}
    assert [default_width(n) for n in most.values()] == [*most]
    wider = [default_width(n + 1) for n in most.values()]
    assert wider == [32, 64, 128, 192, 256]
    fitted = fast(hidden_dim="auto").fit(make_mixed(50))
    assert fitted.denoiser_.network.outputs.in_features == 16


def test_time_limit(fast, mixed):
    synthesizer = fast(max_iter=10**6, max_time=0.3).fit(mixed)
    assert 1 <= synthesizer.n_iter_ < 10**5
    assert len(synthesizer.sample(5)) == 5


def test_early_stopping(fast, mixed):
    synthesizer = fast(max_iter=5000, early_stopping=True, n_iter_no_change=2)
    synthesizer.set_params(learning_rate=0.05).fit(mixed)
    assert synthesizer.n_iter_ < 5000
    curve = synthesizer.validation_loss_curve_
    assert len(curve) == len(synthesizer.loss_curve_)
    assert np.argmin(curve) == len(curve) - 3


def test_held_out_rows_count_by_relative_weights(fast, mixed):
    curves = [
        fast(early_stopping=True)
        .fit(mixed, sample_weight=np.full(len(mixed), weight))
        .validation_loss_curve_
        for weight in (1.0, 2.0)
    ]
    assert curves[0] == curves[1]


def test_warm_start_goes_on(fast, mixed):
    synthesizer = fast(warm_start=True, max_iter=100).fit(mixed)
    first = synthesizer.loss_curve_
    before = copy.deepcopy(synthesizer.denoiser_.network.state_dict())
    synthesizer.fit(mixed)
    changed = synthesizer.denoiser_.network.state_dict()
    assert any((before[name] != changed[name]).any() for name in before)
    assert synthesizer.loss_curve_[0] < first[0]
    with pytest.raises(ValueError, match="not seen in fit: 'XXL'"):
        synthesizer.fit(mixed.assign(size="XXL"))
    with pytest.raises(ValueError, match="had none in fit"):
        synthesizer.fit(mixed.assign(discount=np.nan))
    with pytest.raises(ValueError, match="y must be given if and only if"):
        synthesizer.fit(mixed, mixed["gift"])
    assert len(synthesizer.sample(3)) == 3


def test_a_training_that_diverges_says_so_and_takes_nothing_away(fast, mixed):
    diverges = {"learning_rate": 1e30}
    with pytest.raises(ValueError, match=r"diverged.*learning_rate, which is 1e\+30"):
        fast(**diverges).fit(mixed)
    synthesizer = fast(warm_start=True).fit(mixed)
    rows = synthesizer.sample(5, random_state=0)
    with pytest.raises(ValueError, match="diverged"):
        synthesizer.set_params(**diverges).fit(mixed)
    pd.testing.assert_frame_equal(synthesizer.sample(5, random_state=0), rows)


def test_own_callbacks_are_called(fast, mixed):
    class Count(Callback):
        steps = 0

        def on_batch_end(self, net, training=False, **kwargs):
            Count.steps += training

    fast(callbacks=[Count()]).fit(mixed)
    assert Count.steps == 30


@pytest.fixture
def _heeded_interrupts():
    """Heed Ctrl-C even where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeded_interrupts")
def test_interrupt_leaves_a_usable_synthesizer(fast, mixed):
    main = threading.main_thread().ident

    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            if net.budget.step == 20:
                signal.pthread_kill(main, signal.SIGINT)

    synthesizer = fast(max_iter=10**6, max_time=60, callbacks=[Interrupt()])
    with pytest.warns(ConvergenceWarning, match="interrupted after 2[0-9] of 1000000"):
        synthesizer.fit(mixed)
    assert len(synthesizer.sample(5)) == 5


def test_failed_fit_keeps_the_last_one(fast, mixed):
    synthesizer = fast().fit(mixed)
    rows = synthesizer.sample(5, random_state=0)
    with pytest.raises(ValueError, match="infinity"):
        synthesizer.fit(mixed.assign(discount=np.inf))
    pd.testing.assert_frame_equal(synthesizer.sample(5, random_state=0), rows)


def test_verbose_shows_progress(fast, mixed, capsys):
    fast(verbose=1).fit(mixed)
    shown = capsys.readouterr().err
    assert "row/s" in shown
    assert "loss=" in shown
    fast().fit(mixed)
    assert capsys.readouterr() == ("", "")


def test_threads_may_sample_at_once(fitted):
    alone = [fitted.sample(600, random_state=seed) for seed in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = joblib.Parallel(n_jobs=4, backend="threading")(
            joblib.delayed(fitted.sample)(600, random_state=seed) for seed in range(4)
        )
    for a, b in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(a, b)
