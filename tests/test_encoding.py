"""From floats to values and levels and back, by default and by users' encoders."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_mixed
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)

from sklearn_tabsyn import NormalScoreTransformer
from sklearn_tabsyn._encoding import TableEncoder
from sklearn_tabsyn._slots import MAX_ONE_HOT, N_FREQUENT, Nominal
from sklearn_tabsyn._table import TableSchema

NUMBERS = ["price", "discount", "day"]
CODED = ["size", "gift"]


def encode(table, encoder=None):
    schema = TableSchema.from_table(table)
    table_encoder = TableEncoder(schema, encoder)
    rows = table_encoder.fit(schema.read(table))
    return schema, table_encoder, rows


def round_trip(table, encoder=None):
    schema, table_encoder, rows = encode(table, encoder)
    # whatever stands where a row has nothing must not matter
    values = np.nan_to_num((rows.low + rows.high) / 2, nan=0.123)
    levels = np.where(rows.levels < 0, 0, rows.levels)
    return schema.restore(table_encoder.decode(values, levels))


def test_default_kinds(mixed):
    _, encoder, rows = encode(mixed)
    kinds = dict(zip(mixed, encoder.kinds_, strict=True))
    assert kinds == {
        "price": "continuous",
        "discount": "continuous",
        "pieces": "discrete",
        "size": "nominal",
        "gift": "nominal",
        "day": "continuous",
    }
    # price has a gate; size has its gap as a fourth level
    assert sorted(encoder.codebooks_) == [(2, False), (2, False), (4, False), (7, True)]
    assert rows.low.dtype == rows.high.dtype == np.float32
    assert rows.levels.dtype == np.int32
    np.testing.assert_array_equal(np.isnan(rows.low[:, 0]), mixed["price"].isna())


def test_default_round_trip(mixed):
    pd.testing.assert_frame_equal(round_trip(mixed), mixed)


def test_light_ties_may_be_spread_and_heavy_ones_not():
    mixed = make_mixed(1000)
    _, _, rows = encode(mixed)
    width = rows.high[:, 1] - rows.low[:, 1]
    assert (width[mixed["discount"] == 0] == 0).all()
    tied = mixed["day"].duplicated(keep=False)
    np.testing.assert_array_equal(rows.high[:, 2] > rows.low[:, 2], tied)


ENCODERS = {
    "scaler": StandardScaler(),
    "min_max": MinMaxScaler(),
    "quantile": QuantileTransformer(n_quantiles=200, output_distribution="normal"),
    "power": PowerTransformer(),
    "normal_score": NormalScoreTransformer(),
    "pipeline": make_pipeline(MinMaxScaler(), StandardScaler()),
    "function": FunctionTransformer(np.log1p, np.expm1, check_inverse=False),
    "ordinal": OrdinalEncoder(),
    "passthrough": "passthrough",
}


@pytest.mark.parametrize("numbers", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize(
    "names",
    [OrdinalEncoder(), OneHotEncoder(), OneHotEncoder(drop="first")],
    ids=["ordinal", "one_hot", "one_hot_drop"],
)
def test_own_encoder_round_trip(mixed, numbers, names):
    encoder = ColumnTransformer(
        [("names", names, CODED), ("numbers", numbers, NUMBERS)],
        remainder=StandardScaler(),
    )
    before = mixed.copy()
    back = round_trip(mixed, encoder)
    # discounts are unrounded floats, and float32 inside
    back["discount"] = back["discount"].round(4)
    mixed["discount"] = mixed["discount"].round(4)
    exact = [c for c in mixed if c != "discount"]
    pd.testing.assert_frame_equal(back[exact], mixed[exact])
    np.testing.assert_allclose(back["discount"], mixed["discount"], atol=2e-3)
    pd.testing.assert_frame_equal(mixed[exact], before[exact])


def test_own_encoder_by_selector_and_pandas_output(mixed):
    table = mixed.drop(columns="discount")
    encoder = ColumnTransformer(
        [
            ("text", OneHotEncoder(sparse_output=False), make_column_selector("^size")),
            ("flag", OrdinalEncoder(), [3]),
        ],
        remainder=StandardScaler(),
    ).set_output(transform="pandas")
    pd.testing.assert_frame_equal(round_trip(table, encoder), table)


def test_own_encoder_of_an_array():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=50), rng.integers(0, 3, 50)])
    encoder = ColumnTransformer(
        [("a", StandardScaler(), [0]), ("b", OrdinalEncoder(), [1])]
    )
    schema, table_encoder, _ = encode(X, encoder)
    assert table_encoder.kinds_ == ["continuous", "discrete"]
    assert schema.names == ["x0", "x1"]
    np.testing.assert_allclose(round_trip(X, encoder), X, atol=1e-5)


def refuse(table, steps, message, **kwargs):
    encoder = ColumnTransformer(steps, **kwargs)
    with pytest.raises(ValueError, match=message):
        encode(table, encoder)


ONE_WAY = {
    "no_inverse": (
        Normalizer(),
        "Step 'numbers' .* Normalizer has no inverse_transform",
    ),
    "no_inverse_func": (FunctionTransformer(np.cbrt), "Step 'numbers' .* inverse_func"),
    "in_a_pipeline": (
        make_pipeline(StandardScaler(), Normalizer()),
        "Step 'numbers' .* Normalizer has no inverse_transform",
    ),
    "lossy": (
        KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"),
        "Step 'numbers' .* cannot be inverted: column 'pieces' held .* came back as",
    ),
    "lossy_function": (
        FunctionTransformer(np.abs, np.abs, check_inverse=False),
        "column 'pieces' held -3.* and came back as",
    ),
    "lossy_projection": (PCA(1), "cannot be inverted: column 'pieces'"),
}


@pytest.mark.parametrize(("step", "message"), ONE_WAY.values(), ids=ONE_WAY)
def test_one_way_steps_are_refused_by_name(step, message):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"pieces": np.r_[-3.0, rng.random(99)], "b": rng.random(100)})
    refuse(table, [("numbers", step, ["pieces", "b"])], message)


def test_imputers_are_refused(mixed):
    steps = [("fill", SimpleImputer(), ["price"])]
    refuse(mixed[["price"]], steps, "Step 'fill' of encoder cannot be inverted")


def test_dropped_and_doubled_columns_are_refused(mixed):
    names = ("names", OrdinalEncoder(), CODED)
    refuse(mixed, [names], "column 'price' is dropped")
    numbers = ("all", OrdinalEncoder(), ["price", "size"])
    rest = {"remainder": StandardScaler()}
    refuse(mixed, [names, numbers], "column 'size' is encoded by", **rest)


def test_encoder_must_be_a_column_transformer(mixed):
    with pytest.raises(TypeError, match="must be a ColumnTransformer"):
        encode(mixed, StandardScaler())


@pytest.mark.parametrize("n_levels", [MAX_ONE_HOT, MAX_ONE_HOT + 1, 5000, 20_000])
def test_many_levels_come_back(n_levels):
    rng = np.random.default_rng(0)
    codes = np.r_[np.arange(n_levels), rng.zipf(1.3, 30_000) % n_levels].astype(float)
    slot = Nominal.of(codes[:, None], slice(0, 1))
    levels = np.full((len(codes), slot.n_codebooks), -1, dtype=np.int32)

    class rows:
        pass

    rows.levels = levels
    slot.encode(codes[:, None], None, rows)
    books = slot.codebooks()
    assert max(size for size, _ in books) <= MAX_ONE_HOT
    assert sum(size for size, _ in books) < 3 * np.sqrt(n_levels) + N_FREQUENT + 520
    for column, (size, _) in zip(levels.T, books, strict=True):
        assert column.max() == size - 1
    back = np.full((len(codes), 1), np.nan)
    slot.decode(None, np.maximum(levels, 0), back)
    np.testing.assert_array_equal(back[:, 0], codes)


def test_members_of_a_block_are_about_equally_frequent():
    rng = np.random.default_rng(0)
    codes = (rng.zipf(1.2, 100_000) % 5000).astype(float)[:, None]
    slot = Nominal.of(codes, slice(0, 1))
    counts = np.unique(codes, return_counts=True)[1][slot.order]
    blocks = counts[N_FREQUENT:]
    blocks = blocks[: len(blocks) // slot.size * slot.size].reshape(-1, slot.size)
    assert (blocks.max(1) <= 1.5 * blocks.min(1) + 1).all()


def test_unseen_numbers_of_a_discrete_column_take_the_nearest(mixed):
    schema, encoder, _ = encode(mixed)
    new = mixed.assign(pieces=mixed["pieces"] + 100)
    rows = encoder.encode(schema.read(new))
    back = schema.restore(
        encoder.decode(np.nan_to_num(rows.low), np.maximum(rows.levels, 0))
    )
    assert (back["pieces"] == mixed["pieces"].max()).all()


def test_encoding_is_deterministic():
    first, second = (encode(make_mixed(seed=3))[2] for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
