"""Pictures of real and synthetic rows."""

import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import make_mixed
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture

from sklearn_tabsyn.inspection import (
    DistanceDisplay,
    JointDisplay,
    MarginalsDisplay,
    TrainingDisplay,
    TrendDisplay,
)
from sklearn_tabsyn.metrics import shape_errors, trend_errors

mpl.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def make_wide(n_rows=300, seed=0, n_columns=60):
    """Return a table of many numbers and categories, with awkward names."""
    rng = np.random.default_rng(seed)
    columns = {f"number_{j}": rng.normal(size=n_rows) for j in range(n_columns - 20)}
    for j in range(19):
        columns[f"$name_{j}$"] = rng.choice(["$a", "_b", "<c>"], n_rows)
    columns["constant"] = 1
    return pd.DataFrame(columns)


def find(display, name):
    """Return the marginal of a column."""
    return next(m for m in display.marginals if m.name == name)


def test_histograms_have_the_bins_and_shares_of_the_real_table():
    real = pd.DataFrame({"n": [1, 1, 2, 4]})
    display = MarginalsDisplay.from_samples(real, pd.DataFrame({"n": [1, 2, 9, -5]}))
    (marginal,) = display.marginals
    np.testing.assert_array_equal(marginal.edges, [0.5, 1.5, 2.5, 3.5, 4.5])
    np.testing.assert_array_equal(marginal.real, [0.5, 0.25, 0, 0.25])
    # what lies beyond the ends is in the outer bins
    np.testing.assert_array_equal(marginal.synthetic, [0.5, 0.25, 0, 0.25])


def test_bars_are_the_most_frequent_levels_others_new_and_missing():
    levels = ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d", "e"] + [None]
    real = pd.DataFrame({"name": levels})
    synthetic = pd.DataFrame({"name": ["a", "e", "new", None]})
    how = {"max_levels": 3}
    (marginal,) = MarginalsDisplay.from_samples(real, synthetic, **how).marginals
    assert marginal.labels == ["a", "b", "c", "2 others", "missing", "new levels"]
    np.testing.assert_allclose(marginal.real * 12, [4, 3, 2, 2, 1, 0])
    np.testing.assert_allclose(marginal.synthetic * 4, [1, 0, 0, 1, 1, 1])
    assert marginal.missing == [1 / 12, 1 / 4]


def test_dates_lie_on_a_calendar_and_durations_are_days():
    days = pd.date_range("2024-01-01", periods=40)
    real = pd.DataFrame({"day": days, "took": days - days[0]})
    display = MarginalsDisplay.from_samples(real, real)
    day, took = display.marginals
    assert (day.kind, took.kind) == ("date", "number")
    assert day.edges[0] == (days[0] - pd.Timestamp(0)).days - 0.5
    assert took.edges[0] == -0.5
    never = pd.DataFrame({"day": np.array(["2024-01-01", "9999-12-31"], "M8[s]")})
    display = MarginalsDisplay.from_samples(never, never).plot()
    assert display.marginals[0].kind == "number"


def test_errors_and_gaps_of_marginals(mixed):
    synthetic = make_mixed(150, 1)
    display = MarginalsDisplay.from_samples(mixed, synthetic)
    errors = shape_errors(mixed, synthetic)
    assert {m.name: m.error for m in display.marginals} == errors.to_dict()
    gaps = [table["price"].isna().mean() for table in (mixed, synthetic)]
    assert find(display, "price").missing == pytest.approx(gaps)
    assert find(display, "price").real.sum() == pytest.approx(1)


def test_long_tails_and_constants_have_readable_bins():
    rng = np.random.default_rng(0)
    heavy = np.append(rng.normal(size=999), 1e9)
    real = np.column_stack([heavy, np.full(1000, 5.0), np.full(1000, np.nan)])
    display = MarginalsDisplay.from_samples(real, real).plot()
    tail, constant, empty = display.marginals
    assert np.count_nonzero(tail.real) > 8
    np.testing.assert_array_equal(constant.real, [0, 1, 0])
    assert not empty.real.any()
    assert empty.missing == [1, 1]


def test_many_columns_show_the_worst_and_say_so():
    real, synthetic = make_wide(), make_wide(seed=1)
    synthetic["number_7"] += 2
    display = MarginalsDisplay.from_samples(real, synthetic, max_columns=6)
    assert len(display.marginals) == 6
    assert display.marginals[0].name == "number_7"
    display.plot()
    assert "the 6 worst of 60" in display.figure_._supxlabel.get_text()
    display.figure_.canvas.draw()
    chosen = MarginalsDisplay.from_samples(real, synthetic, columns=["constant", -2])
    assert [m.name for m in chosen.marginals] == ["constant", "$name_18$"]
    with pytest.raises(ValueError, match=r"got 'nix'.* and more"):
        MarginalsDisplay.from_samples(real, synthetic, columns=["nix"])


def test_trends_of_many_columns_are_named():
    real, synthetic = make_wide(), make_wide(seed=1)
    display = TrendDisplay.from_samples(real, synthetic).plot()
    pd.testing.assert_frame_equal(display.errors, trend_errors(real, synthetic))
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == list(real)
    display.figure_.canvas.draw()


def test_joint_shares_of_numbers_and_categories():
    real = pd.DataFrame({"n": [1, 1, 2, None], "name": ["a", "a", "b", "b"]})
    synthetic = real.assign(name=["b", "a", "a", "a"])
    for columns in (["n", "name"], ["name", "n"], None):
        display = JointDisplay.from_samples(real, synthetic, columns=columns)
        # names lie along y
        assert (display.x.name, display.y.name) == ("n", "name")
        np.testing.assert_allclose(display.real * 3, [[2, 0], [0, 1]])
        np.testing.assert_allclose(display.synthetic * 3, [[1, 1], [1, 0]])
        assert display.error == trend_errors(real, synthetic).loc["n", "name"]
    assert display.x.missing == [0.25, 0.25]
    with pytest.raises(ValueError, match="columns must be two"):
        JointDisplay.from_samples(real, synthetic, columns=["n"])
    with pytest.raises(ValueError, match="at least 2 columns"):
        JointDisplay.from_samples(real[["n"]], synthetic[["n"]])


def test_the_worst_pair_is_found_by_place():
    rng = np.random.default_rng(0)
    near = rng.normal(size=(500, 1)) + 0.1 * rng.normal(size=(500, 2))
    real = pd.DataFrame({10: near[:, 0], 0: rng.normal(size=500), 1: near[:, 1]})
    synthetic = real.copy()
    synthetic[1] = rng.permutation(real[1])
    display = JointDisplay.from_samples(real, synthetic)
    assert {display.x.name, display.y.name} == {10, 1}


@pytest.mark.parametrize("columns", [("price", "day"), ("size", "gift"), (0, "size")])
def test_joint_pictures_have_one_scale(mixed, columns):
    display = JointDisplay.from_samples(mixed, make_mixed(99, 1), columns=columns)
    left, right = display.plot().axes_
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    assert left.collections[0].norm is right.collections[0].norm
    display.figure_.canvas.draw()


def test_distances_find_copies():
    real, holdout = np.random.default_rng(0).normal(size=(2, 200, 3))
    half = np.vstack([real[:50], holdout[:50] + 0.5])
    how = {"max_rows": 150}
    display = DistanceDisplay.from_samples(real, half, holdout, **how)
    assert (len(display.synthetic), len(display.holdout)) == (100, 150)
    assert display.identical_shares() == (0.5, 0)
    display.plot().figure_.canvas.draw()
    again = DistanceDisplay.from_samples(real, half, holdout, **how)
    np.testing.assert_array_equal(display.holdout, again.holdout)
    same = DistanceDisplay.from_samples(real, real, real).plot()
    assert same.identical_shares() == (1, 1)


def test_training_shows_what_the_synthesizer_keeps(mixed, fast):
    synthesizer = fast(max_iter=120, early_stopping=True).fit(mixed)
    display = TrainingDisplay.from_estimator(synthesizer).plot()
    assert display.loss.tolist() == synthesizer.loss_curve_
    assert display.validation_loss.tolist() == synthesizer.validation_loss_curve_
    assert display.steps.tolist() == [50, 100, 120]
    assert display.sigmas.shape == display.uncertainty.shape
    assert display.uncertainty[-1] > display.uncertainty[0]
    display.figure_.canvas.draw()
    # too short for a loss
    TrainingDisplay.from_estimator(fast(max_iter=5).fit(mixed)).plot()


def test_training_is_of_fitted_synthesizers(fast):
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(fast())
    mixture = GaussianMixture().fit([[0.0], [1.0]])
    with pytest.raises(TypeError, match="got GaussianMixture"):
        TrainingDisplay.from_estimator(mixture)


def test_estimators_draw_what_is_shown(mixed, fast):
    X, y = mixed.drop(columns="gift"), mixed["gift"]
    synthesizer = fast().fit(X, y)
    display = MarginalsDisplay.from_estimator(synthesizer, X, y=y, n_samples=300)
    drawn, drawn_y = synthesizer.sample(300, random_state=0)
    drawn["target"] = drawn_y.to_numpy()
    expected = MarginalsDisplay.from_samples(X.assign(target=y), drawn)
    assert [m.name for m in display.marginals] == [*X, "target"]
    for marginal, other in zip(display.marginals, expected.marginals, strict=True):
        np.testing.assert_array_equal(marginal.synthetic, other.synthetic)
    joint = JointDisplay.from_estimator(synthesizer, X, columns=["price", "size"])
    assert joint.synthetic.sum() == pytest.approx(1)
    assert TrendDisplay.from_estimator(synthesizer, X, y=y).errors.shape == (6, 6)
    with pytest.raises(TypeError, match="got ndarray"):
        TrendDisplay.from_estimator(X.to_numpy(), X)


def test_distances_of_estimators(fast):
    X, holdout = np.random.default_rng(0).normal(size=(2, 80, 2))
    synthesizer = fast().fit(X)
    display = DistanceDisplay.from_estimator(synthesizer, X, holdout, n_samples=50)
    drawn = synthesizer.sample(50, random_state=0)
    expected = DistanceDisplay.from_samples(X, drawn, holdout)
    np.testing.assert_array_equal(display.synthetic, expected.synthetic)
    np.testing.assert_array_equal(display.holdout, expected.holdout)


@pytest.mark.parametrize("convert", [pl.from_pandas, lambda t: t.to_numpy(object)])
def test_containers_give_the_same_picture(mixed, convert):
    mixed = mixed.drop(columns="day")  # objects know no dates without gaps
    synthetic = make_mixed(150, 1)[list(mixed)]
    expected = MarginalsDisplay.from_samples(mixed, synthetic)
    display = MarginalsDisplay.from_samples(convert(mixed), convert(synthetic))
    for marginal, other in zip(display.marginals, expected.marginals, strict=True):
        np.testing.assert_array_equal(marginal.synthetic, other.synthetic)
        assert marginal.labels == other.labels


def make_displays(fast):
    """Return one display of each kind, and its number of panels."""
    real, synthetic = make_mixed(60), make_mixed(60, 1)
    yield MarginalsDisplay.from_samples(real, synthetic), 6
    yield TrendDisplay.from_samples(real, synthetic), 1
    yield JointDisplay.from_samples(real, synthetic), 2
    yield DistanceDisplay.from_samples(real, synthetic, synthetic), 1
    yield TrainingDisplay.from_estimator(fast().fit(real)), 2


def test_pictures_are_drawn_on_given_axes_and_change_nothing_else(fast):
    for display, n_panels in make_displays(fast):
        settings = dict(mpl.rcParams)
        figure, axes = plt.subplots(1, n_panels)
        assert display.plot(axes) is display
        assert display.figure_ is figure
        assert plt.get_fignums() == [figure.number]
        assert dict(mpl.rcParams) == settings
        plt.close(figure)
        with pytest.raises(ValueError, match="so ax must hold as many axes; got 3"):
            display.plot(plt.figure().subplots(3))
        plt.close()


def test_pictures_say_what_they_need(fast, monkeypatch):
    displays = list(make_displays(fast))
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    for display, _ in displays:
        with pytest.raises(ImportError, match=r"pip install \"sklearn-tabsyn\[plot\]"):
            display.plot()
