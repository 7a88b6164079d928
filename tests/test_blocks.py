"""The marginals of encoded rows."""

import numpy as np
import pytest
from scipy.stats import norm

from sklearn_tabsyn._blocks import describe_columns
from sklearn_tabsyn._encoding import Rows


def rows_of(values=(), levels=(), n_rows=None, high=None):
    n_rows = n_rows or len((*values, *levels)[0])
    low = np.stack(values, 1) if len(values) else np.empty((n_rows, 0))
    codes = np.stack(levels, 1) if len(levels) else np.empty((n_rows, 0))
    high = low if high is None else high
    return Rows(low.astype("f4"), high.astype("f4"), codes.astype("i4"))


def mixture_of(values, weights=None, high=None):
    rows = rows_of([values], high=None if high is None else high[:, None])
    weights = np.ones(len(values)) if weights is None else weights
    [(kind, arguments)] = describe_columns(rows, [], weights)
    assert kind == "mixture"
    return arguments


def test_components_have_equal_mass_and_keep_the_moments():
    values = np.random.default_rng(0).normal(3, 2, 5000)
    found = mixture_of(values)
    np.testing.assert_allclose(found["priors"], 1 / 128, rtol=0.05)
    assert (np.diff(found["means"][0]) > 0).all()
    assert (found["low"] < found["means"]).all()
    assert (found["means"] < found["high"]).all()
    assert (found["high"][0][:-1] < found["low"][0][1:]).all()
    mean = (found["priors"] * found["means"]).sum()
    second = (found["priors"] * (found["widths"] ** 2 + found["means"] ** 2)).sum()
    assert mean == pytest.approx(0, abs=1e-4)
    assert np.sqrt(second) == pytest.approx(0.5, abs=1e-4)
    assert found["shift"][0] == pytest.approx(values.mean(), abs=1e-4)
    assert found["scale"][0] == pytest.approx(0.5 / values.std(), rel=1e-4)


def test_heavy_tie_is_a_component_without_width():
    rng = np.random.default_rng(0)
    values = rng.normal(size=4000)
    values[:1200] = 0.25
    found = mixture_of(values)
    place = (0.25 - found["shift"][0]) * found["scale"][0]
    own = np.flatnonzero(found["widths"][0] < 1e-6)
    assert len(own) == 1
    assert found["means"][0][own[0]] == pytest.approx(place, abs=1e-5)
    assert found["priors"][0][own[0]] == pytest.approx(0.3)
    assert found["priors"].sum() == pytest.approx(1)


def test_weights_count_as_copies():
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    weights = rng.integers(1, 4, 400)
    copies = np.repeat(values, weights)
    weighted, copied = mixture_of(values, weights), mixture_of(copies)
    assert weighted["shift"] == pytest.approx(copied["shift"])
    assert weighted["scale"] == pytest.approx(copied["scale"])
    levels = rng.integers(0, 4, 400)
    book = [(4, False)]
    [(_, a)] = describe_columns(rows_of(levels=[levels]), book, weights)
    copied_rows = rows_of(levels=[np.repeat(levels, weights)])
    [(_, b)] = describe_columns(copied_rows, book, np.ones(len(copies)))
    np.testing.assert_allclose(a["priors"], b["priors"])


def test_width_counts_the_range_of_a_tie():
    low = np.zeros(500)
    found = mixture_of(low, high=low + 1)
    # one tie, all of it: a uniform of width 1 that is scaled by 1
    assert found["widths"][0, 0] == pytest.approx(np.sqrt(1 / 12))


def test_small_and_constant_columns():
    for values in (np.array([3.0]), np.full(10, 7.0), np.array([1.0, 2.0, 2.5])):
        found = mixture_of(values)
        assert found["priors"].sum() == pytest.approx(1)
        assert np.isfinite(found["means"]).all()
        assert np.isfinite(found["scale"]).all()


@pytest.mark.parametrize(("n_rows", "n_components"), [(600, 16), (5_000, 39)])
def test_numbers_are_parted_less_finely_where_some_are_always_given(
    n_rows, n_components
):
    rows = rows_of([np.random.default_rng(0).normal(size=n_rows)])
    for given, n_expected in (True, n_components), (False, min(n_rows // 16, 128)):
        how = {"given": given}
        [(_, found)] = describe_columns(rows, [], np.ones(n_rows), **how)
        assert found["means"].shape == (1, n_expected)


def test_columns_of_unequal_components_are_padded():
    rng = np.random.default_rng(0)
    few = np.where(rng.random(2000) < 0.5, np.nan, rng.normal(size=2000))
    few[20:] = np.nan
    gone = np.full(2000, np.nan)
    rows = rows_of([rng.normal(size=2000), few, gone])
    [(_, found)] = describe_columns(rows, [], np.ones(2000))
    assert found["means"].shape == (3, 125)
    assert found["low"].shape == found["high"].shape == (3, 125)
    np.testing.assert_allclose(found["priors"].sum(1), 1)
    assert (found["priors"][1:] > 0).sum() == 2


def test_ordered_levels_lie_at_the_normal_scores_of_their_mid_ranks():
    levels = np.repeat([0, 1, 2], [500, 300, 200])
    found = describe_columns(rows_of(levels=[levels]), [(3, True)], np.ones(1000))
    [(_, book)] = found
    prior, places = book["priors"][0], book["codes"][0][:, 0]
    np.testing.assert_allclose(prior, [0.5, 0.3, 0.2])
    scores = norm.ppf([0.25, 0.65, 0.9])
    assert np.corrcoef(scores, places)[0, 1] == pytest.approx(1)
    assert prior @ places == pytest.approx(0)
    assert prior @ places**2 == pytest.approx(0.25)


def test_every_codebook_is_in_one_block_of_its_kind():
    rng = np.random.default_rng(0)
    sizes = [2, 3, 40, 2, 50, 9, 1]
    ordered = [False, False, True, True, False, False, False]
    rows = rows_of(levels=[rng.integers(0, size, 900) for size in sizes])
    blocks = describe_columns(
        rows, list(zip(sizes, ordered, strict=True)), np.ones(900)
    )
    seen = []
    for kind, block in blocks:
        assert kind == "codebook"
        seen += block["columns"]
        lengths = [len(prior) for prior in block["priors"]]
        assert lengths == [sizes[j] for j in block["columns"]]
        assert {ordered[j] for j in block["columns"]} == {"codes" in block}
        assert min(lengths) >= 0.6 * max(lengths)
    assert sorted(seen) == list(range(len(sizes)))


def test_levels_that_no_row_has_get_equal_shares():
    rows = rows_of(levels=[np.full(5, -1)])
    [(_, book)] = describe_columns(rows, [(2, False)], np.ones(5))
    np.testing.assert_allclose(book["priors"][0], 0.5)


@pytest.mark.parametrize(("n_columns", "n_components"), [(20, 128), (32, 80), (90, 64)])
def test_many_columns_have_fewer_components_each(n_columns, n_components):
    values = np.random.default_rng(0).normal(size=(3000, n_columns)).astype(np.float32)
    rows = Rows(values, values, np.empty((3000, 0), dtype=np.int32))
    [(_, block)] = describe_columns(rows, [], np.ones(3000))
    assert block["means"].shape == (n_columns, n_components)
