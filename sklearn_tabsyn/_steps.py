"""Steps of an encoder: the default ones, and what can be done with a user's own."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from sklearn_tabsyn._normal_score import NormalScoreTransformer

# Numbers with up to so many distinct values have a codebook, if two rows have the same
# one as often as of so many equally frequent ones.
MAX_DISCRETE, MAX_EVEN = 128, 16


def default_transformer(frame, schema, min_count=1):
    """Return the transformer that suits the columns of a float frame.

    No value of fewer than `min_count` rows is kept.
    """
    kinds = {"continuous": [], "discrete": [], "nominal": []}
    for j, column in enumerate(schema.columns):
        values = frame[j].dropna()
        if column.kind == "category" or values.empty:
            kinds["nominal"].append(j)
            continue
        few = has_few_values(values) and values.value_counts().min() >= min_count
        kinds["discrete" if few else "continuous"].append(j)
    scores = NormalScoreTransformer(min_count=min_count)
    return ColumnTransformer(
        [
            ("continuous", scores, kinds["continuous"]),
            ("discrete", OrdinalEncoder(), kinds["discrete"]),
            ("nominal", OrdinalEncoder(), kinds["nominal"]),
        ]
    )


def has_few_values(values):
    """Tell whether numbers without gaps have so few values that each has a level."""
    counts = np.unique(values, return_counts=True)[1]
    # A value seen about once says no more than its neighbourhood.
    limit = max(2, min(MAX_DISCRETE, len(values) // 4))
    # Two rows have the same value as often as if there were this many equal ones.
    as_few = len(values) ** 2 <= MAX_EVEN * np.sum(counts**2)
    return bool(len(counts) <= limit and as_few)


def encoded_places(step, outputs):
    """Yield the encoded columns of each input of an ordinal or one-hot step."""
    widths = getattr(step, "_n_features_outs", None)
    if widths is None:
        widths = [1] * (outputs.stop - outputs.start)
    start = outputs.start
    for width in widths:
        yield slice(start, start + width)
        start += width


def parts_of(step):
    """Return the steps of a pipeline, or a step alone."""
    return [part for _, part in step.steps] if isinstance(step, Pipeline) else [step]


def is_apart(step):
    """Tell whether a step encodes every column by itself."""
    return all(
        isinstance(part, str | None | OneToOneFeatureMixin | FunctionTransformer)
        for part in parts_of(step)
    )


def check_steps(transformer):
    """Refuse, by name, steps that have no inverse."""
    if not isinstance(transformer, ColumnTransformer):
        raise TypeError(
            "encoder must be a ColumnTransformer of invertible steps or None; got "
            f"{type(transformer).__name__}."
        )
    for name, step, _ in transformer.transformers:
        for part in parts_of(step):
            if isinstance(part, str | None):
                continue
            one_way = getattr(part, "func", None) and part.inverse_func is None
            if one_way or not hasattr(part, "inverse_transform"):
                raise ValueError(
                    f"Step {name!r} of encoder cannot be inverted: "
                    f"{type(part).__name__} has no "
                    f"{'inverse_func' if one_way else 'inverse_transform'}. Use a step "
                    "that has one, such as StandardScaler or OrdinalEncoder."
                )


def invert_step(name, step, block):
    """Return what a fitted step made the columns of `block` of."""
    with warnings.catch_warnings():
        # Some scikit-learn versions check names there, which outputs do not have.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        try:
            return step.inverse_transform(block)
        except ValueError as error:
            raise ValueError(
                f"Step {name!r} of encoder cannot be inverted: {error}"
            ) from error


def first_difference(a, b):
    """Return the first row where two columns differ by more than rounding, or None."""
    if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
        # float32 inside the network rounds by about 1e-7 of the spread.
        atol = 1e-4 * float(np.nanmax(np.abs(a), initial=0.0))
        same = np.isclose(a, b, rtol=1e-3, atol=atol, equal_nan=True)
    else:
        same = ((a == b) | (a.isna() & b.isna())).to_numpy()
    return None if same.all() else int(np.argmin(same))
